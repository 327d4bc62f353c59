# SPDX-License-Identifier: MIT
"""--watch and -C under load: from the moment a probe file is saved, or a command is given, to the
first row of the new program, and whether rows stand still meanwhile."""
import os
import re
import subprocess
import time

import host
from tools import Failed, Running

STAGE = "tcp_rcv_space_adjust"
PROBE = """/* %s */
RAW_TRACEPOINT_PROBE(tcp_rcv_space_adjust)
{
	return show_sock(ctx, (struct sock *)ctx->args[0]);
}
"""
LOAD_SECONDS = 30.0  # it is ended before
SAID = re.compile(r"^(?:Reloaded|Changed): .*\((?:compile ([\d.]+) s|compiled before), load (\d+) ms, "
                  r"attach (\d+) ms, (no row|\d+ rows?) lost\)$", re.M)


def seconds_of_day(row):
    h, m, s = row.rstrip()[-15:].split(":")
    return int(h) * 3600 + int(m) * 60 + float(s)


def times(path, offset):
    """When the rows behind `offset` happened, and which of them are of the new stage."""
    every, new = [], []
    with open(path, encoding="latin-1") as f:
        f.seek(offset)
        f.readline()
        for row in f:
            if not row.startswith("[") or not row.endswith("\n"):
                continue
            at = seconds_of_day(row)
            every.append(at)
            if row.startswith(f"[{STAGE}]"):
                new.append(at)
    return every, new


def longest_gap(every):
    return max((b - a for a, b in zip(every, every[1:])), default=0.0)


def wait_said(path, n):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        said = SAID.findall(host.read(path))
        if len(said) >= n:
            return said[n - 1]
        time.sleep(0.005)
    raise Failed("not reloaded within 30 s")


def save(path, text):
    with open(path + "~", "w", encoding="ascii") as f:
        f.write(text)
    os.rename(path + "~", path)


def one(bench, where, text):
    """A run of the load; in the middle of it the probe file is saved."""
    path = os.path.join(where, "new.c")
    tool = bench.ours("reload", "--watch", "-R", "0", "--watch", "--probe-dir", where)
    running = Running(tool, bench.work)
    load = subprocess.Popen([bench.loadgen, "rtt", "-P", "-t", str(LOAD_SECONDS), "-c", "1"],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(0.5)
        quiet_from = os.path.getsize(running.rows_path)
        time.sleep(1.0)
        from_size = os.path.getsize(running.rows_path)
        now = time.localtime()
        saved = now.tm_hour * 3600 + now.tm_min * 60 + now.tm_sec + time.time() % 1
        save(path, text)
        compiled, loaded, attached, lost = wait_said(running.err_path, 1)
        time.sleep(0.2)
    finally:
        load.terminate()
        load.wait()
        running.stop()
    every, new = times(running.rows_path, from_size)
    quiet, _ = times(running.rows_path, quiet_from)
    quiet = quiet[:len(quiet) - len(every)]
    exact = running.books()["exact"]
    running.remove()
    if not new:
        raise Failed("no row of the new stage")
    if not exact:
        bench.wrong.append("the books did not balance over a reload")
    return {"compile": float(compiled or 0), "load": int(loaded) / 1000,
            "attach": int(attached) / 1000, "lost": 0 if lost == "no row" else int(lost.split()[0]),
            "first": min(new) - saved, "gap": longest_gap(every), "quiet gap": longest_gap(quiet)}


def asked(bench, expression):
    """A run of the load; in the middle of it a command asks for one more number of each packet:
    rows that have it are of the new program."""
    rows, err = os.path.join(bench.work, "rows"), os.path.join(bench.work, "messages")
    with open(rows, "wb") as out, open(err, "wb") as messages:
        program = subprocess.Popen(
            bench.ours("reload", "-C", "-R", "0", "-C").argv,
            stdin=subprocess.PIPE, stdout=out, stderr=messages)
    load = None
    try:
        end = time.monotonic() + 30
        while "Started TCP" not in host.read(err):
            if time.monotonic() > end or program.poll() is not None:
                raise Failed("not attached within 30 s")
            time.sleep(0.01)
        load = subprocess.Popen([bench.loadgen, "rtt", "-P", "-t", str(LOAD_SECONDS), "-c", "1"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1.5)
        now = time.localtime()
        given = now.tm_hour * 3600 + now.tm_min * 60 + now.tm_sec + time.time() % 1
        program.stdin.write(f"set col x={expression}\n".encode())
        program.stdin.flush()
        compiled, loaded, attached, lost = wait_said(err, 1)
        time.sleep(0.2)
    finally:
        if load:
            load.terminate()
            load.wait()
        program.stdin.close()
        program.wait()
    first = None
    with open(rows, encoding="latin-1") as f:
        for row in f:
            cells = row.rstrip("\n").split(" | ")
            if len(cells) == 9 and row.startswith("[") and cells[8].strip() != "-":
                first = seconds_of_day(cells[7])
                break
    if first is None:
        raise Failed("no row of the new program")
    if "received: exact" not in host.read(err):
        bench.wrong.append("the books did not balance over a command")
    return {"compile": float(compiled or 0), "load": int(loaded) / 1000,
            "attach": int(attached) / 1000, "lost": 0 if lost == "no row" else int(lost.split()[0]),
            "first": first - given}


def measure_commands(bench, until):
    """The same for commands."""
    got = {"cold": [], "warm": []}
    fixed = f"seq+{time.time_ns() % 1000000007}"
    for number in range(6):
        for key in ("cold", "warm"):
            if time.monotonic() > until:
                return got
            m = asked(bench, fixed if key == "warm" else f"seq+{time.time_ns() % 1000000007}")
            if key == "cold" or number:
                got[key].append(m)
    return got


def measure(bench, until):
    """({"cold": [...], "warm": [...]})"""
    where = os.path.join(bench.work, "reload")
    os.makedirs(where, mode=0o755, exist_ok=True)
    got = {"cold": [], "warm": []}
    fixed = PROBE % f"warm {time.time()}"
    for number in range(6):
        for key in ("cold", "warm"):
            if time.monotonic() > until:
                return got
            try:
                os.unlink(os.path.join(where, "new.c"))
            except FileNotFoundError:
                pass
            m = one(bench, where, fixed if key == "warm" else PROBE % f"cold {time.time()}")
            if key == "cold" or number:  # the first one fills the cache
                got[key].append(m)
    return got
