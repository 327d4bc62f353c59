# SPDX-License-Identifier: MIT
"""The machine under the benchmark: namespaces of its own, and what can be read of it.

Everything that is changed is changed in a mount, network and process namespace made for
the run, or hangs on a descriptor: when the run ends, however it ends, the kernel takes
it back.
"""
import ctypes
import glob
import json
import os
import platform
import shutil
import socket
import subprocess
import tempfile
import time

UNSHARE = ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child"]
BPF_SYSCALL = {"x86_64": 321, "aarch64": 280, "riscv64": 280}
BPF_ENABLE_STATS = 32


def run(*argv, **kw):
    return subprocess.run(argv, check=True, capture_output=True, text=True, **kw).stdout


def first_line(*argv):
    """The first line that a command prints, or None."""
    if not shutil.which(argv[0]):
        return None
    p = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    return ((p.stdout + p.stderr).strip().splitlines() or [""])[0].strip()


def read(path, default=""):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        return default


# --- inside the namespaces -----------------------------------------------------------


def prepare(work):
    """A tmpfs for the rows, loopback, tracefs, and headers for whoever compiles.
    Returns the release whose headers stand in for the kernel's own, "" if they are its
    own, None if there are none."""
    run("mount", "-t", "tmpfs", "rows", work)
    run("ip", "link", "set", "lo", "up")
    if not os.path.isdir("/sys/kernel/tracing/events"):
        subprocess.run(["mount", "-t", "tracefs", "tracefs", "/sys/kernel/tracing"],
                       check=False, capture_output=True)
    return find_headers(work)


