# SPDX-License-Identifier: MIT
"""Packets that no socket would send, made byte by byte: a client that does not exist
talks to a real server through a packet socket."""
import socket
import struct
import subprocess
import time

from paths import Inside, run, tcp_counter
from stuck import Memory
from traffic import accept, drain, listen, merging, served

ETH_P_ALL = 3
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def mac(space, dev):
    text = subprocess.run(["ip", "-n", space, "-br", "link", "show", "dev", dev], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    return text.split()[2]


class Client:
    """`options`: raw IPv4 options, or a list of (protocol, bytes after the next-header
    byte) of IPv6 extension headers. Both go into every packet that is sent. `least`: the
    bytes of a frame, with padding behind a packet that has less."""

    def __init__(self, path, family, port, sport, isn=1000, options=None, vids=(), least=0):
        self.path, self.family, self.port, self.sport = path, family, port, sport
        self.seq, self.ack, self.least = isn, 0, least
        self.options, self.vids, self.ident = options or ([] if family else b""), vids, sport
        self.me, self.server = path.crafted[family], path.addresses[family][1]
        mine, theirs = mac(path.client, path.client_if), mac(path.server, path.server_if)
        self.ethernet = bytes.fromhex((theirs + mine).replace(":", ""))
        run("ip", "-n", path.server, "neigh", "replace", self.me, "lladdr", mine,
            "dev", path.server_if, "nud", "permanent")
        with Inside(path.client):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self.socket.bind((path.client_if, ETH_P_ALL))
        self.socket.settimeout(20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def packed(self, address):
        return socket.inet_pton(socket.AF_INET6 if self.family else socket.AF_INET, address)

    def tcp(self, flags, seq, ack, data=b"", window=8000, wrong=0):
        head = struct.pack(">HHIIBBHHH", self.sport, self.port, seq % 2**32, ack, 5 << 4, flags,
                           window, 0, 0)
        pseudo = self.packed(self.me) + self.packed(self.server)
        pseudo += struct.pack(">IHBB", len(head + data), 0, 0, 6)
        total = checksum(pseudo + head + data) ^ wrong
        return head[:16] + struct.pack(">H", total) + head[18:] + data

    def frame(self, proto, ip):
        tags = b"".join(struct.pack(">HH", 0x88A8 if i < len(self.vids) - 1 else 0x8100, v)
                        for i, v in enumerate(self.vids))
        frame = self.ethernet + tags + struct.pack(">H", proto) + ip
        self.socket.send(frame.ljust(self.least, b"E"))

    def packet(self, payload, place=0, more=0, fragment=False):
        """One IP packet; `place` is the fragment's offset in bytes."""
        if not self.family:
            opts = self.options + b"\0" * (-len(self.options) % 4)
            head = struct.pack(">BBHHHBBH4s4s", 0x45 + len(opts) // 4, 0, 20 + len(opts) + len(payload),
                               self.ident, place // 8 | more << 13, 64, 6, 0, self.packed(self.me),
                               self.packed(self.server)) + opts
            self.frame(0x0800, head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload)
            return
        chain = list(self.options)
        if fragment:
            chain.append((44, struct.pack(">BHI", 0, place | more, self.ident)))
        kinds = [kind for kind, _ in chain] + [6]
        body = b"".join(bytes([following]) + rest for following, (_, rest) in zip(kinds[1:], chain))
        head = struct.pack(">IHBB16s16s", 6 << 28, len(body + payload), kinds[0], 64,
                           self.packed(self.me), self.packed(self.server))
        self.frame(0x86DD, head + body + payload)

    def fragments(self, payload, cuts, order):
        self.ident += 1
        ends = [0, *cuts, len(payload)]
        for i in order:
            self.packet(payload[ends[i]:ends[i + 1]], ends[i], int(i + 2 < len(ends)), True)

    def send(self, flags, data=b"", seq=None, **more):
        self.packet(self.tcp(flags, self.seq if seq is None else seq, self.ack, data, **more))

    def receive(self, flag):
        """The sequence number of the server's next segment with this flag."""
        while True:
            frame = self.socket.recv(2000)
            head = 14 + (40 if self.family else (frame[14] & 15) * 4)
            if len(frame) < head + 20 or frame[12:14] != (b"\x86\xdd" if self.family else b"\x08\0"):
                continue
            sport, dport, seq, _, _, flags = struct.unpack_from(">HHIIBB", frame, head)
            if (sport, dport) == (self.port, self.sport) and flags & flag:
                return seq

    def open(self):
        self.send(SYN)
        self.ack = (self.receive(SYN) + 1) % 2**32
        self.seq += 1
        self.send(ACK)

    def data(self, data):
        self.send(ACK | PSH, data)
        self.seq += len(data)

    def close(self):
        self.send(FIN | ACK)
        self.seq += 1
        self.ack = (self.receive(FIN) + 1) % 2**32
        self.send(ACK)


def conversation(path, family, port, size=10, **how):
    with served(listen(path, family, port), drain), Client(path, family, port, 41000, **how) as c:
        c.open()
        for n in range(3):
            c.data(bytes([65 + n]) * size)
        c.close()


def out_of_order(path, family, port):
    """A gap, its filling, the same again, and an overlap."""
    with served(listen(path, family, port), drain), Client(path, family, port, 41001) as c:
        c.open()
        first = c.seq
        for at in (200, 100, 0, 0, 100, 250):
            c.send(ACK | PSH, b"o" * 100, seq=first + at)
        c.seq = first + 350
        c.close()


def wrap(path, family, port):
    conversation(path, family, port, isn=2**32 - 15)


def options(path, family, port):
    """IPv4: 40 bytes of options. IPv6: hop-by-hop, destination, routing and (atomic)
    fragment headers in one chain."""
    if family:
        padding = bytes([0, 1, 4, 0, 0, 0, 0])
        conversation(path, family, port, options=[
            (0, padding), (60, padding), (43, bytes([0, 253, 0, 0, 0, 0, 0])),
            (44, struct.pack(">BHI", 0, 0, 77)), (60, bytes([1, 0x1E, 12]) + bytes(12))])
    else:
        conversation(path, family, port, options=bytes([7, 39, 4]) + bytes(37))


def filled(path, family, port):
    """Frames of the full size, of which virtio_net, where it does not merge, leaves all headers in
    a page: with a packet in them that ends sooner, and with a large one. Each has what the
    kernel pulls from there beside the IP header: 40 bytes of options, a hop-by-hop header."""
    merging(path, False)
    conversation(path, family, port, size=1300, least=1514,
                 options=[(0, bytes([0, 1, 4, 0, 0, 0, 0]))] if family else bytes([7, 39, 4]) + bytes(37))
    merging(path, True)


def headers_unhandled(path, family, port):
    """IPv6: an authentication header, which no policy lets pass, and seven extension
    headers, one more than the tool walks. IPv4: the shortest options."""
    padding = bytes([0, 1, 4, 0, 0, 0, 0])
    if not family:
        conversation(path, family, port, options=b"\x01\x01\x01\0")
        return {}
    with Client(path, family, port, 41002, options=[(51, bytes([4]) + bytes(22))]) as c:
        c.send(SYN)
    with Client(path, family, port, 41003, options=[(0, padding)] + [(60, padding)] * 6) as c:
        c.send(SYN)
        time.sleep(0.1)
    return {"not_to_tcp": 1}


def fragmented(path, family, port):
    """SYNs with data in three fragments, in order and backwards; one whose TCP header is
    cut (a first fragment of eight bytes); two of three fragments only."""
    with listen(path, family, port), Client(path, family, port, 41004) as c:
        for cuts, order in (((32, 64), (0, 1, 2)), ((32, 64), (2, 1, 0)), ((8, 64), (0, 1, 2)),
                            ((32, 64), (0, 2))):
            c.sport += 1
            c.fragments(c.tcp(SYN, 5000, 0, b"f" * 80), cuts, order)
            time.sleep(0.05)
            if len(order) == 3:
                c.send(RST, seq=5001)  # no retransmissions of the answer
        time.sleep(0.1)
    return {}


def bad_checksum(path, family, port):
    with listen(path, family, port), Client(path, family, port, 41020) as c:
        c.send(SYN, wrong=0x1234)
        time.sleep(0.1)
    return {}


def tagged(path, family, port):
    """VLAN tags in the frame: priority only (delivered), and of VLANs that are not here."""
    conversation(path, family, port, vids=(0,))
    for n, vids in enumerate(((7,), (7, 8))):
        with Client(path, family, port, 41030 + n, vids=vids) as c:
            c.send(SYN)
            time.sleep(0.1)
    return {}


def joined(path, family, port):
    """Segments that come while the reader holds its socket: the backlog makes one of them, whose
    IP header is that of the first."""
    memory = Memory()

    def read(listener):
        conn = accept(listener)
        if conn:
            with conn:
                conn.settimeout(20)
                while conn.recv_into(memory.page):
                    pass

    with served(listen(path, family, port), read), Client(path, family, port, 41040) as c:
        c.open()
        c.data(b"j")
        try:
            memory.wait_touched()
            before = backlog_joined(path)
            for n in range(1, 5):
                c.data(b"j" * n)
            wait_for(lambda: backlog_joined(path) == before + 3)
        finally:
            memory.there()
        c.close()
    memory.close()
    return {}


def backlog_joined(path):
    return tcp_counter("netstat", "TcpExt", "TCPBacklogCoalesce", path.server)


def wait_for(condition):
    for _ in range(400):
        if condition():
            return
        time.sleep(0.05)
    raise RuntimeError("it did not happen")
