#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Is the table true?

Sends known TCP traffic over several paths while linux_net_kernel and tcpdump watch, and
compares row by row. Prints "ok - ..." and "not ok - ..." lines.

    truth.py --paths lo,veth,nic [--kinds fentry,kprobe,tracepoint] [-- ARG...]

lo is the loopback, veth a pair between two network namespaces, nic the two cards eth0 and
eth1 that are joined by a cable (scripts/vm.sh --net), each in a namespace of its own.
"""
import argparse
import collections
import ctypes
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
failures = 0


def result(good, name, detail=""):
    global failures
    failures += not good
    print(("ok - " if good else "not ok - ") + name, flush=True)
    if not good and detail:
        print("\n".join("#   " + l for l in detail.splitlines()[:40]), flush=True)


def run(*words):
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def enter(netns):
    """Moves this thread into a named network namespace ("" is the first one)."""
    path = f"/run/netns/{netns}" if netns else f"/proc/{os.getpid()}/ns/net"
    fd = os.open(path, os.O_RDONLY)
    if libc.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
    os.close(fd)


# --- paths ---------------------------------------------------------------------------

Path = collections.namedtuple("Path", "name client server client_if server_if addresses")


def make_lo():
    run("ip", "link", "set", "lo", "up")
    return Path("lo", "", "", "lo", "lo",
                [("127.0.0.1", "127.0.0.1"), ("::1", "::1")])


def make_pair(name, first, second, net):
    """Two interfaces into two namespaces, with addresses of both families."""
    spaces = []
    for n, dev in ((1, first), (2, second)):
        space = f"lnk-{name}-{os.getpid()}-{n}"
        run("ip", "netns", "add", space)
        spaces.append(space)
        run("ip", "link", "set", dev, "netns", space)
        run("ip", "-n", space, "addr", "add", f"10.77.{net}.{n}/24", "dev", dev)
        run("ip", "-n", space, "addr", "add", f"fd77:{net}::{n}/64", "dev", dev, "nodad")
        run("ip", "-n", space, "link", "set", "lo", "up")
        run("ip", "-n", space, "link", "set", dev, "up")
    return Path(name, spaces[0], spaces[1], first, second,
                [(f"10.77.{net}.1", f"10.77.{net}.2"), (f"fd77:{net}::1", f"fd77:{net}::2")])


def make_veth():
    a, b = f"lnka{os.getpid() % 100000}", f"lnkb{os.getpid() % 100000}"
    run("ip", "link", "add", a, "type", "veth", "peer", "name", b)
    return make_pair("veth", a, b, 1)


def make_nic():
    return make_pair("nic", "eth0", "eth1", 2)


def remove(path):
    """Removes the namespaces; a veth pair goes with them."""
    for space in {path.client, path.server} - {""}:
        subprocess.run(["ip", "netns", "del", space], check=False)


# --- traffic -------------------------------------------------------------------------


def serve(listener):
    conn, _ = listener.accept()
    with conn:
        while data := conn.recv(4096):
            conn.sendall(data)


def converse(path, client_addr, server_addr, port, rounds):
    """One connection, `rounds` requests and replies of one byte; the client closes."""
    family = socket.AF_INET6 if ":" in server_addr else socket.AF_INET
    enter(path.server)
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((server_addr, port))
    listener.listen()
    thread = threading.Thread(target=serve, args=(listener,))
    thread.start()
    enter(path.client)
    for attempt in range(50):
        client = socket.socket(family)
        client.settimeout(30)
        try:
            client.bind((client_addr, 0))
            client.connect((server_addr, port))
            break
        except OSError:  # the carrier of a card may take a moment
            client.close()
            time.sleep(0.2)
    me = client.getsockname()[1]
    for _ in range(rounds):
        client.sendall(b"x")
        client.recv(1)
    client.close()
    thread.join(30)
    listener.close()
    return me


# --- witnesses -----------------------------------------------------------------------

Packet = collections.namedtuple("Packet", "src dst sport dport seq ack flags length")


def start_tcpdump(netns, dev, file):
    words = ["tcpdump", "-i", dev, "-Q", "in", "-nn", "-U", "-s", "256", "-w", file, "tcp or ip6"]
    if netns:
        words = ["ip", "netns", "exec", netns] + words
    proc = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    for line in proc.stderr:
        if "listening on" in line:
            break
    return proc


def stop_tcpdump(proc):
    proc.send_signal(signal.SIGINT)
    _, err = proc.communicate(timeout=30)
    lost = re.search(r"(\d+) packets dropped by kernel", err)
    if lost and int(lost.group(1)):
        raise RuntimeError("the witness itself lost packets: " + err)


def read_pcap(file):
    with open(file, "rb") as f:
        data = f.read()
    magic, = struct.unpack_from("<I", data)
    if magic not in (0xA1B2C3D4, 0xA1B23C4D):
        raise RuntimeError("not a pcap file")
    at = 24
    while at + 16 <= len(data):
        caplen, = struct.unpack_from("<I", data, at + 8)
        frame = data[at + 16:at + 16 + caplen]
        at += 16 + caplen
        packet = parse_ethernet(frame)
        if packet:
            yield packet


def parse_ethernet(frame):
    proto, = struct.unpack_from(">H", frame, 12)
    ip = frame[14:]
    if proto == 0x0800 and ip[9] == 6:
        head = (ip[0] & 15) * 4
        total, = struct.unpack_from(">H", ip, 2)
        src, dst = (socket.inet_ntop(socket.AF_INET, ip[i:i + 4]) for i in (12, 16))
    elif proto == 0x86DD and ip[6] == 6:
        head = 40
        total = 40 + struct.unpack_from(">H", ip, 4)[0]
        src, dst = (socket.inet_ntop(socket.AF_INET6, ip[i:i + 16]) for i in (8, 24))
    else:
        return None
    sport, dport, seq, ack, off, flags = struct.unpack_from(">HHIIBB", ip, head)
    return Packet(src, dst, sport, dport, seq, ack, flags, total - head - (off >> 4) * 4)


Row = collections.namedtuple("Row", "function src dst sport dport seq ack time")


def read_rows(text):
    rows = []
    for line in text.splitlines():
        if not line.startswith("["):
            continue
        cells = [c.strip() for c in line.split("|")]
        rows.append(Row(cells[0].strip("[]"), cells[1], cells[2], *map(int, cells[3:7]), cells[7]))
    return rows


# --- the comparison ------------------------------------------------------------------


def key(x):
    return (x.src, x.dst, x.sport, x.dport, x.seq, x.ack)


def same(name, rows, packets):
    """The multisets of tuple, SEQ and ACK SEQ are equal."""
    want = collections.Counter(map(key, packets))
    have = collections.Counter(map(key, rows))
    missing, extra = want - have, have - want
    detail = "".join(f"missing {n} x {k}\n" for k, n in missing.items())
    detail += "".join(f"extra {n} x {k}\n" for k, n in extra.items())
    result(bool(want) and not missing and not extra,
           f"{name}: {sum(want.values())} expected, {sum(have.values())} seen", detail)


FIN, SYN, RST = 1, 2, 4


def compare(where, rows, packets, server, port, kinds):
    def of(*functions):
        return [r for r in rows if r.function in functions]

    data = [p for p in packets if p.length or p.flags & FIN]
    to_server = [p for p in packets if p.dport == port]
    # the third segment of the handshake: the first to the server that is not a SYN
    third = next(p for p in to_server if not p.flags & SYN)
    not_third = list(packets)
    not_third.remove(third)

    same(f"{where}: netif_receive_skb and tcpdump", of("netif_receive_skb"), packets)
    if kinds == ["tracepoint"]:
        rows_of_probe = of("tcp_rcv_established")
        known = set(map(key, packets))
        result(len(rows_of_probe) >= len([p for p in packets if p.length]) and
               all(key(r) in known for r in rows_of_probe),
               f"{where}: tcp_rcv_established shows packets that tcpdump saw")
    else:
        same(f"{where}: ip_local_deliver/ip6_input", of("ip_local_deliver", "ip6_input"), packets)
        same(f"{where}: tcp_v4_do_rcv/tcp_v6_do_rcv", of("tcp_v4_do_rcv", "tcp_v6_do_rcv"), not_third)
        same(f"{where}: tcp_queue_rcv", of("tcp_queue_rcv"), data)
    compare_sock(where, of("sock_def_readable", "sk_data_ready"), packets, server, port)


def compare_sock(where, rows, packets, server, port):
    """One row for the listener, one for each data segment, one for the server's FIN. SEQ
    is what the receiver expects next, ACK SEQ the packet's own."""
    listener = [r for r in rows if r.src == "-"]
    result([(r.dst, r.sport, r.dport, r.seq, r.ack) for r in listener] ==
           [(server, 0, port, 0, 0)],
           f"{where}: the listener is woken once, its peer unknown", repr(listener))
    woken = [p for p in packets if p.length or (p.flags & FIN and p.dport == port)]
    same(f"{where}: sock_def_readable", [r for r in rows if r.src != "-"],
         [p._replace(seq=(p.seq + p.length + (p.flags & FIN)) % 2**32) for p in woken])


