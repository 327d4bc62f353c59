# SPDX-License-Identifier: MIT
"""Others who saw the same traffic: tcpdump (packets, parsed here), ftrace (calls of the
kernel's functions, their arguments read by it) and the kernel's own TcpInSegs."""
import collections
import os
import re
import signal
import socket
import struct
import subprocess
import tempfile
import time

import btf
from paths import tcp_counter

# --- packets -------------------------------------------------------------------------

# kind: "tcp", "fragment" (no TCP header: not the first), "unreadable" (the header is cut
# short by the first fragment's end, or stands behind more headers than the tool walks)
Packet = collections.namedtuple(
    "Packet", "src dst sport dport seq ack flags window length vids kind datagram tap")

MOST_EXTENSIONS = 6  # of IPv6 headers that the tool walks
FIN, SYN, RST = 1, 2, 4


class Capture:
    """tcpdump on one interface, incoming packets only."""

    def __init__(self, space, dev, file):
        self.tap, self.file = (space, dev), file
        self.proc = subprocess.Popen(
            ["ip", "netns", "exec", space, "tcpdump", "-i", dev, "-Q", "in", "-nn", "-U",
             "--immediate-mode", "-B", "32768", "-s", "256", "-w", file],
            stderr=subprocess.PIPE, text=True)

    def wait_ready(self):
        for line in self.proc.stderr:
            if "listening on" in line:
                return
        raise RuntimeError("tcpdump did not start")

    def stop(self):
        """It has to have seen everything, or it is no witness."""
        self.proc.send_signal(signal.SIGINT)
        _, err = self.proc.communicate(timeout=60)
        lost = re.search(r"(\d+) packets? dropped by kernel", err)
        if not lost or int(lost.group(1)):
            raise RuntimeError("the witness itself lost packets: " + err)

    def packets(self):
        with open(self.file, "rb") as f:
            data = f.read()
        if struct.unpack_from("<I", data)[0] != 0xA1B2C3D4:
            raise RuntimeError("not a pcap file")
        at = 24
        while at + 16 <= len(data):
            caplen, size = struct.unpack_from("<II", data, at + 8)
            packet = parse_frame(data[at + 16:at + 16 + caplen], size, self.tap)
            at += 16 + caplen
            if packet:
                yield packet


def quiet(files, seconds):
    """Waits until nobody has written for that long."""
    before, since = None, time.monotonic()
    while time.monotonic() - since < seconds:
        now = [os.path.getsize(f) for f in files]
        if now != before:
            before, since = now, time.monotonic()
        time.sleep(0.05)


def parse_frame(frame, size, tap):
    at, vids = 12, []
    proto, = struct.unpack_from(">H", frame, at)
    while proto in (0x8100, 0x88A8):
        tci, proto = struct.unpack_from(">HH", frame, at + 2)
        vids.append(tci & 0xFFF)
        at += 4
    if proto not in (0x0800, 0x86DD):
        return None
    return parse_ip(frame[at + 2:], size - at - 2, tuple(vids), tap)


