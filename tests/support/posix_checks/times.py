# SPDX-License-Identifier: Apache-2.0
"""What a call does to which time."""
import mmap
import os
import time

import syscalls
from posix_checks.calls import MAKING, prepare
from posix_checks.harness import (
    CLOCK_REALTIME_COARSE, KINDS, OTHER, Failed, check, expect, make, next_tick, same, write_file,
)

OLD = (1_000_000_000, 123_456_789)
OLD_NS = OLD[0] * 10**9 + OLD[1]


def age(path):
    """atime and mtime are of long ago; ctime cannot be set."""
    syscalls.utimensat(path, OLD, OLD, syscalls.AT_SYMLINK_NOFOLLOW)


def times_of(path):
    s = os.lstat(path)
    return {"atime": s.st_atime_ns, "mtime": s.st_mtime_ns, "ctime": s.st_ctime_ns}


def moved(path, call, *wanted, after=None):
    """Of a's, m's and c's time those that are wanted move with the call, to now, and no other; atime only if wanted."""
    age(path)
    before = times_of(path)
    next_tick()
    started = time.time_ns()
    call()
    got = times_of(after or path)
    for name in ("mtime", "ctime", "atime"):
        if name in wanted and got[name] == before[name]:
            raise Failed(f"{name} of {path!r} stays")
        if name not in wanted and got[name] != before[name] and name != "atime":
            raise Failed(f"{name} of {path!r} moves")
        if name in wanted and abs(got[name] - started) > 10 * 10**9:
            raise Failed(f"{name} of {path!r} is {got[name]}, {started} is now")


def on_open(path, function):
    def run():
        fd = os.open(path, os.O_RDWR)
        try:
            function(fd)
        finally:
            os.close(fd)

    return run


def mapped(fd):
    with mmap.mmap(fd, 4096) as m:
        m[0:4] = b"mmap"
        m.flush()


def copied(fd):
    source = os.open("source", os.O_RDONLY)
    os.copy_file_range(source, fd, 100, 0, 0)
    os.close(source)


PUNCH = syscalls.FALLOC_FL_PUNCH_HOLE | syscalls.FALLOC_FL_KEEP_SIZE
WRITING = {
    "write": on_open("file", lambda fd: os.write(fd, b"x")),
    "write beyond the end": on_open("file", lambda fd: os.pwrite(fd, b"x", 100_000)),
    "truncate to less": lambda: os.truncate("file", 10),
    "truncate to more": lambda: os.truncate("file", 100_000),
    "truncate to nothing": lambda: os.truncate("file", 0),
    "ftruncate": on_open("file", lambda fd: os.ftruncate(fd, 10)),
    "ftruncate to the same size": on_open("file", lambda fd: os.ftruncate(fd, 5_000)),
    "open(O_TRUNC)": lambda: os.close(os.open("file", os.O_WRONLY | os.O_TRUNC)),
    "fallocate beyond the end": on_open("file", lambda fd: syscalls.fallocate(fd, 0, 0, 100_000)),
    "fallocate(PUNCH_HOLE)": on_open("file", lambda fd: syscalls.fallocate(fd, PUNCH, 0, 4096)),
    "mmap and msync": on_open("file", mapped),
    "copy_file_range": on_open("file", copied),
}
CHANGING = {
    "chmod": lambda path: os.chmod(path, 0o711),
    "chmod to the same mode": lambda path: os.chmod(path, os.stat(path).st_mode & 0o7777),
    "chown": lambda path: os.lchown(path, 5, 6),
    "chown to the same owner": lambda path: os.lchown(path, 0, 0),
    "setxattr": lambda path: os.setxattr(path, "user.name", b"value"),
    "removexattr": lambda path: os.removexattr(path, "user.there"),
}
LOOKING = {
    "read": on_open("file", lambda fd: os.read(fd, 100)),
    "stat": lambda: os.stat("file"),
    "open(O_RDWR)": on_open("file", lambda fd: None),
    "write of no bytes": on_open("file", lambda fd: os.write(fd, b"")),
    "fsync": on_open("file", os.fsync),
    "getxattr": lambda: os.listxattr("file"),
    "link that fails": lambda: expect("EEXIST", os.link, "file", "source"),
    "chmod by others": lambda: expect("EPERM", os.chmod, "file", 0o777, user=OTHER),
    "truncate by others": lambda: expect("EACCES", os.truncate, "file", 0, user=OTHER),
    "unlink that fails": lambda: expect("ENOTDIR", os.rmdir, "file"),
}


def prepare_file():
    write_file("file", b"x" * 5_000)
    write_file("source", b"y" * 5_000)


@check("{0}: mtime and ctime move", WRITING)
def writing(call):
    prepare_file()
    moved("file", WRITING[call], "mtime", "ctime")


@check("{0}: mtime and ctime of an empty file move", ["open(O_TRUNC)"])
def truncate_empty(call):
    write_file("file")
    moved("file", WRITING[call], "mtime", "ctime")