# --- main ----------------------------------------------------------------------------


def start_tool(lnk, words, out, err):
    tool = subprocess.Popen([lnk, "-R", "0"] + words, stdout=out, stderr=err)
    for _ in range(2400):
        time.sleep(0.1)
        with open(err.name, encoding="utf-8") as f:
            if "Started TCP monitoring" in f.read():
                return tool
        if tool.poll() is not None:
            return None
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lnk", default="./linux_net_kernel")
    parser.add_argument("--paths", default="lo,veth")
    parser.add_argument("--kinds", default="fentry,kprobe,tracepoint")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--name", default="")
    parser.add_argument("words", nargs="*")
    args = parser.parse_args()
    kinds = args.kinds.split(",")
    makers = {"lo": make_lo, "veth": make_veth, "nic": make_nic}
    prefix = args.name + ": " if args.name else ""

    # Threads of one process share its namespace at the start only.
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    paths, dumps, talks = [], [], []
    with tempfile.TemporaryDirectory() as tmp:
        out = open(tmp + "/rows", "w+", encoding="utf-8")
        err = open(tmp + "/err", "w+", encoding="utf-8")
        try:
            for name in args.paths.split(","):
                paths.append(makers[name]())
            tool = start_tool(args.lnk, args.words, out, err)
            if not tool:
                result(False, prefix + "the program starts", open(err.name).read())
                return 1
            for i, path in enumerate(paths):
                ends = {(path.client, path.client_if), (path.server, path.server_if)}
                for j, (netns, dev) in enumerate(sorted(ends)):
                    dumps.append((path, start_tcpdump(netns, dev, f"{tmp}/{i}-{j}.pcap"),
                                  f"{tmp}/{i}-{j}.pcap"))
            # the thread's namespace changes; the process's other threads stay
            for i, path in enumerate(paths):
                for j, (client, server) in enumerate(path.addresses):
                    port = 9500 + 10 * i + j
                    me = converse(path, client, server, port, args.rounds)
                    libc.setns(home, CLONE_NEWNET)
                    talks.append((path, server, port, me))
            time.sleep(1)
            for _, proc, _ in dumps:
                stop_tcpdump(proc)
            tool.send_signal(signal.SIGINT)
            status = tool.wait(60)
        finally:
            libc.setns(home, CLONE_NEWNET)
            for path in paths:
                remove(path)
        errors = open(err.name, encoding="utf-8").read()
        rows = read_rows(open(out.name, encoding="utf-8").read())
        sys.stderr.write(errors)
        for path, server, port, me in talks:
            packets = [p for owner, _, file in dumps if owner is path for p in read_pcap(file)
                       if {p.sport, p.dport} == {port, me}]
            mine = [r for r in rows if {r.sport, r.dport} == {port, me} or
                    (r.src == "-" and r.dport == port)]
            compare(f"{prefix}{path.name} {'IPv6' if ':' in server else 'IPv4'}", mine, packets,
                    server, port, kinds)
        result(status == 0, prefix + "exit status 0 after SIGINT", str(status))
        result(errors.rstrip().endswith("Monitoring stopped."), prefix + "the last line", errors)
        result("received: exact" in errors, prefix + "the books balance", errors)
        times = [r.time for r in rows]
        result(bool(times) and times == sorted(times), prefix + "rows are in the order of time")
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
