#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures linux_net_kernel beside what a user would use instead, and writes
docs/benchmarks.md.

    bench.py [--vm] [--seconds N] [--out FILE] [--only SECTION,...] [--lnk PROGRAM]
             [--build DIR]

Run it as root on a quiet machine, with nothing else to do. It ends within N seconds
(600), whatever happens; what there was no time for, and every tool that is missing, is
named in the document. --vm compares kprobe and fentry instead, in a virtual machine, and
writes docs/benchmarks-vm.md.

Theory of operation. Speed on a shared or two-core machine drifts, so an absolute time is
worth little: each run under a tool stands between two untraced runs, and its figure is
the ratio to their mean. The tools take turns, round after round; medians and the spread
are shown. The whole run happens in namespaces of its own (see host.py), so loopback
carries only the load that is made here, and nothing has to be put back.
"""
import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True  # nothing is left in the source tree
# pylint: disable=wrong-import-position
import host
import reload
import report
from tools import Bench, Failed, Running

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LOAD_SECONDS = "1.0"
# What a section may take at most, in seconds, on the way to 600. Rounds are cut, not runs.
SLICES = {"others": 25, "start": 30, "render": 10, "rtt2": 155, "hits": 30, "filters": 25, "latency": 25,
          "idle": 64, "rtt1": 34, "rtt8": 34, "bulk": 26, "storm": 26, "flows": 20,
          "modes": 14, "reload": 40}
RESERVE = 15  # to write the document, and for what overruns


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


class TimeUp(BaseException):
    """The run has to end now; what was measured is still written."""


def time_up(_signum, _frame):
    raise TimeUp


class Clock:
    def __init__(self, seconds):
        self.start = time.monotonic()
        self.end = self.start + seconds

    def left(self):
        return self.end - time.monotonic()

    def until(self, seconds):
        return min(time.monotonic() + seconds, self.end)


def rtt(pairs, *more):
    return ["rtt", "-P", "-t", LOAD_SECONDS, "-c", str(pairs), *more]


def hooks(bench):
    """The lines that say what serves each stage."""
    try:
        running = Running(bench.ours("", "", "-p", "9"), bench.work)
        running.stop()
    except (Failed, OSError):
        return []
    return [line.split(" (")[0] for line in host.read(running.err_path).splitlines()
            if line.startswith("Stage ")]


# --- the sections --------------------------------------------------------------------


def in_turn(bench, data, name, load, tools, rounds, until, every=None):
    """Untraced, two tools, untraced, two tools, ...; data[name] becomes ({key: [measurement
    with "kept"]}, [untraced rate]) and is whole at any time. every: {key: n} runs a tool
    in every n-th round only."""
    got, base = data[name] = ({t.key: [] for t in tools}, [])
    for number in range(rounds):
        # no two rounds in the same order, and in case time runs out not the same ones left
        turn = [t for t in tools if number % (every or {}).get(t.key, 1) == 0]
        turn = turn[number % max(1, len(turn)):] + turn[:number % max(1, len(turn))]
        before = None
        for i in range(0, len(turn), 2):
            if time.monotonic() > until:
                return
            before = before or bench.measure(None, load)["rate"]
            pair = [(t, attempt(bench, t, lambda t=t: bench.measure(t, load)))
                    for t in turn[i:i + 2]]
            after = bench.measure(None, load)["rate"]
            for t, m in pair:
                if m:
                    m["kept"] = 2 * m["rate"] / (before + after)
                    got[t.key].append(m)
            base.append(after)
            before = after


def attempt(bench, tool, what):
    try:
        return what()
    except (Failed, OSError, ValueError, subprocess.SubprocessError) as error:
        bench.wrong.append(f"{tool.name}: {error}")
        return None


def variants(bench):
    return [bench.ours("all", "every row", "-R", "0"),
            bench.ours("shared", "every row, --buffer=shared", "-R", "0", "--buffer=shared"),
            bench.ours("default", "default settings"),
            bench.ours("filter", "a filter that matches nothing", "-p", "9"),
            bench.ours("stats", "-s", "-s")]


# To a hook that nobody has, so that it is read and nothing is made of it.
SEND_AN_EVENT = """struct lnk_sample s = { .event.time_ns = bpf_ktime_get_ns(), .event.hook = 0xffff };

	lnk_events.perf_submit(ctx, &s, LNK_RECORD_SIZE(EXTRA));
	"""


def floors(bench):
    return [bench.floor("nothing", "programs that do nothing", ""),
            bench.floor("clock", "programs that read the clock",
                        "volatile u64 now_ns = bpf_ktime_get_ns();\n\n\t"),
            bench.floor("ring", "programs that send an event without a packet, and no rows",
                        SEND_AN_EVENT, "-R", "0")]


def section_others(bench, data, _until):
    data["others"] = bench.others()


def section_rtt2(bench, data, until):
    others = data.get("others", [])
    seldom = floors(bench) + others
    tools = variants(bench) + [bench.stages(1), bench.stages(3)] + seldom
    every = {t.key: 2 for t in seldom}
    in_turn(bench, data, "rtt2", rtt(2), tools, 5, until, every)


def section_rtt(pairs):
    def section(bench, data, until):
        others = [t for t in data.get("others", []) if t.key == "bcc"]
        in_turn(bench, data, f"rtt{pairs}", rtt(pairs), variants(bench) + others, 3, until,
                {"bcc": 2})
    return section


def section_modes(bench, data, until):
    """Without the threads pinned: what the scheduler makes of it."""
    load = ["rtt", "-t", LOAD_SECONDS, "-c", "2"]
    in_turn(bench, data, "modes", load, variants(bench)[:1], 6, until)


def section_bulk(bench, data, until):
    ns, address = host.veth()
    try:
        load = ["bulk", "-t", LOAD_SECONDS, "-a", address, "-s", ns.path]
        others = [t for t in data.get("others", []) if t.key == "bcc"]
        in_turn(bench, data, "bulk", load, variants(bench)[:3] + others, 3, until, {"bcc": 2})
    finally:
        ns.close()


def section_storm(bench, data, until):
    load = ["storm", "-t", LOAD_SECONDS, "-c", "2", "-P"]
    others = [t for t in data.get("others", []) if t.key == "bcc"]
    in_turn(bench, data, "storm", load, variants(bench)[:3] + others, 3, until, {"bcc": 2})


def section_flows(bench, data, until):
    """The same two threads, on more and more connections."""
    tool = bench.ours("all", "every row", "-R", "0")
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = min(10000, (files - 200) // 2 // 2 * 2)
    data["flows"] = {}
    for flows in (2, 10, 100, 1000, most):
        if time.monotonic() < until:
            load = ["rtt", "-P", "-t", "0.6", "-c", "2", "-f", str(flows // 2)]
            in_turn(bench, data["flows"], flows, load, [tool], 2, until)


def section_hits(bench, data, until):
    """Nanoseconds per hit of each BPF program, by the kernel's own count."""
    tools = variants(bench) + [bench.stages(1)] + floors(bench)
    tools += [t for t in data.get("others", []) if t.key in ("bcc", "bpftrace")]
    data["hits"] = []
    for tool in tools:
        if time.monotonic() > until:
            break
        m = attempt(bench, tool, lambda t=tool: bench.measure(t, rtt(2), stats=True))
        for name, calls, ns, _insns in m["programs"] if m else []:
            if calls > 100:
                data["hits"].append((tool, name, calls, ns / calls))


