# SPDX-License-Identifier: MIT
"""What the tool showed against what the witnesses saw."""
import collections
import re

import report
from witness import FIN, RST, SYN

Row = collections.namedtuple("Row", "function src dst sport dport seq ack time length")

# stage: functions whose rows it has
NETIF = ("netif_receive_skb", "__netif_receive_skb_core")
IP = ("ip_local_deliver", "ip6_input")
TCP = ("tcp_v4_do_rcv", "tcp_v6_do_rcv")
ESTABLISHED = ("tcp_rcv_established",)
QUEUE = ("tcp_queue_rcv",)
SOCK = ("sock_def_readable", "sk_data_ready")
FUNCTIONS = {"netif_receive_skb": NETIF, "ip_rcv_finish": IP, "tcp_v4_do_rcv": TCP + ESTABLISHED,
             "tcp_queue_rcv": QUEUE, "sock_def_readable": SOCK}


def read_rows(lines, first, last):
    """Those with a port of ours: others may use this host too."""
    likely = re.compile(r"\| 2[0-9]{4} ").search
    rows = []
    for line in lines:
        if line[0] == "[" and likely(line):
            c = [c.strip() for c in line.split("|")]
            row = Row(c[0].strip("[]"), c[1], c[2], *map(int, c[3:7]), c[7],
                      None if c[8] == "-" else int(c[8]))
            if first <= row.sport <= last or first <= row.dport <= last:
                rows.append(row)
    return rows


class Books:
    """What the tool said at its end."""

    def __init__(self, text):
        self.text = text
        self.exact = "seen = filtered + limited + lost + received: exact" in text
        heads = re.search(r"^STAGE +(.*)$", text, re.M)
        self.stages = {}
        for line in text[heads.end():].splitlines() if heads else []:
            cells = line.split()
            if len(cells) == 1 + len(heads.group(1).split()):
                self.stages[cells[0]] = dict(zip(heads.group(1).split(), cells[1:]))
        silent = re.search(r"Calls without a row: (\d+) not TCP, (\d+) fragments, "
                           r"(\d+) out of reach", text)
        self.other, self.fragments, self.unreadable = map(int, silent.groups()) if silent else (None,) * 3

    def get(self, stage, column):
        """A number, or None where the tool shows "?"."""
        value = self.stages.get(stage, {}).get(column, "0")
        return int(value) if value.isdigit() else None


def full(x):
    return (x.src, x.dst, x.sport, x.dport, x.seq, x.ack)


def sized(x):
    return (*full(x), x.length)


def short(x):
    return (x.sport, x.dport, x.seq, x.ack, x.length)


def without_ack(x):
    return (x.sport, x.dport, x.seq, x.length)


def tuples(x):
    # 16 bits is what tcp_probe has for the length
    return (x.src, x.dst, x.sport, x.dport, x.length % 2**16)


def count(things, key):
    return collections.Counter(map(key, things))


def of(things, functions):
    return [t for t in things if t.function in functions]


