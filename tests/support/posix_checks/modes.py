# SPDX-License-Identifier: Apache-2.0
"""setuid, setgid, umask, and what takes them away."""
import mmap
import os
import stat

import syscalls
from lockstep.attributes import CAPABILITY
from posix_checks.harness import (
    MEMBER, OWNER, as_user, check, expect, make, make_folder, outcome, same, same_mode, write_file,
)

SET_MODES = [0o4755, 0o2755, 0o6755, 0o6711, 0o4777]
NO_LINKS = ["file", "folder", "fifo", "char", "block", "socket"]


def on_open(function, flags=os.O_RDWR):
    """`function` of an open file."""

    def run():
        fd = os.open("file", flags)
        try:
            function(fd)
        finally:
            os.close(fd)

    return run


def copied(fd):
    """A part of the file to another part."""
    os.copy_file_range(fd, fd, 2, 0, 4)


def mapped(fd):
    with mmap.mmap(fd, os.fstat(fd).st_size) as m:
        m[0:2] = b"mm"
        m.flush()


# What changes the data.
CHANGING = {
    "write": on_open(lambda fd: os.write(fd, b"x")),
    "pwrite": on_open(lambda fd: os.pwrite(fd, b"x", 100)),
    "truncate to less": lambda: os.truncate("file", 1),
    "truncate to more": lambda: os.truncate("file", 9000),
    "ftruncate": on_open(lambda fd: os.ftruncate(fd, 2)),
    "open(O_TRUNC)": on_open(lambda fd: None, os.O_RDWR | os.O_TRUNC),
    "copy_file_range": on_open(copied),
    "fallocate": on_open(lambda fd: syscalls.fallocate(fd, 0, 0, 8192)),
    "fallocate(PUNCH_HOLE)": on_open(
        lambda fd: syscalls.fallocate(fd, syscalls.FALLOC_FL_PUNCH_HOLE | syscalls.FALLOC_FL_KEEP_SIZE, 0, 2)
    ),
}
NOT_CHANGING = {
    "mmap and msync": on_open(mapped),
    "read": on_open(lambda fd: os.read(fd, 10)),
    "open": on_open(lambda fd: None),
    "write of no bytes": on_open(lambda fd: os.write(fd, b"")),
    "link": lambda: os.link("file", "linked"),
    "rename": lambda: os.rename("file", "other") or os.rename("other", "file"),
    "utimensat": lambda: syscalls.utimensat("file", (1, 2), (3, 4)),
    "setxattr": lambda: os.setxattr("file", "user.name", b"value"),
    "fsync": on_open(os.fsync),
}


def cleared(mode):
    return mode & ~0o6000


def owned_folder():
    """A folder in which the owner of a file may rename it."""
    make_folder("folder", 0o777)
    os.chdir("folder")


@check("{0} by the owner clears setuid and setgid: {1:o}", CHANGING, SET_MODES)
def change_by_owner(call, mode):
    write_file("file", b"some data", mode, (1000, 1000))
    same("outcome", as_user(OWNER, outcome, CHANGING[call]), "ok")
    same_mode("file", cleared(mode))


@check("{0} by root keeps setuid and setgid: {1:o}", CHANGING, SET_MODES)
def change_by_root(call, mode):
    write_file("file", b"some data", mode, (1000, 1000))
    CHANGING[call]()
    same_mode("file", mode)


@check("{0} by another user who may write clears setuid and setgid", CHANGING)
def change_by_other(call):
    write_file("file", b"some data", 0o6777, (1000, 1000))
    same("outcome", as_user(MEMBER, outcome, CHANGING[call]), "ok")
    same_mode("file", 0o777)


@check("{0} by the owner keeps setuid and setgid", NOT_CHANGING)
def no_change(call):
    owned_folder()
    write_file("file", b"some data", 0o6755, (1000, 1000))
    same("outcome", as_user(OWNER, outcome, NOT_CHANGING[call]), "ok")
    same_mode("file", 0o6755)


@check("{0} removes security.capability, by root too", CHANGING)
def change_of_capable(call):
    write_file("file", b"some data", 0o755)
    os.setxattr("file", "security.capability", CAPABILITY)
    CHANGING[call]()
    same("list of xattrs", [name for name in os.listxattr("file") if name == "security.capability"], [])


@check("{0} keeps security.capability", NOT_CHANGING)
def no_change_of_capable(call):
    write_file("file", b"some data", 0o755)
    os.setxattr("file", "security.capability", CAPABILITY)
    NOT_CHANGING[call]()
    same("security.capability", os.getxattr("file", "security.capability"), CAPABILITY)


@check("chown of a file clears setuid and setgid, by {0}: {1:o}", ["root", "owner"], SET_MODES)
def chown_clears(who, mode):
    write_file("file", b"", mode, (1000, 1000))
    if who == "root":
        os.chown("file", 0, 0)
    else:
        expect("ok", os.chown, "file", 1000, 1000, user=OWNER)
    same_mode("file", cleared(mode))


@check("chown removes security.capability")
def chown_of_capable():
    write_file("file", b"", 0o755)
    os.setxattr("file", "security.capability", CAPABILITY)
    os.chown("file", 1, 1)
    expect("ENODATA", os.getxattr, "file", "security.capability")


