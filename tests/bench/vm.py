#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run by bench.py inside a virtual machine: what each kind of hook costs and misses, and
what each further stage costs. A machine without acceleration is some fifteen times
slower: only ratios are worth something. Prints
JSON: a line after each step, so that the last one is whole even if the machine ends.

    vm.py --seconds N --lnk PROGRAM --loadgen PROGRAM
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True  # nothing is left in the source tree
# pylint: disable=wrong-import-position
import host
import tools
from tools import PROBES, Bench, Failed, Running

KINDS = ("fentry", "kprobe")
LOAD = ["rtt", "-t", "1.5"]
BULK_SECONDS = 3


def note(text):
    print(f"bench: vm: {text}", file=sys.stderr, flush=True)


def kept(bench, tool, rounds):
    got = []
    before = bench.measure(None, LOAD)["rate"]
    for _ in range(rounds):
        rate = bench.measure(tool, LOAD)["rate"]
        after = bench.measure(None, LOAD)["rate"]
        got.append(2 * rate / (before + after))
        before = after
    return got


def hits(bench, tool):
    m = bench.measure(tool, LOAD, stats=True)
    return [(name, ns / calls) for name, calls, ns, _insns in m["programs"] if calls > 50]


def cable():
    """eth1 in a namespace of its own, joined to eth0 by virtio cards: packets arrive by
    interrupts, which is what makes kprobes miss calls."""
    ns = host.Namespace()
    host.run("ip", "link", "set", "eth1", "netns", str(ns.holder.pid))
    host.run("ip", "addr", "add", "192.0.2.1/24", "dev", "eth0")
    host.run("ip", "link", "set", "eth0", "up")
    ns.ip("addr", "add", "192.0.2.2/24", "dev", "eth1")
    ns.ip("link", "set", "eth1", "up")
    time.sleep(1)
    return ns


def misses(bench, tool, ns):
    """Calls of ip_local_deliver that were seen, of those that the kernel's own counter
    InDelivers has (it is counted in the same function)."""
    def delivered():
        return host.snmp("Ip", "InDelivers") + ns.snmp("Ip", "InDelivers")

    running = Running(tool, bench.work)
    try:
        running.begin()
        before = delivered()
        rate = bench.load("bulk", "-t", str(BULK_SECONDS), "-a", "192.0.2.2", "-s", ns.path)
        after = delivered()
        running.settle()
    finally:
        running.stop()
    books = running.books()
    return {"delivered": after - before, "rate": rate, "lost": books.get("lost"),
            "seen": books.get("ip_rcv_finish", {}).get("seen"), "missed": books.get("missed")}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seconds", type=float, default=120)
    p.add_argument("--lnk", required=True)
    p.add_argument("--loadgen", required=True)
    args = p.parse_args()
    tools.READY_SECONDS = 150  # a compile takes so long there
    end = time.monotonic() + args.seconds
    work = host.work_directory()
    foreign = host.prepare(work)
    bench = Bench(work, args.lnk, args.loadgen, foreign)
    data = {"kernel": os.uname().release, "kinds": {}, "stages": {}, "wrong": []}

    def attempt(what, where, key, needs):
        if time.monotonic() + needs > end:
            data["wrong"].append(f"no time left for {key}")
            return
        try:
            where[key] = what()
        except (Failed, OSError, KeyError, ValueError, subprocess.SubprocessError) as error:
            data["wrong"].append(f"{key}: {getattr(error, 'stderr', None) or error}")
        note(f"{key}: {where.get(key)}")
        print(json.dumps(data), flush=True)

    ns = None
    try:
        ns = cable()
    except (OSError, subprocess.CalledProcessError) as error:
        data["wrong"].append(f"no network cards: {error}")
    for kind in KINDS:
        tool = bench.ours(kind, kind, "-R", "0", "--attach", kind)
        k = data["kinds"].setdefault(kind, {})
        attempt(lambda t=tool: kept(bench, t, 2), k, "kept", 18)
        attempt(lambda t=tool: hits(bench, t), k, "hits", 8)
        if ns:
            attempt(lambda t=tool: misses(bench, t, ns), k, "misses", 12)
    for n in range(1, len(PROBES) + 1):
        attempt(lambda n=n: kept(bench, bench.stages(n), 1), data["stages"], n, 18)
    data["wrong"] += bench.wrong
    print(json.dumps(data), flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    main()
