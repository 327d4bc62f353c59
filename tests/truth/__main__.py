# SPDX-License-Identifier: MIT
"""Is the table true?

Sends known TCP traffic over several paths while linux_net_kernel and other witnesses watch,
and compares row by row. Prints "ok - ..." and "not ok - ..." lines.

    python3 tests/truth [--kind fentry|kprobe|tracepoint] [--paths lo,veth,nic,vlan,...]
                        [--cases all|SUBSTRING,...] [--load] [--table] [--name TEXT] [-- ARG...]

ARGs go to the tool. nic is the two cards of scripts/vm.sh --net.
"""
import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time

import compare
import crafted
import load
import paths as ways
import report
import traffic
import witness

# Several of us may run on one host: below the ports that sockets get by themselves.
FIRST_PORT = 20000 + os.getpid() % 50 * 200
LAST_PORT = FIRST_PORT + 199

# name: (function, what the packets must show, does the model of an ordinary connection hold)
CASES = {
    "plain": (traffic.plain, None, True),
    "sequence wrap": (traffic.sequence_wrap, "wrap", True),
    "no early demux": (traffic.no_early_demux, None, True),
    "SYN cookies": (traffic.syn_cookies, None, False),
    "v4-mapped": (traffic.v4_mapped, None, False),
    "IP options": (traffic.options, None, True),
    "connect refused": (traffic.refused, "reset", False),
    "reset": (traffic.reset, "reset", False),
    "zero window": (traffic.zero_window, "zero window", False),
    "nftables accept": (traffic.nft_accept, None, True),
    "nftables drop": (traffic.nft_drop, None, False),
    "loss": (traffic.loss, "back", False),
    "reordered": (traffic.reorder, "back", False),
    "bulk, merging on": (traffic.bulk_gro, "merged", False),
    "bulk, merging off": (traffic.bulk_no_gro, "not merged", False),
    "bulk, BIG TCP": (traffic.bulk_big, "big", False),
    "crafted: out of order": (crafted.out_of_order, "back", False),
    "crafted: sequence wrap": (crafted.wrap, "wrap", False),
    "crafted: many headers": (crafted.options, None, False),
    "crafted: filled frames": (crafted.filled, None, False),
    "crafted: odd headers": (crafted.headers_unhandled, None, False),
    "crafted: fragments": (crafted.fragmented, None, False),
    "crafted: bad checksum": (crafted.bad_checksum, None, False),
    "crafted: VLAN tags": (crafted.tagged, None, False),
    "joined in a backlog": (crafted.joined, None, False),
}
WITH_PATH = {
    "lo": ["plain", "sequence wrap", "v4-mapped", "connect refused", "reset", "IP options",
           "bulk, BIG TCP"],
    "veth": list(CASES),
    "nic": ["plain", "IP options", "no early demux", "SYN cookies", "connect refused",
            "zero window", "bulk, merging", "crafted"],
    "vlan": ["plain", "bulk, merging on"],
    "vlan-inband": ["plain", "IP options", "bulk, merging on"],
}


class Talk:
    """One case that was carried out."""

    def __init__(self, path, family, port, name):
        self.path, self.family, self.port, self.name = path, family, port, name
        self.label = f"{path.name} {'IPv6' if family else 'IPv4'}: {name}"
        self.function, self.needs, self.ordinary = CASES[name]
        self.facts = {}

    def local(self, packet):
        return compare.is_local(packet, [self.path])

    def carry_out(self):
        before = self.backlog_joined()
        self.facts = self.function(self.path, self.family, self.port) or {}
        for space in self.path.spaces:
            wait_closed(space)
        self.joined = self.backlog_joined() - before

    def backlog_joined(self):
        """Segments that waited for a socket in use and were joined with another one there."""
        return sum(ways.tcp_counter("netstat", "TcpExt", "TCPBacklogCoalesce", space)
                   for space in self.path.spaces)


def wait_closed(space):
    """Until no connection is left but those in TIME_WAIT."""
    for _ in range(600):
        states = []
        with ways.Inside(space):
            for name in ("tcp", "tcp6"):
                with open(f"/proc/thread-self/net/{name}", encoding="ascii") as f:
                    states += [l.split()[3] for l in f.readlines()[1:]]
        if set(states) <= {"06", "0A"}:
            return
        time.sleep(0.05)


