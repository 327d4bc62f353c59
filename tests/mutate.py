#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Do the tests see when one comparison is wrong?

mutate.py [--list FILE] [--keep DIR] [--table] [WORD...]

Takes the mutations of tests/mutations.txt one at a time into a copy of the tree, builds what
the mutation's tests need, runs them, and says whether one failed: the mutation is killed; or
none: it survived. WORDs select the mutations whose file or text contains one of them.

First the tests are run without any mutation: they must pass. A text that is not found
exactly once, or a mutation that does not build, is an error of the list, and as bad as a
survivor; what the list says is equivalent is not run. Exit status 1 for any of these.

The list: a block for each mutation,

    @ FILE TEST...
    - the text as it stands in the file (several lines: several "-")
    + the text that takes its place
    = why no test can see it (instead of being run)

and "#" lines between. FILE may be a pattern, where it does not matter in which of its files
the text stands. A TEST is unit/NAME, fuzz/NAME (its seeds) or live/NAME (as root).
"""
import argparse
import glob
import os
import shutil
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TEST_SECONDS = 300


class Mutation:
    def __init__(self, where, words):
        self.where = where  # line in the list
        self.file, self.tests = words[0], words[1:]
        self.old, self.new, self.reason = [], [], []

    def short(self):
        """The first line that differs."""
        for old, new in zip(self.old, self.new):
            if old != new:
                return f"{old.strip()}  ->  {new.strip() or '(nothing)'}"
        return self.old[-1].strip()


def fail(message):
    print(f"mutate.py: {message}", file=sys.stderr)
    sys.exit(2)


def read_list(path):
    found = []
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip("\n")
            mark, text = line[:1], line[2:]
            if mark == "@":
                found.append(Mutation(number, text.split()))
            elif mark in "-+=" and mark and found:
                m = found[-1]
                {"-": m.old, "+": m.new, "=": m.reason}[mark].append(text)
            elif line and mark != "#":
                fail(f"{path}:{number}: what is this?")
    for m in found:
        if not m.old or not (m.tests or m.reason) or m.old == m.new:
            fail(f"{path}:{m.where}: needs old text, new text and tests")
    return found


def copy_tree(to):
    """What git knows or does not ignore, as it stands here, and the objects that were built from it."""
    names = subprocess.run(["git", "ls-files", "-coz", "--exclude-standard"], cwd=TOP, check=True,
                           stdout=subprocess.PIPE).stdout.decode().split("\0")
    for name in filter(None, names):
        source = os.path.join(TOP, name)
        if os.path.exists(source):
            os.makedirs(os.path.dirname(os.path.join(to, name)), exist_ok=True)
            shutil.copy2(source, os.path.join(to, name))
    if os.path.isdir(os.path.join(TOP, "build", "opt")):
        shutil.copytree(os.path.join(TOP, "build", "opt"), os.path.join(to, "build", "opt"))
    # probes that others could write are refused
    for path, _, files in os.walk(to):
        for name in [path] + [os.path.join(path, f) for f in files]:
            os.chmod(name, os.stat(name).st_mode & ~0o022)


def target(test):
    kind, _, name = test.partition("/")
    return {"unit": f"build/opt/tests/unit/{name}", "fuzz": f"build/opt/tests/fuzz/fuzz_{name}",
            "live": "linux_net_kernel"}.get(kind) or fail(f"no such test: {test}")


def command(tree, test):
    kind, _, name = test.partition("/")
    if kind == "live":
        return [os.path.join(tree, "tests", "live", name + ".sh")]
    if kind == "unit":
        return [os.path.join(tree, target(test))]
    seeds = os.path.join(tree, "tests", "fuzz", "corpus", name)
    return [os.path.join(tree, target(test))] + [os.path.join(seeds, s) for s in os.listdir(seeds)]


def build(tree, tests):
    return subprocess.run(["make", "-s", f"-j{os.cpu_count()}"] + sorted({target(t) for t in tests}),
                          cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def failure(tree, test):
    """What failed, or None."""
    env = dict(os.environ, LNK=os.path.join(tree, "linux_net_kernel"))
    child = subprocess.Popen(command(tree, test), cwd=tree, env=env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                             start_new_session=True)
    try:
        out = child.communicate(timeout=TEST_SECONDS)[0].decode(errors="replace")
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, 15)
        child.communicate()
        return "hangs"
    for line in out.splitlines():
        if line.startswith("not ok - "):
            return line[len("not ok - "):]
    if not any(line.startswith("ok - ") for line in out.splitlines()) and not test.startswith("fuzz/"):
        return None if "skip - " in out and not child.returncode else f"exit status {child.returncode}"
    return f"exit status {child.returncode}" if child.returncode else None


def try_one(tree, m):
    """(result, detail): killed, SURVIVED, NOT FOUND, DOES NOT BUILD, equivalent."""
    old, new = "\n".join(m.old), "\n".join(m.new)
    found, times = None, 0
    for path in glob.glob(os.path.join(tree, m.file)):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        times += text.count(old)
        found = (path, text) if old in text else found
    if times != 1:
        return "NOT FOUND", f"{times} times in {m.file}"
    path, text = found
    if m.reason:
        return "equivalent", " ".join(m.reason)
    try:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace(old, new))
        built = build(tree, m.tests)
        if built.returncode:
            return "DOES NOT BUILD", built.stdout.decode(errors="replace").strip()[:2000]
        for test in m.tests:
            what = failure(tree, test)
            if what:
                return "killed", f"{test}: {what}" if not what.startswith(test[5:]) else what
        return "SURVIVED", " ".join(m.tests)
    finally:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--list", default=os.path.join(TOP, "tests", "mutations.txt"))
    parser.add_argument("--keep", help="copy the tree to this directory, and leave it there")
    parser.add_argument("--table", action="store_true", help="a table for docs/testing.md at the end")
    parser.add_argument("words", nargs="*")
    args = parser.parse_args()
    chosen = [m for m in read_list(args.list) if not args.words or
              any(w in m.file or w in "\n".join(m.old + m.new) for w in args.words)]
    if not chosen:
        fail("no such mutation")
    os.umask(0o022)
    tree = args.keep or tempfile.mkdtemp(prefix="lnk-mutate.")
    os.chmod(tree, 0o755) if os.path.isdir(tree) else os.makedirs(tree)
    results = []
    try:
        copy_tree(tree)
        tests = sorted({t for m in chosen if not m.reason for t in m.tests})
        built = build(tree, tests)
        if built.returncode:
            fail(f"the tree does not build:\n{built.stdout.decode(errors='replace')}")
        for test in tests:
            what = failure(tree, test)
            if what:
                fail(f"{test} fails without any mutation: {what}")
        for m in chosen:
            begun = time.monotonic()
            result, detail = try_one(tree, m)
            results.append((m, result))
            print(f"{result}: {m.file}: {m.short()} [{time.monotonic() - begun:.0f} s]\n    {detail}",
                  flush=True)
    finally:
        if not args.keep:
            shutil.rmtree(tree, ignore_errors=True)
    count = {r: sum(1 for _, got in results if got == r) for r in
             ("killed", "equivalent", "SURVIVED", "NOT FOUND", "DOES NOT BUILD")}
    if args.table:
        print("\n| file | mutations | killed | equivalent |\n|---|---|---|---|")
        for name in dict.fromkeys(m.file for m, _ in results):
            of = [r for m, r in results if m.file == name]
            print(f"| {name} | {len(of)} | {of.count('killed')} | {of.count('equivalent')} |")
    print(", ".join(f"{n} {r.lower()}" for r, n in count.items()))
    sys.exit(any(n for r, n in count.items() if r.isupper()))


if __name__ == "__main__":
    main()
