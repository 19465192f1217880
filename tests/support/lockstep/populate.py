# SPDX-License-Identifier: Apache-2.0
"""A tree to start from: the same in every directory that it is made in."""
import os
import stat
import zlib

import syscalls
from lockstep.attributes import CAPABILITY
from lockstep.content import content

MANY = 2_000  # names in one directory
BIG = 6 << 20  # bytes
LEVELS = 30
LONG_LEVELS = 6
FIRST_TIME = 1_400_000_000  # seconds


def write(path, *parts, mode=0o644, size=None):
    """Parts are offsets and bytes; between them are holes."""
    with open(path, "xb") as f:
        for offset, data in parts:
            f.seek(offset)
            f.write(data)
        if size is not None:
            f.truncate(size)
    os.chmod(path, mode)


def files():
    os.mkdir("files")
    write("files/empty")
    write("files/small", (0, b"hello\n"))
    write("files/page", (0, content(3, 4096)))
    write("files/random", (0, content(5, 300_001)))
    write("files/text", (0, content(1, 500_000)))
    write("files/zeros", (0, bytes(200_000)))
    write("files/holes", (100_000, content(5, 5_000)), (1_000_000, content(1, 70_000)), size=2_000_000)
    write("files/all-hole", size=1_500_000)
    write("files/big-random", *((at, content(5 + 8 * (at >> 18), 1 << 18)) for at in range(0, BIG, 1 << 18)))
    write("files/big-text", *((at, content(1, 1 << 20)) for at in range(0, BIG, 1 << 20)), size=BIG + 12_345)
    for mode in (0o000, 0o400, 0o4755, 0o2755, 0o6755, 0o1644, 0o666):
        write(f"files/mode-{mode:04o}", (0, b"%o" % mode), mode=mode)


def links():
    os.mkdir("links")
    write("links/one", (0, content(5, 10_000)))
    os.mkdir("links/below")
    for name in ("links/two", "links/below/three", "links/" + "n" * 255):
        os.link("links/one", name)
    os.symlink("one", "links/to-one")
    os.link("links/to-one", "links/to-one-again", follow_symlinks=False)
    os.symlink("below", "links/to-below")
    os.symlink("nowhere/at all", "links/to-nowhere")
    os.symlink("/nonexistent/absolute", "links/absolute")
    os.symlink("loop", "links/loop")
    os.symlink("t/" * 1_000, "links/long")


def specials():
    os.mkdir("specials")
    os.mkfifo("specials/fifo", 0o640)
    os.mknod("specials/char", stat.S_IFCHR | 0o620, os.makedev(240, 3))
    os.mknod("specials/block", stat.S_IFBLK | 0o660, os.makedev(259, 70_000))
    os.mkdir("specials/sticky")
    os.chmod("specials/sticky", 0o1777)
    os.mkdir("specials/setgid")
    os.chown("specials/setgid", 0, 1000)
    os.chmod("specials/setgid", 0o2775)


def owned():
    """What users may change, and what they may not."""
    for uid in (1000, 1001):
        os.mkdir(f"user-{uid}")
        write(f"user-{uid}/file", (0, content(uid, 9_000)), mode=0o640)
        write(f"user-{uid}/setuid", (0, content(1, 5_000)), mode=0o4755)
        os.mkdir(f"user-{uid}/folder")
        for path in (f"user-{uid}/file", f"user-{uid}/setuid", f"user-{uid}/folder", f"user-{uid}"):
            os.chown(path, uid, uid)
        os.chmod(f"user-{uid}/setuid", 0o4755)


def xattrs():
    os.mkdir("xattrs")
    os.setxattr("xattrs", "user.folder", b"of a directory")
    write("xattrs/file", (0, b"with attributes"))
    os.setxattr("xattrs/file", "user.a", b"value")
    os.setxattr("xattrs/file", "user.empty", b"")
    os.setxattr("xattrs/file", "user.b", bytes(range(256)))
    write("xattrs/capable", (0, content(1, 3_000)), mode=0o755)
    os.setxattr("xattrs/capable", "security.capability", CAPABILITY)


def many():
    os.mkdir("many")
    for number in range(MANY):
        write(f"many/{number:05d}-" + "x" * (number % 40), (0, b"%d" % number))


def deep():
    path = "deep"
    os.mkdir(path)
    for level in range(LEVELS):
        write(f"{path}/file-{level}", (0, b"%d" % level))
        path += f"/level-{level}"
        os.mkdir(path)
    path = "long"
    os.mkdir(path)
    for level in range(LONG_LEVELS):
        path += "/" + chr(ord("p") + level) * 255
        os.mkdir(path)
    write(f"{path}/bottom", (0, b"bottom"))


def times():
    """Of all, from the leaves up, by the name (of links: their last), with nanoseconds."""
    for folder, names, leaves in os.walk(".", topdown=False):
        for name in [*sorted(leaves), *(name for name in names if os.path.islink(os.path.join(folder, name))), "."]:
            path = os.path.join(folder, name)
            number = zlib.crc32(path.encode())
            when = (FIRST_TIME + number % 10**6, number % 10**9)
            syscalls.utimensat(path, when, when, syscalls.AT_SYMLINK_NOFOLLOW)


def populate(root):
    """Below an empty directory."""
    umask = os.umask(0o022)
    os.chdir(root)
    try:
        for part in (files, links, specials, owned, xattrs, many, deep, times):
            part()
        os.chmod(".", 0o777)
        syscalls.utimensat(".", (FIRST_TIME, 0), (FIRST_TIME, 0))
    finally:
        os.chdir("/")
        os.umask(umask)