def runs(path, name, family, cases):
    allowed = any(name.startswith(n) for n in WITH_PATH[path.name])
    if name == "v4-mapped" and family:
        return False
    return allowed and (cases == ["all"] or any(c in name for c in cases))


class Tool:
    def __init__(self, lnk, words, tmp, before=(), name=""):
        self.out = open(f"{tmp}/rows{name}", "w+", encoding="utf-8")
        self.err = open(f"{tmp}/err{name}", "w+", encoding="utf-8")
        self.proc = subprocess.Popen([*before, lnk, "-R", "0", "--buffer-pages", "1024", "-o", "+len"] + words,
                                     stdout=self.out, stderr=self.err)
        self.started = False
        for _ in range(3000):
            if "Started TCP monitoring" in self.said():
                self.started = True
                break
            if self.proc.poll() is not None:
                break
            time.sleep(0.1)

    def said(self):
        with open(self.err.name, encoding="utf-8") as f:
            return f.read()

    def stop(self):
        if self.proc.poll() is None:
            self.proc.send_signal(signal.SIGINT)
        try:
            return self.proc.wait(120)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            return self.proc.wait()

    def rows(self):
        with open(self.out.name, encoding="utf-8") as f:
            return compare.read_rows(f, FIRST_PORT, LAST_PORT)


def capture(path, tmp):
    return [witness.Capture(space, dev, f"{tmp}/{path.name}-{i}.pcap")
            for i, (space, dev) in enumerate(path.taps)]


def kind_served(said):
    """Of the stages behind netif_receive_skb."""
    lines = [l for l in said.splitlines() if l.startswith("Stage tcp_v4_do_rcv: ")]
    for kind in ("fentry", "kprobe"):
        if any(f": {kind} " in l for l in lines):
            return kind
    return "tracepoint" if any(": raw tracepoint " in l for l in lines) else "none"


def close_books(tool, status):
    books = compare.Books(tool.said())
    report.result(status == 0, "exit status 0 after SIGINT", str(status))
    report.result(books.text.rstrip().endswith("Monitoring stopped."), "the last line", books.text)
    report.result(books.exact, "the books balance", books.text)
    return books


def check_books(books, rows, packets, paths):
    stages = books.stages
    fragments, unreadable = compare.without_row(packets, paths, stages)
    unreadable += report.out_of_reach
    report.result((books.fragments, books.unreadable) == (fragments, unreadable),
                  f"{fragments} fragments without a TCP header and {unreadable} headers out of "
                  "reach are counted", f"the tool: {books.fragments}, {books.unreadable}")
    for stage in (s for s in stages if s != "total"):
        missed = books.get(stage, "MISSED")
        lost = books.get(stage, "LOST")
        told = "this kernel does not tell what it missed" if missed is None else f"{missed} missed"
        text, n = f"{stage}: {told}, {lost} lost", report.missing_of[stage, "ftrace"]
        # sock_def_readable serves every kind of socket; ftrace's calls are those of TCP
        least = 0 if stage == "sock_def_readable" else (missed or 0) - report.blind[stage]
        if missed and not lost and (stage, "ftrace") in report.missing_of:
            report.result(least <= n <= missed, f"{text}, {n} of ftrace's calls have no row", books.text)
        elif missed or lost:
            print(f"# {text}, of {books.get(stage, 'SEEN')}")
        else:
            report.result(True, text)
    times = [r.time for r in rows]
    report.result(bool(times) and times == sorted(times), "rows are in the order of time")


def check_segments(path, talks, packets, before, after):
    whole, parts = compare.segments(packets, [path])
    sent = sum(t.facts.get("not_to_tcp", 0) for t in talks if t.path is path)
    # three fragments make a segment; IPv6 drops one whose first fragment cuts the header
    # (RFC 8200, Linux 5.11)
    complete = sum(n == 3 for n in parts.values())
    cut = sum(p.kind == "unreadable" and ":" in p.src and p.datagram is not None
              for p in packets if compare.is_local(p, [path]))
    want = range(whole + complete - sent - cut, whole + complete - sent + 1)
    report.result(after - before in want,
                  f"{path.name}: TcpInSegs grew by what tcpdump saw for this host ({after - before})",
                  f"expected {want.start} to {want.stop - 1}")


