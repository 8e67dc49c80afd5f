"""Becomes another program, in which socket(2) knows no IPv6, as on a kernel built without it.

    without-ipv6.py PROGRAM [ARGUMENT...]

Exits with 77 where no seccomp filter may be set.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

# linux/seccomp.h, linux/prctl.h, linux/filter.h
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
ALLOW, FAIL = 0x7FFF0000, 0x00050000
LOAD_WORD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
# Offsets in struct seccomp_data, on a little-endian machine.
SYSCALL, FIRST_ARGUMENT = 0, 16
SOCKET = {"x86_64": 41, "aarch64": 198}.get(platform.machine(), -1)
AF_INET6 = 10

PROGRAM = [
    (LOAD_WORD, 0, 0, SYSCALL),
    (JUMP_IF_EQUAL, 0, 3, SOCKET),
    (LOAD_WORD, 0, 0, FIRST_ARGUMENT),
    (JUMP_IF_EQUAL, 0, 1, AF_INET6),
    (RETURN, 0, 0, FAIL | errno.EAFNOSUPPORT),
    (RETURN, 0, 0, ALLOW),
]


class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


instructions = b"".join(struct.pack("=HBBI", *instruction) for instruction in PROGRAM)
program = Filter(len(PROGRAM), instructions)
libc = ctypes.CDLL(None)
set_up = (
    SOCKET != -1
    and libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    and libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) == 0
)
if not set_up:
    sys.exit(77)
os.execv(sys.argv[1], sys.argv[1:])
