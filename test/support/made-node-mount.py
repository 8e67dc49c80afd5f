"""Mounts a file system on a directory, answers every request with an error, and notes each request's name.

    made-node-mount.py DIRECTORY >LOG

Writes "mounted" first, and each name before it answers. Ends when it is unmounted. Exits with 77 where it may not mount.
Attributes are never cached, so not even a stat of the mount point stays unseen.
"""

import ctypes
import errno
import os
import struct
import sys

# linux/fuse.h
NAMES = {
    1: "LOOKUP",
    3: "GETATTR",
    5: "READLINK",
    14: "OPEN",
    17: "STATFS",
    22: "GETXATTR",
    27: "OPENDIR",
    34: "ACCESS",
    52: "STATX",
}
FORGET, INIT, INTERRUPT, DESTROY, BATCH_FORGET = 2, 26, 36, 38, 42
NO_ANSWER = {FORGET, INTERRUPT, BATCH_FORGET}
HEADER, ANSWER = "<IIQQ", "<IiQ"
# struct fuse_init_out of version 7.23 and later: version, read-ahead, flags, limits of the background, largest write.
INIT_OUT = struct.pack("<IIIIHHI", 7, 31, 0, 0, 0, 0, 65536) + bytes(40)

directory = sys.argv[1]
libc = ctypes.CDLL(None, use_errno=True)
try:
    device = os.open("/dev/fuse", os.O_RDWR)
except OSError:
    sys.exit(77)
options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other"
if libc.mount(b"silent", directory.encode(), b"fuse.silent", 0, options.encode()) != 0:
    sys.exit(77)
print("mounted", flush=True)

while True:
    try:
        request = os.read(device, 1 << 17)
    except OSError as error:
        if error.errno == errno.ENODEV:
            sys.exit(0)
        raise
    _, opcode, unique, _ = struct.unpack_from(HEADER, request)
    if opcode == INIT:
        os.write(device, struct.pack(ANSWER, 16 + len(INIT_OUT), 0, unique) + INIT_OUT)
    elif opcode not in NO_ANSWER:
        if opcode != DESTROY:
            print(NAMES.get(opcode, f"request {opcode}"), flush=True)
        os.write(device, struct.pack(ANSWER, 16, -errno.EIO, unique))
