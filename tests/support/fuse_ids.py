#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A FUSE file system that notes which ids and devices the kernel sends it.

A peer for the tests: it mounts by mount(2) and speaks the protocol itself (include/uapi/linux/fuse.h of Linux, version
7.31), with the standard library alone.

    fuse_ids.py MOUNTPOINT LOG COMMAND...   runs the command while it is mounted; its exit status

It is mounted as an edit mount of a user is: user_id=0,group_id=0,allow_other,default_permissions.  Its one directory has
the files `program` (id(1), setuid of 7:8), `zero` (the character device 1,5), `unknown` and `half` (0644, of 70000:70001
and of 0:70001, which the tests do not map).  A line of LOG for each request that changes something, with the ids of who
asks behind it:

    setattr NAME uid=1 gid=2 mode=0644  by 0:0
    mknod NAME mode=0100644 rdev=1:5    by 0:0
"""
import ctypes
import errno
import os
import stat
import struct
import subprocess
import sys
import threading

OPTIONS = "user_id=0,group_id=0,allow_other,default_permissions"
BUFFER = (1 << 20) + (1 << 16)
LOOKUP, FORGET, GETATTR, SETATTR, MKNOD, MKDIR, OPEN, READ = 1, 2, 3, 4, 8, 9, 14, 15
RELEASE, SETXATTR, FLUSH, INIT, OPENDIR, RELEASEDIR, INTERRUPT, BATCH_FORGET = 18, 21, 25, 26, 27, 29, 36, 42
FATTR_MODE, FATTR_UID, FATTR_GID = 1, 2, 4
MNT_DETACH = 2


class Node:
    def __init__(self, name, mode, uid, gid, rdev=0):
        self.name, self.mode, self.uid, self.gid, self.rdev = name, mode, uid, gid, rdev


class Server:
    def __init__(self, fd, log):
        self.fd = fd
        self.log = log
        with open("/usr/bin/id", "rb") as f:
            self.content = f.read()
        self.nodes = [  # the number of a node is its place, from 1
            Node("", stat.S_IFDIR | 0o777, 0, 0),
            Node("program", stat.S_IFREG | 0o6755, 7, 8),
            Node("zero", stat.S_IFCHR | 0o666, 0, 0, 1 << 8 | 5),
            Node("unknown", stat.S_IFREG | 0o644, 70000, 70001),
            Node("half", stat.S_IFREG | 0o644, 0, 70001),
        ]

    def attr(self, number):
        n = self.nodes[number - 1]
        size = len(self.content) if stat.S_ISREG(n.mode) else 0
        return struct.pack("<QQQ24x12xIIIIIII", number, size, 0, n.mode, 1, n.uid, n.gid, n.rdev, 4096, 0)

    def attr_out(self, number):
        return bytes(16) + self.attr(number)

    def entry_out(self, number):
        return struct.pack("<Q32x", number) + self.attr(number)

    def lookup(self, name):
        for number, n in enumerate(self.nodes, 1):
            if n.name == name:
                return self.entry_out(number)
        raise OSError(errno.ENOENT, name)

    def make(self, name, mode, rdev, who):
        self.nodes.append(Node(name, mode, *who, rdev))
        return self.entry_out(len(self.nodes))

    def setattr(self, number, body, who):
        n = self.nodes[number - 1]
        (valid,) = struct.unpack_from("<I", body)
        mode, _, uid, gid = struct.unpack_from("<IIII", body, 68)
        said = ""
        if valid & FATTR_UID:
            n.uid, said = uid, f"{said} uid={uid}"
        if valid & FATTR_GID:
            n.gid, said = gid, f"{said} gid={gid}"
        if valid & FATTR_MODE:
            n.mode, said = mode, f"{said} mode={stat.S_IMODE(mode):04o}"
        self.note(f"setattr {n.name}{said}", who)
        return self.attr_out(number)

    def note(self, text, who):
        print(f"{text} by {who[0]}:{who[1]}", file=self.log, flush=True)

    def answer(self, op, number, body, who):
        if op == INIT:
            return struct.pack("<IIIIHHIIHHI28x", 7, 31, 65536, 0, 16, 12, 131072, 1, 32, 0, 0)
        if op == LOOKUP:
            return self.lookup(body[:-1].decode())
        if op == GETATTR:
            return self.attr_out(number)
        if op == SETATTR:
            return self.setattr(number, body, who)
        if op == MKNOD:
            mode, rdev = struct.unpack_from("<II", body)
            name = body[16:-1].decode()
            self.note(f"mknod {name} mode={mode:06o} rdev={rdev >> 8}:{rdev & 255}", who)
            return self.make(name, mode, rdev, who)
        if op == MKDIR:
            (mode,) = struct.unpack_from("<I", body)
            name = body[8:-1].decode()
            self.note(f"mkdir {name} mode={mode:04o}", who)
            return self.make(name, stat.S_IFDIR | mode, 0, who)
        if op == SETXATTR:
            name, value = body[8:].split(b"\0", 1)
            self.note(f"setxattr {self.nodes[number - 1].name} {name.decode()}={value.hex()}", who)
            return b""
        if op in (OPEN, OPENDIR):
            return bytes(16)
        if op == READ:
            _, offset, size = struct.unpack_from("<QQI", body)
            return self.content[offset : offset + size]
        if op in (RELEASE, RELEASEDIR, FLUSH):
            return b""
        raise OSError(errno.ENOSYS, "")

    def serve(self):
        while True:
            try:
                request = os.read(self.fd, BUFFER)
            except OSError as e:
                if e.errno == errno.ENOENT:  # interrupted before it was read
                    continue
                return  # ENODEV: unmounted
            length, op, unique, number, uid, gid = struct.unpack_from("<IIQQII", request)
            if op in (FORGET, BATCH_FORGET, INTERRUPT):
                continue
            code, out = 0, b""
            try:
                out = self.answer(op, number, request[40:length], (uid, gid))
            except OSError as e:
                code = -e.errno
            os.write(self.fd, struct.pack("<IiQ", 16 + len(out), code, unique) + out)


def main():
    where, log, *command = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    fd = os.open("/dev/fuse", os.O_RDWR)
    data = f"fd={fd},rootmode={stat.S_IFDIR:o},{OPTIONS}"
    if libc.mount(b"fuse_ids", where.encode(), b"fuse", 0, data.encode()) < 0:
        sys.exit(f"mount: {os.strerror(ctypes.get_errno())}")
    with open(log, "w", encoding="utf-8") as f:
        threading.Thread(target=Server(fd, f).serve, daemon=True).start()
        status = subprocess.call(command)
        libc.umount2(where.encode(), MNT_DETACH)
    return status


if __name__ == "__main__":
    sys.exit(main())
