# SPDX-License-Identifier: MIT
"""Ways for packets to take, each in network namespaces of its own."""
import ctypes
import os
import socket
import struct
import subprocess

CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
IFLA = {"gso_max_size": 41, "gro_max_size": 58, "gso_ipv4_max_size": 63, "gro_ipv4_max_size": 64}
libc = ctypes.CDLL(None, use_errno=True)
home = os.open("/proc/self/ns/net", os.O_RDONLY)


def run(*words):
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def tried(*words):
    """Whether the command succeeded; what it said is dropped."""
    return subprocess.run(words, check=False, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode == 0


def own_mounts():
    """From here on what is mounted, and every named namespace, goes with this process."""
    if libc.unshare(CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), "unshare")
    run("mount", "--make-rprivate", "/")
    os.makedirs("/run/netns", exist_ok=True)
    run("mount", "-t", "tmpfs", "none", "/run/netns")


class Inside:
    """with Inside(namespace): this thread is in it."""

    def __init__(self, space):
        self.space = space

    def __enter__(self):
        fd = os.open(f"/run/netns/{self.space}", os.O_RDONLY)
        bad = libc.setns(fd, CLONE_NEWNET)
        os.close(fd)
        if bad:
            raise OSError(ctypes.get_errno(), "setns")

    def __exit__(self, *_):
        libc.setns(home, CLONE_NEWNET)


def tcp_counter(file, group, name, space):
    """A namespace's counter: `name` in the lines `group` of /proc/net/`file`."""
    with Inside(space), open(f"/proc/thread-self/net/{file}", encoding="ascii") as f:
        names, values = [line.split() for line in f if line.startswith(group + ":")]
    return int(values[names.index(name)])


def set_link(space, dev, **numbers):
    """Attributes of an interface that ip(8) may be too old for. A kernel that does not know one
    says nothing."""
    with Inside(space), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as s:
        body = struct.pack("=BxHiII", 0, 0, socket.if_nametoindex(dev), 0, 0)
        for name, value in numbers.items():
            body += struct.pack("=HHI", 8, IFLA[name], value)
        s.send(struct.pack("=IHHII", 16 + len(body), 16, 5, 1, 0) + body)  # RTM_NEWLINK, with an answer
        error, = struct.unpack_from("=i", s.recv(4096), 16)
    if error:
        raise OSError(-error, f"{dev}: {os.strerror(-error)}")


class Path:
    """A client's and a server's namespace (for lo the same one). `taps` are the interfaces
    to watch; `vid` the VLAN that packets for this host carry there, if any."""

    def __init__(self, name, client, server, client_if, server_if, net, taps=None, vid=0):
        self.name, self.client, self.server = name, client, server
        self.client_if, self.server_if, self.vid = client_if, server_if, vid
        if net:
            self.addresses = [(f"10.77.{net}.1", f"10.77.{net}.2"),
                              (f"fd77:{net}::1", f"fd77:{net}::2")]
            # of a client that only exists in crafted packets
            self.crafted = [f"10.77.{net}.9", f"fd77:{net}::9"]
        else:
            self.addresses = [("127.0.0.1", "127.0.0.1"), ("::1", "::1")]
        self.taps = taps or sorted({(client, client_if), (server, server_if)})
        self.spaces = sorted({client, server})

    def local(self, space):
        """The addresses of a namespace."""
        if self.client == self.server:
            return {a for pair in self.addresses for a in pair}
        return {pair[0 if space == self.client else 1] for pair in self.addresses}

    def set(self, name, value):
        for space in self.spaces:
            run("ip", "netns", "exec", space, "sysctl", "-qw", f"{name}={value}")

    def ethtool(self, *words):
        """Whether every interface took it."""
        return all([tried("ip", "netns", "exec", space, "ethtool", "-K", dev, *words)
                    for space, dev in self.taps])


def add_space(name):
    space = f"lnk-{os.getpid()}-{name}"
    run("ip", "netns", "add", space)
    run("ip", "-n", space, "link", "set", "lo", "up")
    return space


def remove(path):
    """Removes the namespaces; a veth pair goes with them, a card comes home."""
    for space in path.spaces:
        subprocess.run(["ip", "netns", "del", space], check=False)


def make_lo():
    space = add_space("lo")
    return Path("lo", space, space, "lo", "lo", 0)


def address(space, dev, net, n):
    run("ip", "-n", space, "addr", "add", f"10.77.{net}.{n}/24", "dev", dev)
    run("ip", "-n", space, "addr", "add", f"fd77:{net}::{n}/64", "dev", dev, "nodad")
    run("ip", "-n", space, "link", "set", dev, "up")


def make_pair(name, first, second, net):
    spaces = []
    for n, dev in ((1, first), (2, second)):
        space = add_space(f"{name}{n}")
        spaces.append(space)
        run("ip", "link", "set", dev, "netns", space)
        address(space, dev, net, n)
    return Path(name, spaces[0], spaces[1], first, second, net)


def add_veth(tag):
    a, b = f"lt{tag}a{os.getpid() % 1000000}", f"lt{tag}b{os.getpid() % 1000000}"
    run("ip", "link", "add", "dev", a, "type", "veth", "peer", "name", b)
    return a, b


def make_veth():
    return make_pair("veth", *add_veth("p"), 1)


def make_nic():
    """The two cards eth0 and eth1 that are joined by a cable (scripts/vm.sh --net)."""
    return make_pair("nic", "eth0", "eth1", 2)


def make_vlan(net=3, inband=False):
    """VLAN 5 on a veth pair. In band: neither end's "hardware" takes the tag out of the
    frame, so it stands in the data when the packet enters the stack."""
    spaces, devs = [], add_veth(f"v{net}")
    for n, dev in enumerate(devs, 1):
        space = add_space(f"vlan{net}{n}")
        spaces.append(space)
        run("ip", "link", "set", dev, "netns", space)
        run("ip", "-n", space, "link", "set", dev, "up")
        if inband:
            run("ip", "netns", "exec", space, "ethtool", "-K", dev, "txvlan", "off", "rxvlan", "off")
        run("ip", "-n", space, "link", "add", "link", dev, "name", "v5", "type", "vlan", "id", "5")
        address(space, "v5", net, n)
    return Path("vlan-inband" if inband else "vlan", spaces[0], spaces[1], "v5", "v5", net,
                taps=list(zip(spaces, devs)), vid=5)


MAKERS = {"lo": make_lo, "veth": make_veth, "nic": make_nic, "vlan": make_vlan,
          "vlan-inband": lambda: make_vlan(4, True)}
