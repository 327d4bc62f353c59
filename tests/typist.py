#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A program on a terminal of its own, with somebody who types.

    typist.py COMMAND... < STEPS

Steps, one a line:
    wait TEXT    until the terminal has shown it, after what was waited for before
    keys TEXT    type it; \\r, \\t, \\x03 and so on are what they are in Python
    size N       the terminal has N columns from now on
    run COMMAND  in a shell, to its end
    stop, go     stop to take what the program writes; take it again
    pid FILE     write the program's process ID there

stdin, stdout and stderr of the program are the terminal, unless $TYPIST_OUT or
$TYPIST_ERR name a file for one of the last two. What the terminal showed goes to stdout.
The exit status is the program's; 97 where a text did not come within 20 seconds, 98 where
the program did not end, 99 where it left the terminal in another mode.
"""
import fcntl
import os
import select
import struct
import subprocess
import sys
import termios
import time

PATIENCE = 20


class Terminal:
    def __init__(self, command):
        self.master, self.slave = os.openpty()
        self.seen = b""
        self.done = 0
        self.reading = True
        self.size(80)
        self.mode = termios.tcgetattr(self.slave)
        self.program = subprocess.Popen(
            command, stdin=self.slave, stdout=self.file("TYPIST_OUT"),
            stderr=self.file("TYPIST_ERR"), preexec_fn=self.own_session)

    def file(self, variable):
        name = os.environ.get(variable)
        return open(name, "wb") if name else self.slave

    @staticmethod
    def own_session():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def size(self, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))

    def take(self, seconds):
        if not self.reading:
            time.sleep(seconds)
        elif select.select([self.master], [], [], seconds)[0]:
            self.seen += os.read(self.master, 65536)

    def wait(self, text):
        end = time.monotonic() + PATIENCE
        while True:
            at = self.seen.find(text, self.done)
            if at >= 0:
                self.done = at + len(text)
                return
            if time.monotonic() > end:
                self.leave(97, f"did not come: {text!r}")
            self.take(0.05)

    def step(self, line):
        word, _, rest = line.rstrip("\n").partition(" ")
        text = rest.encode().decode("unicode_escape").encode("latin-1")
        if word == "wait":
            self.wait(text)
        elif word == "keys":
            os.write(self.master, text)
        elif word == "size":
            self.size(int(rest))
        elif word == "run":
            child = subprocess.Popen(rest, shell=True, stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL)
            while child.poll() is None:
                self.take(0.02)
        elif word in ("stop", "go"):
            self.reading = word == "go"
        elif word == "pid":
            with open(rest, "w", encoding="ascii") as f:
                f.write(str(self.program.pid))
        else:
            self.leave(96, f"no such step: {line!r}")

    def leave(self, status, why=""):
        self.program.kill()
        os.write(1, self.seen.replace(b"\r\n", b"\n"))
        if why:
            print(f"typist: {why}", file=sys.stderr)
        sys.exit(status)

    def end(self):
        until = time.monotonic() + PATIENCE
        while self.program.poll() is None:
            if time.monotonic() > until:
                self.leave(98, "the program did not end")
            self.take(0.05)
        while select.select([self.master], [], [], 0)[0]:
            self.take(0)
        if termios.tcgetattr(self.slave) != self.mode:
            self.leave(99, "the terminal was left in another mode")
        self.leave(self.program.returncode)


def main():
    terminal = Terminal(sys.argv[1:])
    for line in sys.stdin:
        terminal.step(line)
    terminal.end()


main()