def parse_ip(ip, size, vids=(), tap=None):
    """One packet from its IP header on, `size` bytes with what may follow it, or None if it is
    not TCP. Where a length is too large for the header (BIG TCP), the header says 0."""
    datagram = None
    if ip[0] >> 4 == 4:
        total, ident, place = struct.unpack_from(">HHH", ip, 2)
        total = total or size
        src, dst = (socket.inet_ntop(socket.AF_INET, ip[i:i + 4]) for i in (12, 16))
        head, extensions, offset = (ip[0] & 15) * 4, 0, (place & 0x1FFF) * 8
        if place & 0x3FFF:
            datagram = (src, dst, ident)
        if ip[9] != 6:
            return None
    else:
        head, extensions, offset, following = 40, 0, 0, ip[6]
        total = 40 + struct.unpack_from(">H", ip, 4)[0]
        if total == 40 and size > 40 + 65535:
            total = size
        src, dst = (socket.inet_ntop(socket.AF_INET6, ip[i:i + 16]) for i in (8, 24))
        while following in (0, 43, 44, 51, 60) and not offset:
            if head + 8 > len(ip):
                return None  # ftrace's copy ends here: headers that lie in a page are not in it
            extensions += 1
            if following == 44:
                place, ident = struct.unpack_from(">HI", ip, head + 2)
                offset, datagram = place & 0xFFF8, (src, dst, ident) if place & 0xFFF9 else None
                size = 8
            else:
                size = (ip[head + 1] + 2) * 4 if following == 51 else (ip[head + 1] + 1) * 8
            following, head = ip[head], head + size
        if following != 6:
            return None
    if offset or total - head < 20 or extensions > MOST_EXTENSIONS:
        ports = struct.unpack_from(">HH", ip, head) if not offset else (0, 0)
        return Packet(src, dst, *ports, 0, 0, 0, 0, 0, vids,
                      "fragment" if offset else "unreadable", datagram, tap)
    sport, dport, seq, ack, off, flags, window = struct.unpack_from(">HHIIBBH", ip, head)
    return Packet(src, dst, sport, dport, seq, ack, flags, window,
                  total - head - (off >> 4) * 4, vids, "tcp", datagram, tap)


# --- calls ---------------------------------------------------------------------------

# What a call was about. From the TCP functions on there is no packet with addresses to be
# had without trusting what the tool trusts: there the ports tell the connections apart.
Call = collections.namedtuple("Call", "function src dst sport dport seq ack length")