def warm(path):
    """Leaves an empty file, and behind it as much free memory as a run writes. A virtual
    machine gives memory that it does not use back to its host, and whoever touches it first
    waits for that: 70 ns a row were the hypervisor's, and at times events were lost."""
    size = min(768 << 20, int(read("/proc/meminfo").split()[7]) * 1024 // 4)
    piece = bytes(1 << 20)
    with open(path, "wb") as f:
        for _ in range(size >> 20):
            f.write(piece)
        f.truncate(0)


def find_headers(work):
    release = os.uname().release
    if os.path.exists(f"/lib/modules/{release}/build/include"):
        return ""
    others = sorted(glob.glob("/lib/modules/*/build/include"))
    if not others:
        return None
    other = others[-1].split("/")[3]
    kept = os.path.join(work, "modules")
    os.mkdir(kept)
    run("mount", "--bind", "/lib/modules", kept)
    run("mount", "-t", "tmpfs", "modules", "/lib/modules")
    os.mkdir(f"/lib/modules/{release}")
    run("mount", "--bind", f"{kept}/{other}", f"/lib/modules/{release}")
    return other


def skb_offsets():
    """Where the running kernel keeps two fields of struct sk_buff, by its BTF."""
    try:
        dump = run("bpftool", "btf", "dump", "file", "/sys/kernel/btf/vmlinux", "-j")
    except (OSError, subprocess.CalledProcessError):
        return None
    for t in json.loads(dump)["types"]:
        if t["kind"] == "STRUCT" and t.get("name") == "sk_buff":
            where = {m["name"]: m["bits_offset"] // 8 for m in t["members"]}
            return {k: where[k] for k in ("head", "data") if k in where}
    return None


class Namespace:
    """Another network namespace, alive while this object is."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "1000"])
        self.path = f"/proc/{self.holder.pid}/ns/net"
        mine = os.readlink("/proc/self/ns/net")
        end = time.monotonic() + 5
        while os.readlink(self.path) == mine and time.monotonic() < end:
            time.sleep(0.01)

    def ip(self, *args):
        run("nsenter", f"--net={self.path}", "ip", *args)

    def snmp(self, proto, name):
        return snmp(proto, name, run("nsenter", f"--net={self.path}", "cat", "/proc/net/snmp"))

    def close(self):
        self.holder.kill()
        self.holder.wait()


def veth():
    """A veth pair to a namespace of its own; (namespace, its address)."""
    ns = Namespace()
    try:
        run("ip", "link", "add", "lnk0", "type", "veth", "peer", "name", "lnk1")
        run("ip", "link", "set", "lnk1", "netns", str(ns.holder.pid))
        run("ip", "addr", "add", "192.0.2.1/24", "dev", "lnk0")
        run("ip", "link", "set", "lnk0", "up")
        ns.ip("addr", "add", "192.0.2.2/24", "dev", "lnk1")
        ns.ip("link", "set", "lnk1", "up")
    except (OSError, subprocess.CalledProcessError):
        ns.close()
        raise
    return ns, "192.0.2.2"


class Poke:
    """A TCP connection over loopback, to send one byte on."""

    def __init__(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.near = socket.create_connection(listener.getsockname())
            self.far, _ = listener.accept()
        self.near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def byte(self):
        self.near.send(b"x")
        self.far.recv(1)

    def close(self):
        self.near.close()
        self.far.close()


# --- what can be read ----------------------------------------------------------------


def snmp(proto, name, text=None):
    """A counter of /proc/net/snmp of this network namespace."""
    lines = (text or read("/proc/net/snmp")).splitlines()
    names, values = [line.split() for line in lines if line.startswith(proto + ": ")]
    return int(values[names.index(name)])


def cpu_ns(pid):
    """User and system time of a process with all its threads, to the nanosecond: its CPU
    clock, as clock_getcpuclockid(3) makes it."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def idle_share(seconds):
    """How idle all processors are in that time."""

    def look():
        v = [int(x) for x in read("/proc/stat").splitlines()[0].split()[1:9]]
        return v[3] + v[4], sum(v)

    idle0, all0 = look()
    time.sleep(seconds)
    idle1, all1 = look()
    return (idle1 - idle0) / max(1, all1 - all0)


def memory_kb(pid):
    """(resident without perf rings, size of the rings)."""
    status = {k: v for k, _, v in (line.partition(":") for line in
                                   read(f"/proc/{pid}/status").splitlines())}
    resident = sum(int(status.get(k, "0 kB").split()[0]) for k in ("RssAnon", "RssFile"))
    ring_resident = ring_size = 0
    inside = False
    for line in read(f"/proc/{pid}/smaps").splitlines():
        word = line.split()
        if "-" in word[0] and not word[0].endswith(":"):
            inside = "[perf_event]" in line
        elif inside and word[0] == "Rss:":
            ring_resident += int(word[1])
        elif inside and word[0] == "Size:":
            ring_size += int(word[1])
    return resident - ring_resident, ring_size


class BpfStats:
    """While it is open the kernel counts the calls and the time of every BPF program:
    what kernel.bpf_stats_enabled does, by a descriptor (Linux 5.8)."""

    def __init__(self):
        attr = ctypes.create_string_buffer(128)
        libc = ctypes.CDLL(None, use_errno=True)
        number = BPF_SYSCALL.get(platform.machine(), -1)
        self.fd = libc.syscall(number, BPF_ENABLE_STATS, attr, 4)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "BPF_ENABLE_STATS")

    @staticmethod
    def programs():
        """{id: (name, calls, nanoseconds, instructions)}"""
        return {p["id"]: (p.get("name", "?"), p.get("run_cnt", 0), p.get("run_time_ns", 0),
                          p.get("bytes_xlated", 0) // 8)
                for p in json.loads(run("bpftool", "prog", "show", "-j"))}

    def close(self):
        os.close(self.fd)


def machine():
    """What the document says of the machine."""
    cpuinfo = read("/proc/cpuinfo")
    model = next((line.split(":", 1)[1].strip() for line in cpuinfo.splitlines()
                  if line.startswith("model name")), platform.machine())
    total = int(read("/proc/meminfo").split()[1]) // 1024
    os_name = platform.freedesktop_os_release().get("PRETTY_NAME", "?")
    guest = ", a virtual machine" if " hypervisor" in cpuinfo else ""
    return [("processors", f"{os.cpu_count()} x {model}{guest}"), ("memory", f"{total} MB"),
            ("kernel", f"Linux {os.uname().release}"), ("system", os_name)]


def find_bcc():
    """A Python that has BCC."""
    for python in ("python3", "/usr/bin/python3"):
        path = shutil.which(python)
        if path and subprocess.run([path, "-c", "import bcc"], capture_output=True,
                                   check=False).returncode == 0:
            return path
    return None


def versions(lnk, bcc_python):
    v = [("linux_net_kernel", first_line(lnk, "--version"))]
    if bcc_python:
        v.append(("BCC in Python", "python3-bpfcc " + run(
            bcc_python, "-c", "import bcc; print(bcc.__version__)").strip() + ", " +
            first_line(bcc_python, "--version")))
    for name, argv in (("bpftrace", ("bpftrace", "--version")),
                       ("tcpdump", ("tcpdump", "--version")),
                       ("perf", ("perf", "--version")),
                       ("trace-cmd", ("trace-cmd", "--version")),
                       ("bpftool", ("bpftool", "--version"))):
        v.append((name, first_line(*argv) or "missing"))
    return v


def work_directory():
    return tempfile.mkdtemp(prefix="lnk-bench.")