def asked(bench):
    """What is asked beyond the usual: filters that match nothing, then rows with columns."""
    ports = ",".join(str(p) for p in range(1, 640, 10))
    nets = ",".join(f"10.{i * 37 % 256}.{i * 91 % 256}.0/24" for i in range(64))
    every = ("flags,len,win,ttl,ifname,netns,cpu,uid,state,srtt,rto,cwnd,retrans,rcvq,sndq,mark,"
             "skb,sk,hash,gso")
    return [bench.ours("ip", "-i, one address", "-i", "198.51.100.1"),
            bench.ours("port", "-p, one port", "-p", "9"),
            bench.ours("ports", "-p, 64 ports", "-p", ports),
            bench.ours("nets", "-i, 64 networks", "-i", nets),
            bench.ours("pcap", "a tcpdump expression", "tcp port 9 and net 198.51.100.0/24"),
            bench.ours("where", "--where", "--where", "len > 100000 && ip.ttl < 5"),
            bench.ours("none", "every row, the usual columns", "-R", "0"),
            bench.ours("two", "every row, +flags,+len", "-R", "0", "-o", "+flags,+len"),
            bench.ours("every", "every row, all columns", "-R", "0", "-o", "+" + every)]


def section_filters(bench, data, until):
    """Instructions, and nanoseconds per hit, of the program at netif_receive_skb and of all."""
    data["filters"] = []
    load = ["rtt", "-P", "-t", "0.4", "-c", "2"]
    for tool in asked(bench):
        if time.monotonic() > until:
            break
        m = attempt(bench, tool, lambda t=tool: bench.measure(t, load, stats=True))
        got = [p for p in m["programs"] if p[1] > 100] if m else []
        first = [p for p in got if p[0].startswith("netif_receive")]
        if first:
            data["filters"].append((tool, [(sum(p[3] for p in ps), sum(p[2] for p in ps) /
                                            sum(p[1] for p in ps)) for ps in (first, got)]))


