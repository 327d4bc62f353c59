# SPDX-License-Identifier: MIT
"""Known traffic over real sockets. Every case takes a path, a family (0 is IPv4) and a
port that no other case uses; it returns when both ends are done."""
import contextlib
import errno
import os
import re
import socket
import struct
import subprocess
import threading
import time

from paths import Inside, run, set_link, tcp_counter, tried

FAMILIES = (socket.AF_INET, socket.AF_INET6)
SO_RCVBUFFORCE = 33
TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ, TCP_SEND_QUEUE = 19, 20, 21, 2


def listen(path, family, port, receive_buffer=0, mapped=False):
    with Inside(path.server):
        s = socket.socket(socket.AF_INET6 if mapped else FAMILIES[family])
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_buffer:
            s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, receive_buffer)
        s.settimeout(20)
        address = path.addresses[family][1]
        s.bind(("::ffff:" + address if mapped else address, port))
        s.listen(64)
    return s


def connect(path, family, port, before=None, mapped=False):
    with Inside(path.client):
        mine, server = path.addresses[family]
        for _ in range(50):
            s = socket.socket(socket.AF_INET6 if mapped else FAMILIES[family])
            s.settimeout(20)
            if before:
                before(s)
            try:
                s.bind(("::ffff:" + mine if mapped else mine, 0))
                s.connect(("::ffff:" + server if mapped else server, port))
                return s
            except OSError as error:
                s.close()
                # the carrier of a card may take a moment
                if error.errno not in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL):
                    raise
                time.sleep(0.2)
        raise RuntimeError("no connection")


def accept(listener):
    """A connection, or None when the client gave up."""
    try:
        return listener.accept()[0]
    except OSError:
        return None


def echo(listener):
    conn = accept(listener)
    if not conn:
        return
    with conn:
        conn.settimeout(20)
        while data := conn.recv(65536):
            conn.sendall(data)


def drain(listener, pause=0.0):
    conn = accept(listener)
    if not conn:
        return
    with conn:
        conn.settimeout(20)
        time.sleep(pause)
        while conn.recv(1 << 17):
            pass


@contextlib.contextmanager
def served(listener, function, *args, times=1):
    threads = [threading.Thread(target=function, args=(listener, *args)) for _ in range(times)]
    for t in threads:
        t.start()
    try:
        yield
    except BaseException:
        listener.shutdown(socket.SHUT_RDWR)  # nobody will come: accept() ends
        raise
    finally:
        for t in threads:
            t.join(90)
        listener.close()


def talk(path, family, port, rounds=5, size=1, enough=None, **how):
    """Requests and replies; the client ends it, and reads the server's end. There are fewer
    rounds if enough() says so after one."""
    mapped = how.get("mapped", False)
    with served(listen(path, family, port, mapped=mapped), echo):
        with connect(path, family, port, **how) as s:
            for _ in range(rounds):
                s.sendall(b"x" * size)
                left = size
                while left:
                    left -= len(s.recv(left))
                if enough and enough():
                    break
            s.shutdown(socket.SHUT_WR)
            s.recv(1)


def plain(path, family, port):
    talk(path, family, port)


def no_early_demux(path, family, port):
    path.set("net.ipv4.tcp_early_demux", 0)
    talk(path, family, port)
    path.set("net.ipv4.tcp_early_demux", 1)


def syn_cookies(path, family, port):
    path.set("net.ipv4.tcp_syncookies", 2)
    talk(path, family, port)
    path.set("net.ipv4.tcp_syncookies", 1)


def v4_mapped(path, family, port):
    talk(path, 0, port, mapped=True)


def options(path, family, port):
    """IPv4: room for nine recorded routes. IPv6: hop-by-hop and destination options."""
    def before(s):
        if family:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_HOPOPTS, bytes([0, 0, 1, 4, 0, 0, 0, 0]))
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS,
                         bytes([0, 1, 0x1E, 12]) + bytes(12))
        else:
            s.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, bytes([7, 39, 4]) + bytes(37))
    talk(path, family, port, before=before)


def sequence_wrap(path, family, port):
    """The client's sequence numbers begin just below 2^32."""
    def before(s):
        s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE)
        s.setsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ, -300)
        s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 0)
    talk(path, family, port, size=100, before=before)


def refused(path, family, port):
    """RST: nobody listens."""
    for _ in range(3):
        try:
            connect(path, family, port).close()
        except ConnectionRefusedError:
            pass


def reset(path, family, port):
    """RST: an established connection is aborted with data unread."""
    def hold(listener):
        conn = accept(listener)
        if not conn:
            return
        conn.recv(1)
        conn.sendall(b"y" * 100)
        time.sleep(0.1)
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        conn.close()
    with served(listen(path, family, port), hold):
        with connect(path, family, port) as s:
            s.sendall(b"x" * 10)
            time.sleep(0.3)


