"""Becomes another program, to which system calls fail, as on another kernel or in a container with another profile.

    failing-calls.py ERROR CALLS PROGRAM [ARGUMENT...]

ERROR is a name of errno(3). CALLS are numbers of this machine: `435` is one system call, `333-` all from that one on, and
`41:10` one whose first argument is 10. Exits with 77 where no seccomp filter may be set.
"""

import ctypes
import errno
import os
import re
import struct
import sys

# linux/seccomp.h, linux/prctl.h, linux/filter.h
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
ALLOW, FAIL = 0x7FFF0000, 0x00050000
LOAD_WORD, JUMP_IF_EQUAL, JUMP_IF_GREATER_OR_EQUAL, RETURN = 0x20, 0x15, 0x35, 0x06
# Offsets in struct seccomp_data, on a little-endian machine.
SYSCALL, FIRST_ARGUMENT = 0, 16

error, calls, *command = sys.argv[1:]
number, on, argument = re.fullmatch(r"(\d+)(?:(-)|:(\d+))?", calls).groups()
fail, allow = (RETURN, 0, 0, FAIL | getattr(errno, error)), (RETURN, 0, 0, ALLOW)
PROGRAM = [
    (LOAD_WORD, 0, 0, SYSCALL),
    (JUMP_IF_GREATER_OR_EQUAL if on else JUMP_IF_EQUAL, 1, 0, int(number)),
    allow,
    *([(LOAD_WORD, 0, 0, FIRST_ARGUMENT), (JUMP_IF_EQUAL, 1, 0, int(argument)), allow] if argument else []),
    fail,
]


class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


instructions = b"".join(struct.pack("=HBBI", *instruction) for instruction in PROGRAM)
program = Filter(len(PROGRAM), instructions)
libc = ctypes.CDLL(None)
set_up = (
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    and libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) == 0
)
if not set_up:
    sys.exit(77)
os.execv(command[0], command)
