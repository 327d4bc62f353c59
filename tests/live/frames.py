#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lets frames come in that no socket would send, on a tap device in this network namespace.

    frames.py PORT KIND...

Each is a SYN to PORT. KIND is ipv4 (from 10.0.0.1 to 10.0.0.2), mapped (these, in an IPv6
header, as ::ffff:10.0.0.1 and ::ffff:10.0.0.2), unspecified (from :: to fd00::2), or, with all
but the Ethernet header in a page beside the skb's linear area, paged, tagged or tagged-twice
(IPv4 behind no, one and two VLAN tags). Exit status 77: there is no such device here.
"""
import fcntl
import os
import socket
import struct
import subprocess
import sys

FRAME = 5000  # a frame of less than a page is all linear
TUNSETIFF, IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x400454CA, 2, 0x1000, 0x4000


def tcp(port, data):
    return struct.pack(">HHIIBBHHH", 1000, port, 1, 0, 5 << 4, 2, 8000, 0, 0) + data


def ipv4(payload):
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 64, 6, 0)
    return head + socket.inet_aton("10.0.0.1") + socket.inet_aton("10.0.0.2") + payload


def ipv6(source, destination, payload):
    head = struct.pack(">IHBB", 6 << 28, len(payload), 6, 64)
    return head + b"".join(socket.inet_pton(socket.AF_INET6, a) for a in (source, destination)) + payload


def send(kind, port, tap):
    tags = {"tagged": (0x8100,), "tagged-twice": (0x88A8, 0x8100)}.get(kind, ())
    if kind in ("mapped", "unspecified"):
        ends = ("::ffff:10.0.0.1", "::ffff:10.0.0.2") if kind == "mapped" else ("::", "fd00::2")
        proto, packet = 0x86DD, ipv6(*ends, tcp(port, b""))
    else:
        proto, packet = 0x0800, ipv4(tcp(port, b"" if kind == "ipv4" else bytes(FRAME)))
    frame = b"\xff" * 6 + b"\2\0\0\0\0\1" + b"".join(struct.pack(">HH", t, 7) for t in tags)
    linear = 0 if kind in ("ipv4", "mapped", "unspecified") else 14
    # struct virtio_net_hdr: hdr_len is how much is to be linear
    os.write(tap, struct.pack("=BBHHHH", 0, 0, linear, 0, 0, 0) + frame + struct.pack(">H", proto) + packet)


def main():
    try:
        tap = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH14x", b"lnkf0", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
    except OSError as error:
        print(f"no tap device: {error}", file=sys.stderr)
        sys.exit(77)
    subprocess.run(("ip", "link", "set", "lnkf0", "up"), check=True)
    for kind in sys.argv[2:]:
        send(kind, int(sys.argv[1]), tap)


main()
