# SPDX-License-Identifier: MIT
"""Bulk under load: six streams at once. What is missing has to be what the tool says."""
import contextlib
import os
import subprocess
import sys
import time

import compare
import paths as ways
import report
import traffic
import witness


# A process whose every system call runs a kprobe's handler that copies for long: packets that
# come in meanwhile are missed by every kprobe.
NOISE = "import os\nwhile True: os.getppid()"


@contextlib.contextmanager
def noise(kind, ftrace):
    if kind != "kprobe" or ftrace.why:
        yield
        return
    instance = f"{ftrace.root}/instances/lnk-noise-{os.getpid()}"
    call = "__arm64_sys_getppid" if os.uname().machine == "aarch64" else "__x64_sys_getppid"
    ftrace.kprobe_events(f"p:{ftrace.group}/noise {call} " +
                         " ".join(f"a{i}=+0(%sp):x64[16]" for i in range(24)) + "\n")
    ftrace.names.append("noise")
    os.mkdir(instance)
    proc = subprocess.Popen([sys.executable, "-c", NOISE])
    enable = f"{instance}/events/{ftrace.group}/noise/enable"
    try:
        set_event(enable, "1")
        yield
        set_event(enable, "0")
    finally:
        proc.kill()
        proc.wait()
        os.rmdir(instance)


def set_event(file, text):
    with open(file, "w", encoding="ascii") as f:
        f.write(text)


# Another kind of hook at the same functions, in a program of its own: it compiles from BTF
# even where that is hidden from the tool itself.
FENTRY = ["unshare", "-m", "sh", "-c", 'umount /sys/kernel/btf 2>/dev/null; exec "$@"', "sh"]


def run(args, port, make_tool, capture, close_books, tmp):
    path, captures, ftrace, tool, profiler, fentry = None, [], None, None, None, None
    try:
        path = ways.MAKERS["nic" if "nic" in args.paths else "veth"]()
        ftrace = witness.Ftrace(tmp)
        tool = make_tool(args.lnk, args.words + ["-p", str(port)], tmp)
        if not tool.started:
            report.result(False, "the program starts", tool.said())
            return
        if args.kind == "kprobe":
            fentry = make_tool(args.lnk, ["-s", "--attach", "fentry", "-p", str(port)], tmp, FENTRY, "2")
        captures = capture(path, tmp)
        for c in captures:
            c.wait_ready()
        # hits are counted although nothing is recorded
        ftrace.write("tracing_on", "0")
        ftrace.enable(True)
        profiler = witness.Profile(ftrace.root, compare.TCP + compare.QUEUE)
        if profiler.why:
            print(f"# no function profiler: {profiler.why}")
        before = sum(map(witness.in_segs, path.spaces))
        with noise(args.kind, ftrace):
            traffic.bulk(path, 0, port, streams=6, size=args.load_bytes)
            # under the load ksoftirqd takes the packets; one at a time comes by an interrupt
            traffic.talk(path, 0, port, rounds=1000)
        time.sleep(1)
        witness.quiet([c.file for c in captures], 1)
        for c in captures:
            c.stop()
        ftrace.enable(False)
        grown = sum(map(witness.in_segs, path.spaces)) - before
        profile, entered = ftrace.profile(), profiler.read()
        books = close_books(tool, tool.stop())
        if fentry:
            fentry.stop()
        packets = [p for c in captures for p in c.packets() if port in (p.sport, p.dport)]
        judge(args, path, books, tool.rows(), packets, profile, entered, grown)
        if fentry:
            compare_hooks(f"{path.name} IPv4: six streams", books, compare.Books(fentry.said()))
    finally:
        for each in (tool, fentry):
            if each:
                each.stop()
        if profiler:
            profiler.close()
        if ftrace:
            ftrace.close()
        if path:
            ways.remove(path)


def judge(args, path, books, rows, packets, profile, entered, grown):
    where = f"{path.name} IPv4: six streams"
    report.result(grown == len(packets), f"{where}: TcpInSegs grew by what tcpdump saw ({grown})",
                  f"{len(packets)} packets")
    stage(where, books, "netif_receive_skb", len(packets), "tcpdump")
    extra = (compare.count(compare.of(rows, compare.NETIF), compare.full) -
             compare.count(packets, compare.full))
    report.result(not extra, f"{where}: no row without its packet", repr(extra)[:500])
    if args.kind == "tracepoint":
        return
    stage(where, books, "ip_rcv_finish", len(packets), "tcpdump")
    for name, functions in (("tcp_v4_do_rcv", compare.TCP), ("tcp_queue_rcv", compare.QUEUE)):
        calls = sum(sum(profile.get(f, (0, 0))) for f in functions)
        if calls:
            stage(where, books, name, calls, "ftrace, hits and misses")
        calls = sum(entered[f] for f in functions)
        if calls:
            stage(where, books, name, calls, "function profiler")


def compare_hooks(where, books, others):
    """Two kinds of hook at the same functions: each has seen what it has not missed."""
    for name in ("ip_rcv_finish", "tcp_v4_do_rcv", "tcp_queue_rcv", "sock_def_readable"):
        seen, missed = (others.get(name, column) for column in ("SEEN", "MISSED"))
        if seen is None or missed is None or name not in others.stages:
            print(f"# {where}: {name}: no fentry:", *others.text.splitlines(), sep="\n#   ")
            continue
        seen -= others.get(name, "FILTERED")
        stage(where, books, name, seen + missed, "fentry, seen and missed")


def stage(where, books, name, calls, who):
    """calls = seen + missed. fentry misses the calls that interrupt their own program on one
    CPU: tcp_v4_do_rcv() is called for a socket's backlog with softirqs on. Kprobes miss those
    that interrupt any kprobe."""
    seen, missed, lost = (books.get(name, column) for column in ("SEEN", "MISSED", "LOST"))
    seen -= books.get(name, "FILTERED")  # of other traffic on this host
    missing = max(0, calls - seen)
    note = ""
    good = missed is not None and seen + missed == calls
    if name == "sock_def_readable" and missed:
        # it serves every kind of socket, and what a missed call was for nobody knows
        good = seen <= calls <= seen + missed
    if missing:
        note = f"{name}: the tool says {missed} missed"
        if name == "sock_def_readable":
            note += ", of any kind of socket"
    if lost:
        note += f"; {name}: {lost} rows more were lost, and counted, as the ring was full"
    report.row(where, name, calls, seen, missing, max(0, seen - calls), who, note.lstrip("; "))
    told = "?" if missed is None else missed
    report.result(good, f"{where}: {name}: {calls} by {who}, {seen} seen, {told} missed", books.text)