def zero_window(path, family, port):
    """The server reads late: its window closes, is probed and opens."""
    with served(listen(path, family, port, receive_buffer=4096), drain, 0.6):
        with connect(path, family, port) as s:
            s.sendall(b"z" * 60000)


def loss(path, family, port):
    """netem loses every seventh packet or so, both ways: retransmissions, SACK. Bursts of
    twenty segments, so that one is lost with others behind it; chance decides, so there are
    rounds until that was so."""
    netem(path, "loss", "15%")
    before = out_of_order(path)
    try:
        talk(path, family, port, rounds=25, size=30000, enough=lambda: out_of_order(path) > before + 1)
        return {"dropped": dropped(path)}
    finally:
        no_netem(path)


def reorder(path, family, port):
    netem(path, "delay", "20ms", "reorder", "50%")
    before = out_of_order(path)
    try:
        talk(path, family, port, rounds=25, size=40000, enough=lambda: out_of_order(path) > before + 1)
    finally:
        no_netem(path)


def out_of_order(path):
    """Segments that came before their turn, both ends together."""
    return sum(tcp_counter("netstat", "TcpExt", "TCPOFOQueue", space) for space in path.spaces)


def netem(path, *words):
    for space, dev in path.taps:
        run("ip", "netns", "exec", space, "ethtool", "-K", dev, "tso", "off", "gso", "off", "gro", "off")
        if not tried("tc", "-n", space, "qdisc", "replace", "dev", dev, "root", "netem", *words):
            raise OSError("this kernel has no netem")


def no_netem(path):
    for space, dev in path.taps:
        tried("tc", "-n", space, "qdisc", "del", "dev", dev, "root")
        tried("ip", "netns", "exec", space, "ethtool", "-K", dev, "tso", "on", "gso", "on", "gro", "on")


def dropped(path):
    """What the queues of the path dropped."""
    total = 0
    for space, dev in path.taps:
        text = subprocess.run(["tc", "-n", space, "-s", "qdisc", "show", "dev", dev],
                              check=True, text=True, stdout=subprocess.PIPE).stdout
        total += sum(map(int, re.findall(r"dropped (\d+)", text)))
    return total


def nft(path, port, verdict):
    subprocess.run(["ip", "netns", "exec", path.server, "nft", "-f", "-"], check=True, text=True,
                   input=f"table inet lnk {{\nchain input {{\ntype filter hook input priority 0;\n"
                         f"tcp dport {port} counter {verdict}\n}}\n}}\n")


def nft_done(path):
    """What the rule counted."""
    text = subprocess.run(["ip", "netns", "exec", path.server, "nft", "list", "table", "inet", "lnk"],
                          check=True, text=True, stdout=subprocess.PIPE).stdout
    run("ip", "netns", "exec", path.server, "nft", "delete", "table", "inet", "lnk")
    return int(text.split("packets ")[1].split()[0])


def nft_accept(path, family, port):
    nft(path, port, "accept")
    talk(path, family, port)
    return {"nft": nft_done(path)}


def nft_drop(path, family, port):
    """A rule in the input hook drops what comes in: IP sees it, TCP does not."""
    nft(path, port, "drop")
    with listen(path, family, port), Inside(path.client):
        s = socket.socket(FAMILIES[family])
        s.settimeout(0.5)
        s.bind((path.addresses[family][0], 0))
        with contextlib.suppress(TimeoutError):
            s.connect((path.addresses[family][1], port))
        s.close()
    count = nft_done(path)
    return {"nft": count, "not_to_tcp": count}


def bulk(path, family, port, streams=1, size=400000, **how):
    with served(listen(path, family, port, **how), drain, times=streams):
        def one():
            with connect(path, family, port) as s:
                s.sendall(bytes(size))
        threads = [threading.Thread(target=one) for _ in range(streams)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(120)


def merging(path, on):
    word = "on" if on else "off"
    for space, dev in path.taps:
        for feature in ("gro", "tso", "gso"):
            tried("ip", "netns", "exec", space, "ethtool", "-K", dev, feature, word)


def bulk_gro(path, family, port):
    merging(path, True)
    bulk(path, family, port)


def bulk_no_gro(path, family, port):
    merging(path, False)
    bulk(path, family, port, size=100000)
    merging(path, True)


def bulk_big(path, family, port):
    """Packets of more than 64 kB: IPv6 since Linux 5.19, IPv4 since 6.3. One is half of the
    window at most."""
    release = tuple(map(int, os.uname().release.split("-")[0].split(".")[:2]))
    if release < ((5, 19) if family else (6, 3)):
        raise OSError("this kernel has no BIG TCP")
    merging(path, True)
    big_tcp(path, family, 185000)
    bulk(path, family, port, size=3000000, receive_buffer=4 << 20)
    big_tcp(path, family, 65536)


def big_tcp(path, family, size):
    infix = "" if family else "_ipv4"
    for space, dev in path.taps:
        set_link(space, dev, **{f"gso{infix}_max_size": size, f"gro{infix}_max_size": size})
