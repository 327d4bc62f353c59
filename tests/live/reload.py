#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What exchanges of programs are tested with beside a shell.

    reload.py load PORT SECONDS OUT     in a network namespace of its own: traffic, and what a
        [PAUSE]                         packet socket and the kernel saw of it; with so many seconds
                                        between two messages, and until OUT.enough is there
    reload.py same OUT TABLE LOST       whether the table's first stage has just those segments,
                                        but for as many as were told to be lost
    reload.py cells TABLE               whether every row of the first stage has what belongs under
                                        its header: a TTL of 64 under TTL, at most 1 under LEN
    reload.py swaps PID ERR FILE A B N  N exchanges between two versions of a probe file
"""
import collections
import ctypes
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time


def in_segs():
    lines = [line.split() for line in open("/proc/self/net/snmp") if line.startswith("Tcp:")]
    return int(lines[1][lines[0].index("InSegs")])


def witness(port, stop, seen):
    """Every TCP segment that comes in on lo, by a packet socket."""
    s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    s.setsockopt(socket.SOL_SOCKET, 33, 512 << 20)  # SO_RCVBUFFORCE
    s.bind(("lo", 0x0800))
    s.settimeout(0.2)
    while True:
        try:
            data, addr = s.recvfrom(128)
        except TimeoutError:
            if stop.is_set():
                break
            continue
        if addr[2] == 4 or data[9] != 6:  # PACKET_OUTGOING; not TCP
            continue
        tcp = (data[0] & 15) * 4
        sport, dport, seq, ack = struct.unpack_from("!HHII", data, tcp)
        if port in (sport, dport):
            seen[(sport, dport, seq, ack)] += 1
    packets, drops = struct.unpack("II", s.getsockopt(263, 6, 8))  # PACKET_STATISTICS
    seen["drops"] = drops


def talk(port, going, pause):
    def serve(conn):
        with conn:
            while data := conn.recv(4096):
                conn.sendall(data)

    listener = socket.create_server(("127.0.0.1", port))
    clients = []

    def client():
        with socket.create_connection(("127.0.0.1", port)) as c:
            c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while going():
                c.sendall(b"x")
                c.recv(1)
                if pause:
                    time.sleep(pause)

    for _ in range(2):
        t = threading.Thread(target=client)
        t.start()
        conn, _ = listener.accept()
        threading.Thread(target=serve, args=(conn,)).start()
        clients.append(t)
    for t in clients:
        t.join()


def load(port, seconds, out, pause):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x40000000):  # CLONE_NEWNET
        sys.exit("no network namespace")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    seen, stop = collections.Counter(), threading.Event()
    w = threading.Thread(target=witness, args=(port, stop, seen))
    w.start()
    time.sleep(0.2)
    before = in_segs()
    until = time.monotonic() + seconds
    talk(port, lambda: time.monotonic() < until and not os.path.exists(out + ".enough"), pause)
    time.sleep(0.3)
    segs = in_segs() - before
    stop.set()
    w.join()
    drops = seen.pop("drops")
    with open(out, "w") as f:
        print(segs, drops, file=f)
        for key, n in seen.items():
            print(*key, n, file=f)


def same(out, table, lost):
    with open(out) as f:
        segs, drops = map(int, f.readline().split())
        seen = collections.Counter()
        for line in f:
            *key, n = map(int, line.split())
            seen[tuple(key)] = n
    rows = collections.Counter()
    for line in open(table):
        if line.startswith("[netif_receive_skb]"):
            cells = [c.strip() for c in line.split("|")]
            rows[tuple(int(c) for c in cells[3:7])] += 1
    more, less = rows - seen, seen - rows
    print(f"TcpInSegs {segs}, packet socket {sum(seen.values())} and {drops} dropped, "
          f"rows {sum(rows.values())} and {lost} lost: {sum(more.values())} more, "
          f"{sum(less.values())} less")
    if sum(rows.values()) + lost != segs or \
            not drops and (more or sum(less.values()) != lost):
        sys.exit(1)


def cells(table):
    """Records with other numbers are shown one after the other: none may be taken for another."""
    heads, rows, headers, with_ttl, bad = [], 0, 0, 0, 0
    for line in open(table):
        at = [c.strip() for c in line.split("|")]
        if at[0] == "KERNEL FUNCTION":
            heads = at
            headers += 1
        if at[0] != "[netif_receive_skb]":
            continue
        rows += 1
        row = dict(zip(heads, at))
        ttl, length = row.get("TTL", "-"), row.get("LEN", "-")
        with_ttl += ttl == "64"
        bad += len(at) != len(heads) or ttl not in ("64", "-") or length not in ("0", "1", "-")
    print(f"{rows} rows under {headers} headers, {with_ttl} with a TTL, {bad} wrong")
    if bad or not with_ttl or headers < 3:
        sys.exit(1)


def wait_for(err, pattern, n, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with open(err) as f:
            if len(re.findall(pattern, f.read(), re.M)) >= n:
                return
        time.sleep(0.005)
    sys.exit(f"no {pattern} number {n} within {seconds} s")


def put(text, path):
    with open(path + "~", "w") as f:
        f.write(text)
    os.rename(path + "~", path)


def swaps(pid, err, path, a, b, n):
    with open(err) as f:
        done = len(re.findall("^Reloaded:", f.read(), re.M))
    texts = [open(a).read(), open(b).read()]
    begun = time.monotonic()
    for i in range(n):
        put(texts[i % 2], path)
        wait_for(err, "^Reloaded:", done + i + 1, 60)
        if time.monotonic() - begun > 55 and n < 1000:
            n = i + 1
            break
    print(f"{n} exchanges in {time.monotonic() - begun:.1f} s")


def main():
    args = sys.argv[2:]
    if sys.argv[1] == "load":
        load(int(args[0]), float(args[1]), args[2], float(args[3]) if args[3:] else 0)
    elif sys.argv[1] == "cells":
        cells(args[0])
    elif sys.argv[1] == "same":
        same(args[0], args[1], int(args[2]))
    else:
        swaps(int(args[0]), args[1], args[2], args[3], args[4], int(args[5]))


main()