class Session:
    """Everything of one run of the tool. `kinds`: fentry, kprobe or tracepoint; `calls` of
    ftrace or None; `probes`: its tcp_probe events or None."""

    def __init__(self, kind, rows, calls, probes):
        self.kind, self.rows, self.calls, self.probes = kind, rows, calls, probes

    def compare(self, talk, packets):
        """One case: `packets` came in on the interfaces of its path."""
        where, port = talk.label, talk.port
        rows = [r for r in self.rows if port in (r.sport, r.dport)]
        calls = [c for c in self.calls or [] if port in (c.sport, c.dport)]
        packets = [p for p in packets if port in (p.sport, p.dport)]
        shown = [p for p in packets if p.kind == "tcp"]
        local = [p for p in packets if talk.local(p)]
        hidden = len(packets) - len(shown)
        if hidden:
            report.row(where, NETIF[0], 0, 0, 0, 0, "tcpdump",
                       f"{hidden} packets have no TCP header in reach: counted, no row")
        # A card may leave headers in a page beside the skb's linear area, where the tool does
        # not always reach, and says so: virtio_net without GRO all of them (since Linux 5.13), before
        # that what is beyond 128 bytes of the frame.
        paged = talk.path.name == "nic" and (talk.name == "bulk, merging off" or
                                             talk.name.startswith("crafted"))
        report.same(where, NETIF[0], count(shown, sized), count(of(rows, NETIF), sized), "tcpdump", paged)
        if self.kind == "tracepoint":
            self.compare_tracepoints(where, rows, calls, shown)
        else:
            at_ip = of(rows, IP)
            report.same(where, "ip_rcv_finish", count([p for p in local if p.kind == "tcp"], full),
                        count(at_ip, full), "tcpdump", paged)
            self.compare_calls(where, rows, calls, None if paged else at_ip)
            if "nft" in talk.facts:
                to_server = [r for r in at_ip if r.dport == port]
                report.same(where, "ip_rcv_finish", collections.Counter({"n": talk.facts["nft"]}),
                            collections.Counter({"n": len(to_server)}), "the rule's counter")
        if talk.ordinary:
            self.compare_model(where, rows, shown, talk)

    def compare_calls(self, where, rows, calls, at_ip):
        if self.calls is None:
            return
        if at_ip is not None:
            report.same(where, "ip_rcv_finish", count(of(calls, IP), sized), count(at_ip, sized), "ftrace")
        for stage, functions, key in (("tcp_v4_do_rcv", TCP, short), ("tcp_queue_rcv", QUEUE, without_ack),
                                      ("sock_def_readable", SOCK, sized)):
            def named(x, key=key):
                return (x.function, *key(x))
            report.same(where, stage, count(of(calls, functions), named),
                        count(of(rows, functions), named), "ftrace")

    def compare_tracepoints(self, where, rows, calls, packets):
        mine = of(rows, ESTABLISHED)
        if self.calls is not None:
            report.same(where, "tcp_v4_do_rcv", count(of(calls, ESTABLISHED), short),
                        count(mine, short), "ftrace")
        elif self.probes is not None:
            ports = {r.sport for r in rows} | {r.dport for r in rows}
            probes = [p for p in self.probes if p[2] in ports and p[3] in ports]
            report.same(where, "tcp_v4_do_rcv", collections.Counter(probes), count(mine, tuples), "tracefs")
        extra = count(mine, full) - count(packets, full)
        report.result(not extra, f"{where}: tcp_rcv_established shows packets that tcpdump saw", repr(extra))

    def compare_model(self, where, rows, packets, talk):
        """A connection without trouble, whose calls follow from its packets."""
        data = [p for p in packets if p.length or p.flags & FIN]
        if max(count(data, full).values(), default=0) > 1:
            return  # retransmitted: not an ordinary one
        # the third segment of the handshake: the first to the server that is not a SYN
        third = next((p for p in packets if p.dport == talk.port and not p.flags & SYN), None)
        not_third = list(packets)
        if third:
            not_third.remove(third)
        if self.kind != "tracepoint":
            for stage, sent, functions in (("tcp_v4_do_rcv", not_third, TCP), ("tcp_queue_rcv", data, QUEUE)):
                want, have = count(sent, full), count(of(rows, functions), full)
                if 0 < (want - have).total() <= talk.joined:
                    print(f"# {where}: {stage}: the kernel joined {talk.joined} of the packets in a backlog")
                    want -= want - have
                report.same(where, stage, want, have, "the packets")
        woken = [p._replace(seq=(p.seq + p.length + (p.flags & FIN)) % 2**32) for p in data]
        want = count(woken, full)
        # once the listener, whose peer is not known
        want[("-", talk.path.addresses[talk.family][1], 0, talk.port, 0, 0)] = 1
        sock = of(rows, SOCK)
        if sock or self.kind != "tracepoint":
            report.same(where, "sock_def_readable", want, count(sock, full), "the packets")


def without_row(packets, paths, stages):
    """How many calls have fragments without a TCP header, and headers out of reach."""
    fragments = unreadable = 0
    for p in packets:
        times = ("netif_receive_skb" in stages) + ("ip_rcv_finish" in stages and is_local(p, paths))
        fragments += times * (p.kind == "fragment")
        unreadable += times * (p.kind == "unreadable")
    return fragments, unreadable


def is_local(packet, paths):
    for path in paths:
        if packet.tap in path.taps:
            return (packet.dst in path.local(packet.tap[0]) and
                    all(v in (0, path.vid) for v in packet.vids))
    return False


def segments(packets, paths):
    """TcpInSegs that these packets make: whole datagrams for this host."""
    whole, parts = 0, collections.Counter()
    for p in packets:
        if is_local(p, paths):
            if p.datagram:
                parts[(p.tap, p.datagram)] += 1
            else:
                whole += 1
    return whole, parts


def has(packets, what):
    """Whether the traffic was what its case is there for."""
    if what == "reset":
        return any(p.flags & RST for p in packets)
    if what == "zero window":
        return any(p.window == 0 and not p.flags & (RST | SYN) for p in packets)
    if what == "wrap":
        return any(p.seq > 2**32 - 1000 for p in packets) and any(0 < p.seq < 1000 for p in packets)
    if what == "merged":
        return any(p.length > 3000 for p in packets)
    if what == "big":
        return any(p.length > 65535 for p in packets)
    if what == "not merged":
        return all(p.length < 3000 for p in packets)
    highest, back = {}, False
    for p in packets:
        if p.length:
            flow = (p.tap, p.sport, p.dport)
            back |= p.seq < highest.get(flow, 0)
            highest[flow] = max(p.seq, highest.get(flow, 0))
    return back
