# SPDX-License-Identifier: MIT
"""A reader that is stopped in the middle of a read(2), with its socket locked, and goes on when
it is told: the memory that it reads into is not there until then (userfaultfd)."""
import ctypes
import fcntl
import mmap
import os
import select
import struct

SYS_USERFAULTFD = 323 if os.uname().machine == "x86_64" else 282
UFFDIO_API, UFFDIO_REGISTER, UFFDIO_ZEROPAGE = 0xC018AA3F, 0xC020AA00, 0xC020AA04
PAGE = mmap.PAGESIZE
libc = ctypes.CDLL(None, use_errno=True)


class Memory:
    """One page; who touches it waits until it is there()."""

    def __init__(self):
        self.fd = libc.syscall(SYS_USERFAULTFD, os.O_CLOEXEC)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "userfaultfd")
        self.page = mmap.mmap(-1, PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.at = ctypes.addressof(ctypes.c_char.from_buffer(self.page))
        fcntl.ioctl(self.fd, UFFDIO_API, bytearray(struct.pack("=3Q", 0xAA, 0, 0)))
        fcntl.ioctl(self.fd, UFFDIO_REGISTER, bytearray(struct.pack("=4Q", self.at, PAGE, 1, 0)))

    def wait_touched(self):
        if not select.select([self.fd], [], [], 20)[0]:
            raise RuntimeError("nobody reads")
        os.read(self.fd, 32)

    def there(self):
        fcntl.ioctl(self.fd, UFFDIO_ZEROPAGE, bytearray(struct.pack("=4Q", self.at, PAGE, 0, 0)))

    def close(self):
        os.close(self.fd)