class Ftrace:
    """kprobe events of ftrace at the functions of the stages, which fetch what the kernel
    itself knows of the packet: at the IP functions the bytes at skb->data, at the TCP ones
    its control block, at sock_def_readable the socket."""

    def __init__(self, tmp):
        self.tmp, self.names, self.why = tmp, [], None
        self.mounted = []
        self.root = "/sys/kernel/tracing"
        if not os.path.exists(self.root + "/trace"):
            self.root = self.mount("tracefs")
        self.instance = f"{self.root}/instances/lnk-truth-{os.getpid()}"
        os.mkdir(self.instance)
        self.group = f"lnkt{os.getpid()}"
        self.write("trace_clock", "mono")
        self.write("buffer_size_kb", "16384")
        try:
            self.define()
        except (OSError, KeyError) as error:
            self.why = f"{error}"

    def mount(self, kind):
        place = tempfile.mkdtemp(dir=self.tmp)
        subprocess.run(["mount", "-t", kind, "none", place], check=True)
        self.mounted.append(place)
        return place

    def write(self, name, text, mode="w"):
        with open(f"{self.instance}/{name}", mode, encoding="ascii") as f:
            f.write(text)

    def kprobe_events(self, line):
        # not open(..., "a"): that seeks, which this file refuses
        fd = os.open(self.root + "/kprobe_events", os.O_WRONLY | os.O_APPEND)
        try:
            os.write(fd, line.encode())
        finally:
            os.close(fd)

    def define(self):
        if not os.path.exists(self.root + "/kprobe_events"):
            raise OSError("this kernel has no kprobes")
        # the tool may have to do without BTF; its witness need not
        types = btf.Btf(self.mount("sysfs") + "/kernel/btf/vmlinux")
        off = types.offset
        first, second = ("%x0", "%x1") if os.uname().machine == "aarch64" else ("%di", "%si")
        data, cb, size = off("sk_buff", "data"), off("sk_buff", "cb"), off("sk_buff", "len")
        ports = off("sock_common", "skc_portpair")
        sock = " ".join(f"{name}=+{off(*field)}({first}):{kind}" for name, field, kind in (
            ("family", ("sock_common", "skc_family"), "u16"),
            ("state", ("sock_common", "skc_state"), "u8"),
            ("ports", ("sock_common", "skc_portpair"), "u32"),
            # skc_num is 0 at the last FIN, when tcp_done() has given the port back
            ("sport", ("inet_sock", "inet_sport"), "u16"),
            ("protocol", ("sock", "sk_protocol"), "u16"),
            ("peer", ("sock_common", "skc_daddr"), "u32"),
            ("me", ("sock_common", "skc_rcv_saddr"), "u32"),
            ("peer6", ("sock_common", "skc_v6_daddr"), "x64[2]"),
            ("me6", ("sock_common", "skc_v6_rcv_saddr"), "x64[2]"),
            ("seq", ("tcp_sock", "rcv_nxt"), "u32"),
            ("ack", ("tcp_sock", "snd_una"), "u32")))
        packet = f"head=+0(+{data}({first})):x64[16] size=+{size}({first}):u32"
        segment = f"head=+0(+{data}({second})):x64[2] seq=+{cb}({second}):u32 size=+{size}({second}):u32"
        for name, what in (
                ("ip_local_deliver", packet), ("ip6_input", packet),
                ("tcp_v4_do_rcv", segment), ("tcp_v6_do_rcv", segment),
                ("tcp_rcv_established", segment),
                ("tcp_queue_rcv", f"ports=+{ports}({first}):u32 seq=+{cb}({second}):u32 size=+{size}({second}):u32"),
                ("sock_def_readable", sock)):
            self.kprobe_events(f"p:{self.group}/{name} {name} {what}\n")
            self.names.append(name)

    def watch_tracepoint(self, first, last):
        """Where there are no kprobes: tcp_probe's own record, of a range of ports."""
        event = "events/tcp/tcp_probe/"
        self.write(event + "filter", f"(sport >= {first} && sport <= {last}) || "
                                     f"(dport >= {first} && dport <= {last})")
        self.write(event + "enable", "1")
        self.write("events/net/netif_receive_skb/enable", "1")

    def on_first_process(self):
        """Where there are no kprobes: packets that came in while a thread of the first process
        was on the CPU. The kernel of a virtual machine whose first process is its host's agent
        may keep BPF programs from running there, and no counter tells that it did."""
        threads = os.listdir("/proc/1/task")
        with open(self.instance + "/trace", encoding="ascii", errors="replace") as f:
            tasks = re.findall(r"-(\d+) +\[.* netif_receive_skb: ", f.read())
        return sum(task in threads for task in tasks)

    def probes(self):
        """(peer, me, peer's port, my port, bytes of payload) of each."""
        found = []
        with open(self.instance + "/trace", encoding="ascii", errors="replace") as f:
            for line in f:
                m = re.search(r" tcp_probe: .*src=\[?([^ \]]+?)\]?:(\d+) dest=\[?([^ \]]+?)\]?:(\d+) "
                              r".*data_len=(\d+) ", line)
                if m:
                    me, mine, peer, theirs, length = m.groups()
                    found.append((plain(peer), plain(me), int(theirs), int(mine), int(length)))
        return found

    def enable(self, on):
        if self.names:
            self.write(f"events/{self.group}/enable", "1" if on else "0")

    def profile(self):
        """{function: (hits, missed)}"""
        if not self.names:
            return {}
        with open(self.root + "/kprobe_profile", encoding="ascii") as f:
            lines = [l.split() for l in f]
        return {l[0]: (int(l[1]), int(l[2])) for l in lines if l[0] in self.names}

    def overrun(self):
        total = 0
        for cpu in os.listdir(self.instance + "/per_cpu"):
            with open(f"{self.instance}/per_cpu/{cpu}/stats", encoding="ascii") as f:
                total += sum(int(n) for n in re.findall(r"(?:overrun|dropped events): (\d+)", f.read()))
        return total

    def calls(self):
        """Every call with a TCP header or a TCP socket; None for what it cannot see."""
        if not self.names:
            return None
        if self.overrun():
            raise RuntimeError("ftrace lost events")
        with open(self.instance + "/trace", encoding="ascii", errors="replace") as f:
            return [c for c in map(parse_call, f) if c]

    def close(self):
        try:
            self.enable(False)
        finally:
            os.rmdir(self.instance)
            for name in self.names:
                self.kprobe_events(f"-:{self.group}/{name}\n")
            for place in self.mounted:
                subprocess.run(["umount", place], check=False)