def seconds_of(argv):
    start = time.perf_counter()
    p = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    return time.perf_counter() - start, p


def section_start(bench, data, until):
    """Exec to attached, and the compile with installed headers beside BCC's."""
    cold = ["--no-cache"] if bench.has_cache else []
    ways = {"btf cold": bench.ours("", "cold", *cold, "--headers", "btf")}
    if bench.has_cache:
        ways["btf warm"] = bench.ours("", "warm", "--headers", "btf")
    if bench.foreign_headers is not None:
        if bench.has_cache:
            ways["installed warm"] = bench.ours("", "warm", "--headers", "installed")
        ways["installed cold"] = bench.ours("", "cold", *cold, "--headers", "installed")
    bcc = bench.bcc("--check")
    start = {k: [] for k in [*ways, "check", "bcc check", "bcc compile"]}
    data["start"] = start
    for number in range(9):
        if time.monotonic() > until:
            break
        for key, tool in ways.items():
            if key == "installed cold" and number > 2 or time.monotonic() > until:
                continue
            running = attempt(bench, tool, lambda t=tool: Running(t, bench.work))
            if running:
                running.stop()
                if number or "warm" not in key:  # the first one fills the cache
                    start[key].append(running.ready_seconds)
        if number > 4 or bench.foreign_headers is None or time.monotonic() > until:
            continue
        took, p = seconds_of([bench.lnk, *cold, "--check", "--headers", "installed"])
        if p.returncode:
            bench.wrong.append(f"--check --headers installed: {p.stderr[-200:]}")
        else:
            start["check"].append(took)
        if bcc:
            took, p = seconds_of(bcc.argv)
            if p.returncode == 0:
                start["bcc check"].append(took)
                start["bcc compile"].append(float(p.stdout))


def section_render(bench, data, _until):
    render = os.path.join(os.path.dirname(bench.loadgen), "render")
    if not os.path.exists(render):
        bench.missing["render"] = "not built"
        return
    data["render"] = [float(host.run(render).split()[0]) for _ in range(7)]


def section_latency(bench, data, until):
    tools = [bench.ours("all", "every row", "-R", "0")]
    bcc = bench.bcc("--line")
    tools += [t for t in [bcc] + data.get("others", []) if t and (t is bcc or t.key in
                                                                 ("bpftrace", "tcpdump"))]
    data["latency"] = {}
    for tool in tools:
        if time.monotonic() < until:
            got = attempt(bench, tool, lambda t=tool: bench.latency(t))
            if got:
                data["latency"][tool.name] = (tool, got)


def section_idle(bench, data, until):
    """All at once, for nobody does anything: memory after start, CPU of a minute."""
    tools = [bench.ours("default", "linux_net_kernel")]
    tools += [t for t in data.get("others", []) if t.key != "trace-cmd"]
    running = []
    try:
        for i, tool in enumerate(tools):
            where = os.path.join(bench.work, f"idle{i}")
            os.makedirs(where, exist_ok=True)
            r = attempt(bench, tool, lambda t=tool, w=where: Running(t, w))
            if r:
                running.append(r)
        time.sleep(1)
        memory = [host.memory_kb(r.pid) for r in running]
        seconds = max(1.0, min(60.0, until - time.monotonic()))
        before = [host.cpu_ns(r.pid) for r in running]
        time.sleep(seconds)
        cpu = [(host.cpu_ns(r.pid) - b) / 1e9 for r, b in zip(running, before)]
        data["idle"] = [(r.tool, m, c, seconds) for r, m, c in zip(running, memory, cpu)]
    finally:
        for r in running:
            r.stop()


def section_reload(bench, data, until):
    data["reload"] = reload.measure(bench, (time.monotonic() + until) / 2)
    data["commands"] = reload.measure_commands(bench, until)


SECTIONS = {"others": section_others, "start": section_start, "render": section_render,
            "rtt2": section_rtt2, "hits": section_hits, "filters": section_filters, "latency": section_latency,
            "idle": section_idle, "rtt1": section_rtt(1), "rtt8": section_rtt(8),
            "bulk": section_bulk, "storm": section_storm, "flows": section_flows,
            "modes": section_modes, "reload": section_reload}


