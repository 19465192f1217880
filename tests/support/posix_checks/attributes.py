# SPDX-License-Identifier: Apache-2.0
"""utimensat, mknod, symlink, extended attributes, locks."""
import fcntl
import os
import stat

import syscalls
from posix_checks.harness import KINDS, OTHER, as_user, check, expect, make, next_tick, outcome, same, write_file

# Seconds and nanoseconds that all file systems with times of 34 bits and more can hold.
INSTANTS = [(0, 0), (0, 1), (0, 999_999_999), (1, 500_000_000), (1_700_000_000, 123_456_789), (2**31 - 1, 999_999_999),
            (2**31, 1), (2**32 - 1, 5), (2**32 + 1, 6), (-1, 999_999_999), (-1000, 0)]
DEVICES = [(0, 1), (1, 3), (8, 255), (8, 256), (255, 255), (259, 1_048_575), (4095, 0), (4095, 1_048_575)]
NO_LINKS = [kind for kind in KINDS if kind != "symlink"]


def ns(instant):
    return instant[0] * 10**9 + instant[1]


def times_of(path, follow=False):
    s = os.stat(path, follow_symlinks=follow)
    return s.st_atime_ns, s.st_mtime_ns


@check("utimensat of a {0}: {1}", KINDS, INSTANTS)
def utimensat(kind, instant):
    make(kind, "thing")
    syscalls.utimensat("thing", (5, 5), instant, syscalls.AT_SYMLINK_NOFOLLOW)
    same("times", times_of("thing"), (ns((5, 5)), ns(instant)))
    syscalls.utimensat("thing", instant, (6, 6), syscalls.AT_SYMLINK_NOFOLLOW)
    same("times", times_of("thing"), (ns(instant), ns((6, 6))))


@check("utimensat of a {0}: UTIME_OMIT leaves {1}", KINDS, ["atime", "mtime", "both"])
def utimensat_omit(kind, what):
    make(kind, "thing")
    omit = (123, syscalls.UTIME_OMIT)
    syscalls.utimensat("thing", (1, 1), (2, 2), syscalls.AT_SYMLINK_NOFOLLOW)
    atime = (3, 3) if what == "mtime" else omit
    mtime = (4, 4) if what == "atime" else omit
    syscalls.utimensat("thing", atime, mtime, syscalls.AT_SYMLINK_NOFOLLOW)
    same("times", times_of("thing"), (ns((3, 3) if what == "mtime" else (1, 1)), ns((4, 4) if what == "atime" else (2, 2))))


@check("utimensat of a {0}: UTIME_OMIT of both does not move ctime", NO_LINKS)
def utimensat_nothing(kind):
    make(kind, "thing")
    before = os.lstat("thing").st_ctime_ns
    next_tick()
    omit = (0, syscalls.UTIME_OMIT)
    syscalls.utimensat("thing", omit, omit)
    same("ctime", os.lstat("thing").st_ctime_ns, before)


@check("utimensat: UTIME_NOW of {0} is now, the other is as given", ["atime", "mtime"])
def utimensat_now(which):
    write_file("file")
    now = (123, syscalls.UTIME_NOW)
    syscalls.utimensat("file", now if which == "atime" else (7, 7), now if which == "mtime" else (7, 7))
    atime, mtime = times_of("file")
    moved, given = (atime, mtime) if which == "atime" else (mtime, atime)
    same("the other", given, ns((7, 7)))
    same("distance from ctime below 1 s", abs(moved - os.stat("file").st_ctime_ns) < 10**9, True)


@check("utimensat through a symlink changes the target's times")
def utimensat_link():
    write_file("file")
    os.symlink("file", "link")
    before = times_of("link")[1]
    syscalls.utimensat("link", (1, 1), (2, 2))
    same("times of the target", times_of("file"), (ns((1, 1)), ns((2, 2))))
    same("mtime of the link", times_of("link")[1], before)


@check("utimensat: {0} nanoseconds are EINVAL", [-1, 10**9, 2**30 - 3])
def utimensat_invalid(nanoseconds):
    write_file("file")
    expect("EINVAL", syscalls.utimensat, "file", (1, nanoseconds), (1, 1))
    expect("EINVAL", syscalls.utimensat, "file", (1, 1), (1, nanoseconds))


@check("mknod of a {0} device {1}", ["char", "block"], DEVICES)
def mknod(kind, numbers):
    os.mknod("thing", (stat.S_IFCHR if kind == "char" else stat.S_IFBLK) | 0o640, os.makedev(*numbers))
    s = os.lstat("thing")
    same("device", (os.major(s.st_rdev), os.minor(s.st_rdev)), numbers)
    same("type and mode", s.st_mode, (stat.S_IFCHR if kind == "char" else stat.S_IFBLK) | 0o640)


@check("symlink to {0} bytes", [1, 59, 60, 61, 255, 256, 1023, 4095])
def symlink(length):
    target = ("t" * 63 + "/") * 64
    os.symlink(target[:length], "link")
    same("target", os.readlink("link"), target[:length])
    same("size", os.lstat("link").st_size, length)


@check("symlink to {0}: {1}", ["nothing"], ["ENOENT"])
@check("symlink to {0}: {1}", ["4096 bytes"], ["ENAMETOOLONG"])
def symlink_bad(what, wanted):
    expect(wanted, os.symlink, "" if what == "nothing" else "t" * 4096, "link")


@check("symlink: its target is bytes")
def symlink_bytes():
    os.symlink("\udcff\n/../*", "link")
    same("target", os.readlink("link"), "\udcff\n/../*")


NAMESPACES = ["user", "trusted"]