@check("write: the folder's times stay")
def write_folder():
    os.mkdir("folder")
    write_file("folder/file")
    moved("folder", on_open("folder/file", lambda fd: os.write(fd, b"x")))


@check("{0}: neither mtime nor ctime moves", LOOKING)
def looking(call):
    prepare_file()
    moved("file", LOOKING[call])


@check("{0} of a {1}: ctime moves, mtime stays", CHANGING, [kind for kind in KINDS if kind != "symlink"])
def changing(call, kind):
    make(kind, "thing")
    if "xattr" in call:
        if kind not in ("file", "folder"):
            return
        os.setxattr("thing", "user.there", b"value")
    moved("thing", lambda: CHANGING[call]("thing"), "ctime")


@check("lchown of a symlink: its ctime moves")
def lchown():
    make("symlink", "thing")
    moved("thing", lambda: os.lchown("thing", 5, 6), "ctime")


@check("utimensat of a {0}: ctime moves, and the times are as given", KINDS)
def utimensat(kind):
    make(kind, "thing")
    before = times_of("thing")["ctime"]
    next_tick()
    age("thing")
    got = times_of("thing")
    same("atime and mtime", (got["atime"], got["mtime"]), (OLD_NS, OLD_NS))
    if got["ctime"] == before:
        raise Failed("ctime stays")


@check("{0}: its times are now, and mtime and ctime of the folder move", MAKING)
def making(call):
    prepare()
    os.mkdir("folder")
    started = time.clock_gettime_ns(CLOCK_REALTIME_COARSE)
    moved("folder", lambda: MAKING[call]("folder/new"), "mtime", "ctime")
    for name, value in times_of("folder/new").items():
        if call == "link(new)" and name != "ctime":
            continue
        if not started - 10**8 <= value <= time.time_ns() + 10**8:
            raise Failed(f"{name} of the new one is {value}, not now")


@check("unlink of a {0}: mtime and ctime of the folder move", [kind for kind in KINDS if kind != "folder"])
def unlink(kind):
    os.mkdir("folder")
    make(kind, "folder/thing")
    moved("folder", lambda: os.unlink("folder/thing"), "mtime", "ctime")


@check("rmdir: mtime and ctime of the folder move")
def rmdir():
    os.makedirs("folder/inner")
    moved("folder", lambda: os.rmdir("folder/inner"), "mtime", "ctime")


@check("unlink of one of two names: the file's ctime moves, mtime stays")
def unlink_one():
    write_file("one")
    os.link("one", "two")
    moved("one", lambda: os.unlink("two"), "ctime")


@check("link: the file's ctime moves, mtime stays")
def link():
    write_file("file")
    moved("file", lambda: os.link("file", "new"), "ctime")


@check("unlink of an open file: its ctime moves")
def unlink_open():
    write_file("file")
    fd = os.open("file", os.O_RDONLY)
    before = os.fstat(fd).st_ctime_ns
    next_tick()
    os.unlink("file")
    if os.fstat(fd).st_ctime_ns == before:
        raise Failed("ctime stays")
    os.close(fd)


def renamed(kind, flags=0):
    for folder in ("one", "two"):
        os.mkdir(folder)
    make(kind, "one/thing")
    if flags == syscalls.RENAME_EXCHANGE:
        make(kind, "two/thing")
    return lambda: syscalls.renameat2("one/thing", "two/thing", flags)


@check("rename of a {0}: mtime and ctime of the {1} folder move", KINDS, ["old", "new"])
def rename_folders(kind, which):
    call = renamed(kind)
    moved("one" if which == "old" else "two", call, "mtime", "ctime")


@check("rename of a {0}: its ctime moves, its mtime stays", KINDS)
def rename(kind):
    call = renamed(kind)
    moved("one/thing", call, "ctime", after="two/thing")


@check("exchange of two {0}s: mtime and ctime of both folders move", KINDS)
def exchange(kind):
    call = renamed(kind, syscalls.RENAME_EXCHANGE)
    age("two")
    before = times_of("two")
    moved("one", call, "mtime", "ctime")
    if times_of("two")["mtime"] == before["mtime"]:
        raise Failed("mtime of the other folder stays")


FAILING = {
    "mkdir that fails": lambda: expect("EEXIST", os.mkdir, "folder/file"),
    "rmdir that fails": lambda: expect("ENOTDIR", os.rmdir, "folder/file"),
    "rename that fails": lambda: expect("EISDIR", os.rename, "folder/file", "full"),
    "unlink by others": lambda: expect("EACCES", os.unlink, "folder/file", user=OTHER),
    "open(O_CREAT) of what is there": lambda: os.close(os.open("folder/file", os.O_RDWR | os.O_CREAT)),
    "list": lambda: os.listdir("folder"),
    "chmod in it": lambda: os.chmod("folder/file", 0o600),
}


@check("{0}: neither mtime nor ctime of the folder moves", FAILING)
def failing(call):
    os.mkdir("full")
    os.mkdir("folder")
    write_file("folder/file")
    moved("folder", FAILING[call])