def all_sections(bench, data, clock, only):
    for name, section in SECTIONS.items():
        if only and name not in only:
            continue
        if clock.left() < RESERVE:
            data["cut"].append(name)
            continue
        say(f"{name} ({time.monotonic() - clock.start:.0f} s gone)")
        try:
            section(bench, data, min(clock.until(SLICES[name]),
                                     clock.end - RESERVE))
        except (Failed, OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
            detail = getattr(error, "stderr", None) or error
            bench.wrong.append(f"section {name}: {detail}")
            say(bench.wrong[-1])


def section_vm(args, data, clock):
    vm = os.path.join(TOP, "scripts", "vm.sh")
    limit = int(clock.left() - RESERVE)
    say(f"vm ({time.monotonic() - clock.start:.0f} s gone)")
    argv = [vm, "6.1", "--net", "virtio", "--mem", "1536", "--timeout", str(limit), "--",
            "/usr/bin/env", "python3", os.path.join(TOP, "tests/bench/vm.py"),
            "--seconds", str(limit - 12), "--lnk", args.lnk, "--loadgen", args.loadgen]
    data["vm"] = None
    try:
        p = subprocess.run(argv, capture_output=True, text=True, timeout=limit + 10,
                           check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        data["vm_wrong"] = str(error)
        return
    words = [w for w in p.stderr.splitlines() if w.startswith("vm.sh:")]
    for line in p.stderr.splitlines():
        if line.startswith("bench: "):
            say(line[7:])
    if p.returncode:
        data["vm_wrong"] = "; ".join(words) or f"status {p.returncode}: {p.stderr[-300:]}"
        say(data["vm_wrong"])
    for line in p.stdout.splitlines():
        try:
            data["vm"] = json.loads(line)
        except ValueError:
            pass  # cut off by the end


# --- outside and inside --------------------------------------------------------------


def inside(args):
    clock = Clock(args.seconds)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    foreign = host.prepare(args.inside)
    data = {"cut": [], "idle_before": host.idle_share(2), "machine": host.machine(),
            "date": time.strftime("%Y-%m-%d")}
    bench = Bench(args.inside, args.lnk, args.loadgen, foreign)
    data["versions"] = host.versions(args.lnk, bench.bcc_python)
    data["hooks"] = hooks(bench)
    signal.signal(signal.SIGALRM, time_up)
    signal.alarm(max(1, int(clock.left()) - 12))
    try:
        if args.vm:
            section_vm(args, data, clock)
        else:
            all_sections(bench, data, clock, args.only)
    except TimeUp:
        bench.wrong.append("the time was up in the middle of a section")
    signal.alarm(0)
    data["seconds"] = time.monotonic() - clock.start
    tools = variants(bench) + [bench.stages(1), bench.stages(3)] + floors(bench)
    tools += data.get("others", [])
    text = report.document_vm(data) if args.vm else report.document(bench, data, tools)
    with open(args.out + ".tmp", "w", encoding="utf-8") as f:
        f.write(text)
    os.rename(args.out + ".tmp", args.out)
    say(f"{args.out}: written after {data['seconds']:.0f} s")
    for line in bench.wrong:
        say(f"wrong: {line}")


def outside(args, argv):
    """In namespaces of its own, with a time limit that nothing inside can break."""
    if os.geteuid():
        sys.exit("bench: needs root")
    for path, what in ((args.lnk, "make"), (args.loadgen, "make bench")):
        if not os.path.exists(path):
            sys.exit(f"bench: {path} is missing: {what}")
    work = host.work_directory()
    child = None
    try:
        child = subprocess.Popen([*host.UNSHARE, sys.executable, os.path.abspath(__file__),
                                  *argv, "--inside", work])
        for sig in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(sig, lambda *_: sys.exit(143))
        return child.wait(args.seconds - 2)
    except subprocess.TimeoutExpired:
        say(f"ended after {args.seconds} s; nothing was written")
        return 1
    finally:
        if child and child.poll() is None:
            child.kill()  # and with it everything in its process namespace
            child.wait()
        os.rmdir(work)


def main():
    p = argparse.ArgumentParser(description="Measures, and writes docs/benchmarks.md.")
    p.add_argument("--vm", action="store_true", help="kprobe and fentry, in a virtual machine")
    p.add_argument("--seconds", type=int, default=600)
    p.add_argument("--out")
    p.add_argument("--only", type=lambda s: s.split(","), help=",".join(SECTIONS))
    p.add_argument("--lnk", default=os.path.join(TOP, "linux_net_kernel"))
    p.add_argument("--build", default=os.path.join(TOP, "build", "opt"))
    p.add_argument("--inside", help=argparse.SUPPRESS)
    args = p.parse_args()
    args.lnk = os.path.abspath(args.lnk)
    name = "benchmarks-vm.md" if args.vm else "benchmarks.md"
    args.out = os.path.abspath(args.out or os.path.join(TOP, "docs", name))
    args.loadgen = os.path.abspath(os.path.join(args.build, "tests/bench/loadgen"))
    if args.inside:
        inside(args)
        return 0
    return outside(args, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
