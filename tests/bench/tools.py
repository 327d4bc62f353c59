# SPDX-License-Identifier: MIT
"""The programs that are compared, and how one of them is run and asked what it cost."""
import mmap
import os
import random
import re
import select
import signal
import subprocess
import time

import host

PROBES = ["netif_receive_skb", "ip_rcv_finish", "tcp_v4_do_rcv", "tcp_queue_rcv",
          "sock_def_readable"]
RAW_TRACEPOINTS = {"netif_receive_skb": "netif_receive_skb", "tcp_v4_do_rcv": "tcp_probe",
                   "sock_def_readable": "sk_data_ready"}
READY = "Started TCP monitoring"
READY_SECONDS = 40
ROW_MARKS = ["netif_receive_skb", " Flags ["]
COLUMNS = ["seen", "filtered", "limited", "lost", "received", "malformed", "printed"]


class Failed(Exception):
    """A tool did not do it; the text says why."""


class Tool:
    def __init__(self, key, name, argv, ready=READY, rows_on_stderr=False, shown=None):
        self.key, self.name, self.argv = key, name, argv
        self.balances = "-s" not in argv  # what we count is to be exact
        self.ready = ready  # a text on stderr; None: ready when rows come
        self.rows_on_stderr = rows_on_stderr
        self.shown = shown or " ".join(argv)  # the command, for the document


class Running:
    """A tool at work, its rows in a file of the tmpfs."""

    def __init__(self, tool, work, pipe=False):
        self.tool = tool
        self.rows_path = os.path.join(work, "rows")
        self.err_path = os.path.join(work, "messages")
        self.started = time.perf_counter()
        with open(self.rows_path, "wb") as rows, open(self.err_path, "wb") as err:
            self.process = subprocess.Popen(
                tool.argv, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipe else err if tool.rows_on_stderr else rows,
                stderr=rows if tool.rows_on_stderr else err)
        self.pid = self.process.pid
        self.pipe = self.process.stdout
        self.first_rows = ""
        self.from_size = self.from_cpu = self.to_size = self.to_cpu = 0
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise

    def wait_ready(self):
        poke = None if self.tool.ready else host.Poke()
        end = time.monotonic() + READY_SECONDS
        try:
            while not self.is_ready(poke):
                if self.process.poll() is not None:
                    raise Failed(f"ended at once: {self.last_words()}")
                if time.monotonic() > end:
                    raise Failed(f"not ready after {READY_SECONDS} s: {self.last_words()}")
                time.sleep(0.002 if self.tool.ready else 0.05)
        finally:
            if poke:
                poke.close()
        self.ready_seconds = time.perf_counter() - self.started

    def is_ready(self, poke):
        if self.tool.ready:
            return self.tool.ready in host.read(self.err_path)
        poke.byte()
        if self.pipe:
            if select.select([self.pipe], [], [], 0)[0]:
                self.first_rows += os.read(self.pipe.fileno(), 1 << 16).decode("latin-1")
        else:
            self.first_rows = host.read(self.rows_path)
        return any(mark in self.first_rows for mark in ROW_MARKS)

    def last_words(self):
        text = host.read(self.err_path) + host.read(self.rows_path)
        return "; ".join(text.strip().splitlines()[-2:])[:300]

    def begin(self):
        if not self.tool.ready:
            self.settle()
        self.from_size = os.path.getsize(self.rows_path)
        self.from_cpu = host.cpu_ns(self.pid)

    def settle(self):
        """Waits until no more rows come; a tool that lags is given four seconds."""
        end = time.monotonic() + 4
        size = -1
        while time.monotonic() < end:
            now = os.path.getsize(self.rows_path)
            if now == size:
                break
            size = now
            time.sleep(0.12)
        self.to_size = os.path.getsize(self.rows_path)
        self.to_cpu = host.cpu_ns(self.pid)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(8)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.pipe:
            self.pipe.close()

    def rows(self):
        """Lines between begin() and settle()."""
        if self.to_size <= self.from_size:
            return 0
        with open(self.rows_path, "rb") as f, \
                mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ) as m:
            n, at, piece = 0, self.from_size, 16 << 20
            while at < self.to_size:
                n += m[at:min(at + piece, self.to_size)].count(b"\n")
                at += piece
        return n

    def books(self):
        """The total line of our closing table, {} for other tools."""
        text = host.read(self.err_path)
        m = re.search(r"^total +(.*)$", text, re.M)
        if not m:
            return {}
        cells = m.group(1).split()
        books = dict(zip(COLUMNS, map(int, cells[:len(COLUMNS)])))
        books["missed"] = cells[len(COLUMNS)]
        books["exact"] = "received: exact" in text
        for line in text.splitlines():
            word = line.split()
            if len(word) == len(COLUMNS) + 2 and word[0] in PROBES:
                books[word[0]] = {"seen": int(word[1]), "missed": word[-1]}
        return books

    def remove(self):
        for path in (self.rows_path, self.err_path):
            try:
                os.unlink(path)
            except OSError:
                pass