def array(text):
    words = [int(w, 16) for w in text.strip("{}").split(",")]
    return struct.pack(f"<{len(words)}Q", *words)


def parse_call(line):
    found = re.search(r" (\w+): \((\w+)\+0x", line)
    if not found:
        return None
    name = found.group(1)
    f = dict(re.findall(r"(\w+)=(\S+)", line[found.end():]))
    if name in ("ip_local_deliver", "ip6_input"):
        p = parse_ip(array(f["head"]), int(f["size"]))
        return p and Call(name, *p[:6], p.length) if p and p.kind == "tcp" else None
    if name == "sock_def_readable":
        return parse_sock_call(name, f)
    if name == "tcp_queue_rcv":
        # skc_dport in network order, then skc_num
        num, port = int(f["ports"]) >> 16, socket.ntohs(int(f["ports"]) & 0xFFFF)
        return Call(name, "", "", port, num, int(f["seq"]), 0, int(f["size"]))
    # ACK from the header: where the socket's backlog merged segments (tcp_add_backlog()), the
    # control block has the last one's, the row and the header the first one's
    sport, dport, _, ack, off = struct.unpack_from(">HHIIB", array(f["head"]))
    return Call(name, "", "", sport, dport, int(f["seq"]), ack, int(f["size"]) - (off >> 4) * 4)


def parse_sock_call(name, f):
    family, ports = int(f["family"]), int(f["ports"])
    if family not in (2, 10) or f["protocol"] != "6":
        return None
    if family == 2:
        peer, me = (socket.inet_ntop(socket.AF_INET, struct.pack("<I", int(f[x]))) for x in ("peer", "me"))
    else:
        peer, me = (plain(socket.inet_ntop(socket.AF_INET6, array(f[x]))) for x in ("peer6", "me6"))
    if f["state"] == "10":  # TCP_LISTEN
        return Call(name, "-", "-" if me in ("0.0.0.0", "::") else me, 0, ports >> 16, 0, 0, None)
    return Call(name, peer, me, socket.ntohs(ports & 0xFFFF), socket.ntohs(int(f["sport"])),
                int(f["seq"]), int(f["ack"]), None)


def plain(address):
    return address[7:] if address.startswith("::ffff:") and "." in address else address


class Profile:
    """ftrace's function profiler: how often a function was entered, counted without kprobes,
    in every context. `why` says why there is none."""

    def __init__(self, root, names):
        self.root, self.why = root, None
        try:
            self.write("set_ftrace_filter", "\n".join(names))
            self.write("function_profile_enabled", "1")
        except OSError as error:
            self.why = f"{error}"

    def write(self, name, text):
        with open(f"{self.root}/{name}", "w", encoding="ascii") as f:
            f.write(text)

    def read(self):
        """{function: calls} since it was made."""
        calls = collections.Counter()
        for name in os.listdir(f"{self.root}/trace_stat") if not self.why else []:
            if name.startswith("function"):
                with open(f"{self.root}/trace_stat/{name}", encoding="ascii") as f:
                    for line in f:
                        words = line.split()
                        if len(words) > 1 and words[1].isdigit():
                            calls[words[0]] += int(words[1])
        return calls

    def close(self):
        if not self.why:
            self.write("function_profile_enabled", "0")
            self.write("set_ftrace_filter", "")


# --- counters ------------------------------------------------------------------------


def in_segs(space):
    return tcp_counter("snmp", "Tcp", "InSegs", space)