@check("chown by root keeps the bits of a folder: {0:o}", [0o4755, 0o2755, 0o6755, 0o1777])
def chown_folder(mode):
    make_folder("folder", mode)
    os.chown("folder", 1000, 1000)
    same_mode("folder", mode)


@check("chown of a {0} clears setuid and setgid", ["fifo", "char", "block", "socket"])
def chown_special(kind):
    make(kind, "thing")
    os.chmod("thing", 0o6755)
    os.chown("thing", 5, 6)
    same_mode("thing", 0o755)


@check("chown to -1, -1 changes no owner, and clears setuid")
def chown_nothing():
    write_file("file", b"", 0o4755, (5, 6))
    os.chown("file", -1, -1)
    s = os.stat("file")
    same("owner", (s.st_uid, s.st_gid), (5, 6))
    same_mode("file", 0o755)


@check("write by a user who is not of the group clears setgid without group x")
def setgid_without_x():
    write_file("file", b"some data", 0o2666)
    same("outcome", as_user(OWNER, outcome, CHANGING["write"]), "ok")
    same_mode("file", 0o666)


@check("chmod to setgid by an owner who is not of the group is without it: {0}", ["file", "fifo"])
def chmod_foreign_group(kind):
    make(kind, "thing", (1000, 3000))
    expect("ok", os.chmod, "thing", 0o2755, user=OWNER)
    same_mode("thing", 0o755)


@check("chmod to setgid by an owner of the group: {0}", ["file", "folder", "fifo"])
def chmod_own_group(kind):
    make(kind, "thing", (1000, 1000))
    expect("ok", os.chmod, "thing", 0o2755, user=OWNER)
    same_mode("thing", 0o2755)


@check("chmod of a {0} to {1:o}", NO_LINKS, [0o0000, 0o7777, 0o1777, 0o4711, 0o2070, 0o0007])
def chmod_all(kind, mode):
    make(kind, "thing")
    os.chmod("thing", mode)
    same_mode("thing", mode)
    same("type", stat.S_IFMT(os.lstat("thing").st_mode), {
        "file": stat.S_IFREG, "folder": stat.S_IFDIR, "fifo": stat.S_IFIFO, "char": stat.S_IFCHR, "block": stat.S_IFBLK,
        "socket": stat.S_IFSOCK,
    }[kind])


@check("chmod through a symlink changes the target, and not the link")
def chmod_link():
    write_file("file", mode=0o644)
    os.symlink("file", "link")
    before = os.lstat("link").st_mode
    os.chmod("link", 0o600)
    same_mode("file", 0o600)
    same("mode of the link", os.lstat("link").st_mode, before)


def create(path, mode):
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))


MAKING = {
    "open": create,
    "mkdir": os.mkdir,
    "mkfifo": os.mkfifo,
    "mknod(file)": lambda path, mode: os.mknod(path, stat.S_IFREG | mode),
    "mknod(char)": lambda path, mode: os.mknod(path, stat.S_IFCHR | mode, os.makedev(240, 1)),
}


@check("{0} with umask {1:03o} and mode {2:o}", MAKING, [0o000, 0o022, 0o077, 0o777], [0o777, 0o644, 0o1777, 0o000])
def umask(call, mask, mode):
    os.umask(mask)
    MAKING[call]("thing", mode)
    same_mode("thing", mode & ~mask)


@check("{0} of setuid and setgid", ["open", "mknod(file)", "mkfifo"])
def make_set(call):
    MAKING[call]("thing", 0o6755)
    same_mode("thing", 0o6755)


@check("mkdir does not know setuid and setgid")
def mkdir_set():
    os.mkdir("folder", 0o6755)
    same_mode("folder", 0o755)


@check("{0} in a setgid folder, by {1}, is of its group", [*MAKING, "symlink"], ["root", "owner"])
def setgid_folder(call, who):
    make_folder("folder", 0o2777, (0, 3000))
    function = (lambda path, mode: os.symlink("x", path)) if call == "symlink" else MAKING[call]
    if who == "owner" and call == "mknod(char)":
        return
    if who == "root":
        function("folder/thing", 0o755)
    else:
        expect("ok", function, "folder/thing", 0o755, user=OWNER)
    same("group", os.lstat("folder/thing").st_gid, 3000)
    if call != "symlink":
        same_mode("folder/thing", 0o2755 if call == "mkdir" else 0o755)


@check("open in a setgid folder, setgid and of a group not of the user, is without it")
def setgid_strip():
    make_folder("folder", 0o2777, (0, 3000))
    expect("ok", create, "folder/thing", 0o2755, user=OWNER)
    same_mode("folder/thing", 0o755)


@check("open in a folder that is not setgid is of the user's group")
def no_setgid_folder():
    make_folder("folder", 0o777, (0, 3000))
    expect("ok", create, "folder/thing", 0o644, user=OWNER)
    same("group", os.lstat("folder/thing").st_gid, 1000)


@check("rename into a setgid folder keeps group and mode")
def rename_into_setgid():
    make_folder("folder", 0o2777, (0, 3000))
    write_file("file", mode=0o4755, owner=(5, 6))
    os.rename("file", "folder/file")
    same_mode("folder/file", 0o4755)
    same("group", os.stat("folder/file").st_gid, 6)