def watch(args, names, tmp):
    """The tool and the witnesses while all cases run."""
    talks, paths, captures, ftrace, tool = [], [], [], None, None
    try:
        paths += [ways.MAKERS[name]() for name in names]
        ftrace = witness.Ftrace(tmp)
        tool = Tool(args.lnk, args.words, tmp)
        report.result(tool.started and kind_served(tool.said()) == args.kind,
                      f"the program starts, and uses {args.kind}", tool.said())
        if not tool.started:
            return
        for path in paths:
            captures += capture(path, tmp)
        for c in captures:
            c.wait_ready()
        ftrace.enable(True)
        if ftrace.why:
            print(f"# no ftrace witness: {ftrace.why}")
            ftrace.watch_tracepoint(FIRST_PORT, LAST_PORT)
        before = {p: sum(map(witness.in_segs, p.spaces)) for p in paths}
        begin, port = time.monotonic(), FIRST_PORT
        for path in paths:
            for name in CASES:
                for family in (0, 1):
                    if not runs(path, name, family, args.cases):
                        continue
                    talk = Talk(path, family, port, name)
                    port += 1
                    try:
                        talk.carry_out()
                        if args.verbose:
                            print(f"# {time.monotonic() - begin:.1f} s: {talk.label}", flush=True)
                        talks.append(talk)
                    except (OSError, subprocess.CalledProcessError) as error:
                        report.skipped(talk.label, error)
        witness.quiet([c.file for c in captures], 1)
        for c in captures:
            c.stop()
        after = {p: sum(map(witness.in_segs, p.spaces)) for p in paths}
        ftrace.enable(False)
        books = close_books(tool, tool.stop())
        rows, calls = tool.rows(), ftrace.calls()
        packets = [p for c in captures for p in c.packets()]
        # Rows that the tool itself counts as lost may be missing: where others load the
        # host as well, its rings may overflow.
        report.allowed = {stage: (books.get(stage, "LOST") or 0) + (books.get(stage, "MISSED") or 0)
                          for stage in books.stages}
        report.hidden = ftrace.on_first_process() if ftrace.why else 0
        profile = ftrace.profile()
        report.blind = {stage: sum(profile.get(f, (0, 0))[1] for f in functions)
                        for stage, functions in compare.FUNCTIONS.items()}
        session = compare.Session(args.kind, rows, calls, ftrace.probes() if ftrace.why else None)
        for talk in talks:
            mine = [p for p in packets if p.tap in talk.path.taps]
            of_port = [p for p in mine if talk.port in (p.sport, p.dport)]
            session.compare(talk, mine)
            report.result(bool(of_port) and (not talk.needs or compare.has(of_port, talk.needs)),
                          f"{talk.label}: the traffic is what it should be",
                          f"{len(of_port)} packets {talk.facts or ''}")
        for path in paths:
            check_segments(path, talks, [p for p in packets if p.tap in path.taps], before[path], after[path])
        check_books(books, rows, packets, paths)
    finally:
        if tool:
            tool.stop()
        if ftrace:
            ftrace.close()
        for path in paths:
            ways.remove(path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lnk", default="./linux_net_kernel")
    parser.add_argument("--paths", default="lo,veth")
    parser.add_argument("--kind", default="fentry", choices=["fentry", "kprobe", "tracepoint"])
    parser.add_argument("--cases", default="all")
    parser.add_argument("--load", action="store_true")
    parser.add_argument("--load-bytes", type=int, default=300000)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--name", default="")
    parser.add_argument("-v", "--verbose", action="store_true", help="when each case was done")
    parser.add_argument("words", nargs="*")
    args = parser.parse_args()
    args.cases = args.cases.split(",")
    report.host, report.table = args.name, args.table
    ways.own_mounts()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory() as tmp:
        watch(args, args.paths.split(","), tmp)
        if args.load:
            with tempfile.TemporaryDirectory() as second:
                load.run(args, LAST_PORT, Tool, capture, close_books, second)
    return report.failures != 0


if __name__ == "__main__":
    sys.exit(main())
