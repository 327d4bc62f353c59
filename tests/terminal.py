#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A program on a terminal of its own, which can be resized.

    terminal.py WIDTHFILE COMMAND...

The terminal has as many columns as the file says, also when it comes to say another
number. What the program writes on the terminal goes to stdout, its stderr is ours. SIGINT
is passed on; the exit status is the program's.
"""
import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios


def main():
    widths, command = sys.argv[1], sys.argv[2:]
    master, terminal = os.openpty()
    now = 0
    program = None
    while True:
        with open(widths, encoding="ascii") as f:
            width = int(f.read() or 0)
        if width and width != now:
            fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
            now = width
        if not program:
            program = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=terminal)
            signal.signal(signal.SIGINT, lambda *_: program.send_signal(signal.SIGINT))
            os.close(terminal)
        if not select.select([master], [], [], 0.05)[0]:
            continue
        try:
            data = os.read(master, 65536)
        except OSError:  # the program has closed it
            break
        os.write(1, data.replace(b"\r\n", b"\n"))
    sys.exit(program.wait())


main()