class Bench:
    """What every section uses: the programs, the load, and one measured run of both."""

    def __init__(self, work, lnk, loadgen, foreign_headers):
        self.work, self.lnk, self.loadgen = work, lnk, loadgen
        self.foreign_headers = foreign_headers
        self.bcc_python = host.find_bcc()
        here = os.path.dirname(os.path.abspath(__file__))
        self.bcc_script = os.path.join(here, "bcc_original.py")
        self.bt_script = os.path.join(here, "receive.bt")
        self.has_cache = "--no-cache" in host.run(lnk, "--help")
        self.missing = {}  # tool: reason
        self.wrong = []    # what should not happen

    def ours(self, key, name, *args):
        shown = " ".join(("./linux_net_kernel",) +
                         tuple("DIR" if a.startswith(self.work) else a for a in args))
        return Tool(key, name, [self.lnk, *args], shown=shown)

    def stages(self, n, *args):
        """Ours with the first n stages only: the others' probes are emptied."""
        where = os.path.join(self.work, f"probes{n}")
        if not os.path.isdir(where):
            os.mkdir(where, 0o755)
            for probe in PROBES[n:]:
                with open(f"{where}/{probe}.c", "w", encoding="ascii") as f:
                    f.write("/* not asked for */\n")
        return self.ours(f"stages{n}", f"{n} of {len(PROBES)} stages", "-R", "0",
                         "--probe-dir", where, *args)

    def floor(self, key, name, body, *args):
        """What no tool can do without: programs at three raw tracepoints that do just this."""
        where = os.path.join(self.work, f"floor-{key}")
        if not os.path.isdir(where):
            os.mkdir(where, 0o755)
            for probe in PROBES:
                with open(f"{where}/{probe}.c", "w", encoding="ascii") as f:
                    event = RAW_TRACEPOINTS.get(probe)
                    f.write(f"RAW_TRACEPOINT_PROBE({event})\n{{\n\t{body}return 0;\n}}\n"
                            if event else "/* none */\n")
        tool = self.ours(key, name, *(args or ["-s"]), "--probe-dir", where)
        tool.balances = False  # these programs keep no books
        return tool

    def bcc(self, *args):
        if not self.bcc_python:
            self.missing["BCC in Python"] = "no python3 with the module bcc (python3-bpfcc)"
            return None
        if self.foreign_headers is None:
            self.missing["BCC in Python"] = "no kernel headers are installed"
            return None
        argv = [self.bcc_python, self.bcc_script, *args]
        if self.foreign_headers:
            offsets = host.skb_offsets()
            if offsets:
                argv += ["--skb", ",".join(f"{k}={v}" for k, v in offsets.items())]
        return Tool("bcc", "BCC in Python", argv,
                    shown=" ".join(("tests/bench/bcc_original.py", *args)))

    def others(self):
        tools = [self.bcc()]
        for key, name, argv, on_stderr in (
                ("bpftrace", "bpftrace", ["bpftrace", self.bt_script], False),
                ("tcpdump", "tcpdump -n", ["tcpdump", "-n", "-l", "-i", "lo", "tcp"], False),
                ("perf", "perf trace", ["perf", "trace", "-a", "--no-syscalls", "-e",
                                        "net:netif_receive_skb"], True),
                ("trace-cmd", "trace-cmd", ["trace-cmd", "stream", "-e",
                                            "net:netif_receive_skb"], False)):
            if not host.shutil.which(argv[0]):
                self.missing[name] = "not installed"
                continue
            shown = " ".join(a.replace(self.bt_script, "tests/bench/receive.bt") for a in argv)
            tools.append(Tool(key, name, argv, ready=None, rows_on_stderr=on_stderr,
                              shown=shown))
        return [t for t in tools if t and self.works(t)]

    def works(self, tool):
        """Starts it once, so that one that cannot work costs no time later."""
        try:
            running = Running(tool, self.work)
        except (Failed, OSError) as error:
            self.missing[tool.name] = str(error)
            return False
        running.stop()
        running.remove()
        return True

    def load(self, *args):
        """One run of loadgen; per second."""
        p = subprocess.run([self.loadgen, *args], capture_output=True, text=True, timeout=60,
                           check=False)
        if p.returncode:
            raise Failed(p.stderr.strip() or f"loadgen: status {p.returncode}")
        return float(p.stdout.split()[0])

    def measure(self, tool, load, stats=False):
        """The load under a tool (None: untraced): rate, and for a tool rows, CPU, books."""
        if not tool:
            return {"rate": self.load(*load)}
        # the programs' counters start when they are loaded
        counting = host.BpfStats() if stats else None
        try:
            before = host.BpfStats.programs() if stats else {}
            host.warm(os.path.join(self.work, "rows"))
            running = Running(tool, self.work)
            try:
                running.begin()
                segments = host.snmp("Tcp", "InSegs")
                m = {"rate": self.load(*load)}
                m["segments"] = host.snmp("Tcp", "InSegs") - segments
                running.settle()
                if stats:
                    m["programs"] = [p for i, p in host.BpfStats.programs().items()
                                     if i not in before]
            finally:
                running.stop()
        finally:
            if counting:
                counting.close()
        m["rows"] = running.rows()
        m["cpu_ns"] = running.to_cpu - running.from_cpu
        m["books"] = running.books()
        if m["books"] and not m["books"]["exact"] and tool.balances:
            self.wrong.append(f"the books of {tool.shown} did not balance")
        running.remove()
        return m

    def latency(self, tool, samples=20):
        """Seconds from a packet to its row in the pipe, on a host with nothing to do."""
        running = Running(tool, self.work, pipe=True)
        poke = host.Poke()
        seconds = []
        try:
            os.set_blocking(running.pipe.fileno(), False)
            for _ in range(samples):
                time.sleep(0.06 + random.random() * 0.06)
                while select.select([running.pipe], [], [], 0.06)[0]:
                    if not os.read(running.pipe.fileno(), 1 << 20):
                        raise Failed("ended")
                start = time.perf_counter()
                poke.byte()
                if not select.select([running.pipe], [], [], 2)[0]:
                    raise Failed("no row within 2 s")
                seconds.append(time.perf_counter() - start)
        finally:
            poke.close()
            running.stop()
            running.remove()
        return seconds