@check("setxattr of a {0}: value of {1} bytes in {2}.*", ["file", "folder"], [0, 1, 255, 2000], NAMESPACES)
def setxattr(kind, length, namespace):
    make(kind, "thing")
    value = bytes(i % 256 for i in range(length))
    os.setxattr("thing", f"{namespace}.name", value)
    same("value", os.getxattr("thing", f"{namespace}.name"), value)
    same("list", [name for name in os.listxattr("thing") if name.startswith(namespace)], [f"{namespace}.name"])


@check("setxattr of a {0}: user.* is EPERM", [kind for kind in KINDS if kind not in ("file", "folder")])
def user_xattr(kind):
    make(kind, "thing")
    expect("EPERM", lambda: os.setxattr("thing", "user.name", b"value", follow_symlinks=False))


@check("setxattr of a {0}: trusted.*", KINDS)
def trusted_xattr(kind):
    make(kind, "thing")
    os.setxattr("thing", "trusted.name", b"value", follow_symlinks=False)
    same("value", os.getxattr("thing", "trusted.name", follow_symlinks=False), b"value")


XATTR_ERRORS = {
    "XATTR_CREATE of what is there is EEXIST": lambda: os.setxattr("file", "user.there", b"", os.XATTR_CREATE),
    "XATTR_REPLACE of what is not is ENODATA": lambda: os.setxattr("file", "user.new", b"", os.XATTR_REPLACE),
    "getxattr of what is not is ENODATA": lambda: os.getxattr("file", "user.new"),
    "removexattr of what is not is ENODATA": lambda: os.removexattr("file", "user.new"),
    "a value of more than 64 KiB is E2BIG": lambda: os.setxattr("file", "user.new", bytes(65_537)),
    "a name of more than 255 bytes is ERANGE": lambda: os.setxattr("file", "user." + "n" * 251, b""),
    "an unknown namespace is EOPNOTSUPP": lambda: os.setxattr("file", "nowhere.name", b""),
    "a name of a namespace alone is EINVAL": lambda: os.setxattr("file", "user.", b""),
}


@check("xattrs: {0}", XATTR_ERRORS)
def xattr_errors(what):
    write_file("file")
    os.setxattr("file", "user.there", b"value")
    expect(what.split(" ")[-1], XATTR_ERRORS[what])
    same("value", os.getxattr("file", "user.there"), b"value")


@check("xattrs: {0}", ["replaced", "removed", "many", "the longest name", "kept by rename and link"])
def xattrs(what):
    write_file("file")
    os.setxattr("file", "user.one", b"1")
    os.setxattr("file", "user.two", b"2")
    wanted = {"user.one": b"1", "user.two": b"2"}
    if what == "replaced":
        os.setxattr("file", "user.one", b"a longer value", os.XATTR_REPLACE)
        wanted["user.one"] = b"a longer value"
    elif what == "removed":
        os.removexattr("file", "user.one")
        del wanted["user.one"]
    elif what == "many":
        for number in range(40):
            os.setxattr("file", f"user.{number}", b"%d" % number)
            wanted[f"user.{number}"] = b"%d" % number
    elif what == "the longest name":
        os.setxattr("file", "user." + "n" * 250, b"long")
        wanted["user." + "n" * 250] = b"long"
    else:
        os.link("file", "linked")
        os.rename("file", "renamed")
        os.rename("renamed", "file")
    same("all", {name: os.getxattr("file", name) for name in os.listxattr("file") if name.startswith("user.")}, wanted)


def other_process(kind, command, start=0, length=0):
    """Whether another process is refused this lock."""

    def tries():
        fd = os.open("file", os.O_RDWR)
        if command == "flock":
            return outcome(fcntl.flock, fd, kind | fcntl.LOCK_NB)
        return outcome(syscalls.lock_range, fd, command, kind, start, length)

    return as_user(OTHER, tries)


@check("flock: {0} against {1}", ["LOCK_SH", "LOCK_EX"], ["LOCK_SH", "LOCK_EX"])
def flock(held, wanted):
    write_file("file", mode=0o666)
    fd = os.open("file", os.O_RDWR)
    fcntl.flock(fd, getattr(fcntl, held) | fcntl.LOCK_NB)
    may = held == wanted == "LOCK_SH"
    same("outcome", other_process(getattr(fcntl, wanted), "flock"), "ok" if may else "EAGAIN")
    os.close(fd)
    same("outcome after close", other_process(getattr(fcntl, wanted), "flock"), "ok")


@check("{0}: {1} against {2}, {3}", ["F_SETLK", "F_OFD_SETLK"], ["F_RDLCK", "F_WRLCK"], ["F_RDLCK", "F_WRLCK"],
       ["same range", "other range"])
def range_locks(command, held, wanted, where):
    write_file("file", mode=0o666)
    fd = os.open("file", os.O_RDWR)
    number = fcntl.F_SETLK if command == "F_SETLK" else syscalls.F_OFD_SETLK
    syscalls.lock_range(fd, number, getattr(fcntl, held), 100, 50)
    may = held == wanted == "F_RDLCK" or where == "other range"
    start = 120 if where == "same range" else 150
    same("outcome", other_process(getattr(fcntl, wanted), number, start, 10), "ok" if may else "EAGAIN")
    os.close(fd)
    same("outcome after close", other_process(getattr(fcntl, wanted), number, start, 10), "ok")


@check("chown of a symlink with chown(2) changes its target's owner")
def chown_link():
    write_file("file")
    os.symlink("file", "link")
    os.chown("link", 5, 6)
    same("owner of the target", os.stat("file").st_uid, 5)
    same("owner of the link", os.lstat("link").st_uid, 0)


@check("statvfs: the longest name is of 255 bytes")
def statvfs():
    same("f_namemax", os.statvfs(".").f_namemax, 255)
