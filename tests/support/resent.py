#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each request that changes something, carried out by a process that dies before it can say so.

Usage: resent.py MOUNTPOINT FILE

For an edit mount that was made with tests/support/unanswered.c preloaded and $SHALE_UNANSWERED=FILE: the worker dies when it is
about to answer the kind of request that FILE names.  The kernel sends the request again to the next worker, which must not carry
it out a second time: mkdir would say EEXIST.  Prints a line for each that goes wrong and in the end "N requests, M failed"; ends
with 1 when any did.
"""
import ctypes
import os
import stat
import sys

RENAME_NOREPLACE, RENAME_EXCHANGE = 1, 2
FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE = 1, 2
libc = ctypes.CDLL(None, use_errno=True)


def check(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def rename(old, new, flags):
    check(libc.renameat2(-100, old.encode(), -100, new.encode(), flags))


def fallocate(path, mode, offset, length):
    fd = os.open(path, os.O_RDWR)
    try:
        check(libc.fallocate(fd, mode, ctypes.c_long(offset), ctypes.c_long(length)))
    finally:
        os.close(fd)


def put(path, content=b"content"):
    with open(path, "wb") as f:
        f.write(content)


def get(path):
    with open(path, "rb") as f:
        return f.read()


def write(path, flags, content, offset=None):
    fd = os.open(path, flags)
    try:
        if offset is None:
            os.write(fd, content)
        else:
            os.pwrite(fd, content, offset)
    finally:
        os.close(fd)


def copy_range(source, target):
    a, b = os.open(source, os.O_RDONLY), os.open(target, os.O_RDWR)
    try:
        assert os.copy_file_range(a, b, 4, 0, 2) == 4
    finally:
        os.close(a)
        os.close(b)


def names():
    return sorted(os.listdir("."))


BIG = bytes(range(1, 251)) * 80  # in a data file, not in a row

# Name, opcode (include/uapi/linux/fuse.h), what is there before, the call, what must be true afterwards.
REQUESTS = [
    ("create", 35, lambda: None, lambda: os.close(os.open("n", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o640)),
     lambda: stat.S_IMODE(os.stat("n").st_mode) == 0o640),
    ("mkdir", 9, lambda: None, lambda: os.mkdir("n"), lambda: os.stat("n").st_nlink == 2 and os.stat(".").st_nlink == 3),
    ("mknod", 8, lambda: None, lambda: os.mkfifo("n"), lambda: stat.S_ISFIFO(os.stat("n").st_mode)),
    ("symlink", 6, lambda: None, lambda: os.symlink("t", "n"), lambda: os.readlink("n") == "t"),
    ("link", 13, lambda: put("f"), lambda: os.link("f", "n"), lambda: os.stat("f").st_nlink == 2),
    ("unlink", 10, lambda: put("f"), lambda: os.unlink("f"), lambda: names() == []),
    ("rmdir", 11, lambda: os.mkdir("d"), lambda: os.rmdir("d"), lambda: names() == [] and os.stat(".").st_nlink == 2),
    ("rename", 12, lambda: put("f"), lambda: os.rename("f", "n"), lambda: names() == ["n"]),
    ("rename over", 12, lambda: (put("f"), put("n", b"old")), lambda: os.rename("f", "n"),
     lambda: names() == ["n"] and get("n") == b"content"),
    ("rename NOREPLACE", 45, lambda: put("f"), lambda: rename("f", "n", RENAME_NOREPLACE), lambda: names() == ["n"]),
    ("rename EXCHANGE", 45, lambda: (put("f"), put("n", b"old")), lambda: rename("f", "n", RENAME_EXCHANGE),
     lambda: get("f") == b"old" and get("n") == b"content"),
    ("chmod", 4, lambda: put("f"), lambda: os.chmod("f", 0o4711), lambda: stat.S_IMODE(os.stat("f").st_mode) == 0o4711),
    ("chown", 4, lambda: put("f"), lambda: os.chown("f", 5, 6), lambda: (os.stat("f").st_uid, os.stat("f").st_gid) == (5, 6)),
    ("utimens", 4, lambda: put("f"), lambda: os.utime("f", ns=(1, 2)), lambda: os.stat("f").st_mtime_ns == 2),
    ("truncate", 4, lambda: put("f"), lambda: os.truncate("f", 3), lambda: get("f") == b"con"),
    ("truncate up", 4, lambda: put("f", BIG), lambda: os.truncate("f", len(BIG) + 5), lambda: get("f") == BIG + bytes(5)),
    ("open O_TRUNC", 4, lambda: put("f", BIG), lambda: os.close(os.open("f", os.O_WRONLY | os.O_TRUNC)), lambda: get("f") == b""),
    ("write", 16, lambda: put("f"), lambda: write("f", os.O_WRONLY, b"C"), lambda: get("f") == b"Content"),
    ("write to a data file", 16, lambda: put("f", BIG), lambda: write("f", os.O_WRONLY, b"!", 7000),
     lambda: get("f") == BIG[:7000] + b"!" + BIG[7001:]),
    ("append", 16, lambda: put("f"), lambda: write("f", os.O_WRONLY | os.O_APPEND, b"!"), lambda: get("f") == b"content!"),
    ("fallocate", 43, lambda: put("f", BIG), lambda: fallocate("f", FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE, 0, 8192),
     lambda: get("f") == bytes(8192) + BIG[8192:]),
    ("copy_file_range", 47, lambda: (put("f"), put("g", b"......")), lambda: copy_range("f", "g"), lambda: get("g") == b"..cont"),
    ("setxattr CREATE", 21, lambda: put("f"), lambda: os.setxattr("f", "user.a", b"v", os.XATTR_CREATE),
     lambda: os.getxattr("f", "user.a") == b"v"),
    ("setxattr REPLACE", 21, lambda: (put("f"), os.setxattr("f", "user.a", b"o")),
     lambda: os.setxattr("f", "user.a", b"v", os.XATTR_REPLACE), lambda: os.getxattr("f", "user.a") == b"v"),
    ("removexattr", 24, lambda: (put("f"), os.setxattr("f", "user.a", b"v")), lambda: os.removexattr("f", "user.a"),
     lambda: os.listxattr("f") == []),
]


def remove_all(folder):
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if os.path.isdir(path) and not os.path.islink(path):
            os.rmdir(path)
        else:
            os.unlink(path)


def run(request, file):
    """What goes wrong, or None."""
    _, opcode, before, call, is_right = request
    before()
    with open(file, "w", encoding="ascii") as f:
        f.write(f"{opcode}")
    try:
        call()
    except OSError as e:
        return f"{e.strerror}"
    if os.path.getsize(file) > 0:
        return "no worker has died"
    return None if is_right() else "it is not as it should be"


def main():
    mountpoint, file = sys.argv[1], os.path.abspath(sys.argv[2])
    folder = os.path.join(mountpoint, "resent")
    os.mkdir(folder)
    os.chdir(folder)
    failed = 0
    for request in REQUESTS:
        problem = run(request, file)
        if problem:
            print(f"{request[0]}: {problem}")
            failed += 1
        open(file, "w", encoding="ascii").close()
        remove_all(".")
    print(f"{len(REQUESTS)} requests, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
