# SPDX-License-Identifier: Apache-2.0
"""Who may do what."""
import os
import stat

import syscalls
from posix_checks.calls import ALL, MAKING, opened, prepare
from posix_checks.harness import (
    KINDS, MATE, MEMBER, OTHER, OWNER, USERS, Failed, as_user, check, expect, make, make_folder, outcome, remove, same,
    same_mode, write_file,
)

BITS = range(8)
SHIFTS = {"owner": 6, "group": 3, "supplementary group": 3, "other": 0}
FILE_ACCESS = {
    "open(O_RDONLY)": (4, lambda path: opened(path, os.O_RDONLY)),
    "open(O_WRONLY)": (2, lambda path: opened(path, os.O_WRONLY)),
    "open(O_RDWR)": (6, lambda path: opened(path, os.O_RDWR)),
    "open(O_TRUNC)": (2, lambda path: opened(path, os.O_WRONLY | os.O_TRUNC)),
    "truncate": (2, lambda path: os.truncate(path, 0)),
    "access(X_OK)": (1, lambda path: access(path, os.X_OK)),
}
FOLDER_ACCESS = {
    "list": (4, os.listdir),
    "stat in it": (1, lambda path: os.stat(f"{path}/file")),
    "open(O_CREAT) in it": (3, lambda path: opened(f"{path}/new", os.O_WRONLY | os.O_CREAT)),
    "unlink in it": (3, lambda path: os.unlink(f"{path}/file")),
    "mkdir in it": (3, lambda path: os.mkdir(f"{path}/new")),
    "rename in it": (3, lambda path: os.rename(f"{path}/file", f"{path}/new")),
}
SHARED = 0o1777
STICKY_CALLS = ["unlink", "rename", "rename over it"]


def access(path, mode):
    if not os.access(path, mode):
        raise PermissionError(13, "access")


def class_mode(who, bits):
    """This class has `bits`, the two others what it lacks: it is one class that counts."""
    shift = SHIFTS[who]
    return sum((bits if other == shift else 7 - bits) << other for other in (6, 3, 0))


@check("{2} with the bits {1} for {0}, of a file", USERS, BITS, FILE_ACCESS)
def file_bits(who, bits, call):
    wanted, function = FILE_ACCESS[call]
    write_file("file", b"data", class_mode(who, bits), (1000, 1000))
    expect("ok" if bits & wanted == wanted else "EACCES", function, "file", user=USERS[who])


@check("{2} with the bits {1} for {0}, of a folder", USERS, BITS, FOLDER_ACCESS)
def folder_bits(who, bits, call):
    wanted, function = FOLDER_ACCESS[call]
    make_folder("folder", 0o755)
    write_file("folder/file")
    os.chown("folder", 1000, 1000)
    os.chmod("folder", class_mode(who, bits))
    expect("ok" if bits & wanted == wanted else "EACCES", function, "folder", user=USERS[who])


@check("{0}: EACCES when a folder of the path may not be searched", ALL)
def search_denied(call):
    prepare()
    make_folder("closed", 0o700)
    write_file("closed/name")
    expect("EACCES", ALL[call], "closed/name", user=OTHER)


@check("{0}: EACCES in a folder that may not be written", MAKING)
def write_denied(call):
    make_folder("folder", 0o755)
    write_file("there", owner=(1003, 1003))
    expect("EACCES", ALL[call], "folder/name", user=OTHER)


@check("{0}: root needs no bits", ["open", "open(O_WRONLY)", "truncate", "unlink", "rename(old)", "chmod", "setxattr"])
def root_may(call):
    make_folder("folder", 0o000, (1000, 1000))
    write_file("folder/file", mode=0o000, owner=(1000, 1000))
    expect("ok", ALL[call], "folder/file")


@check("access(X_OK): root needs one x bit")
def root_execute():
    write_file("file", mode=0o666)
    expect("EACCES", access, "file", os.X_OK)
    os.chmod("file", 0o667)
    expect("ok", access, "file", os.X_OK)


def sticky_setup(kind, folder_owner, file_owner):
    make_folder("folder", 0o777)
    make(kind, "folder/thing", (file_owner, file_owner))
    make(kind, "folder/own", (1003, 1003))
    os.chown("folder", folder_owner, folder_owner)
    os.chmod("folder", SHARED)


STICKY_FUNCTIONS = {
    "unlink": lambda kind: remove(kind, "folder/thing"),
    "rename": lambda kind: os.rename("folder/thing", "folder/new"),
    "rename over it": lambda kind: os.rename("folder/own", "folder/thing"),
}


@check("{1} of others' {0} in others' sticky folder", KINDS, STICKY_CALLS)
def sticky_denied(kind, call):
    sticky_setup(kind, 1000, 1001)
    expect("EPERM", STICKY_FUNCTIONS[call], kind, user=OTHER)


@check("{1} of one's own {0} in others' sticky folder", KINDS, STICKY_CALLS)
def sticky_own(kind, call):
    sticky_setup(kind, 1000, 1003)
    expect("ok", STICKY_FUNCTIONS[call], kind, user=OTHER)


@check("{1} of others' {0} in one's own sticky folder", KINDS, STICKY_CALLS)
def sticky_own_folder(kind, call):
    sticky_setup(kind, 1003, 1001)
    expect("ok", STICKY_FUNCTIONS[call], kind, user=OTHER)


@check("{1} of others' {0} in others' sticky folder, by root", KINDS, STICKY_CALLS)
def sticky_root(kind, call):
    sticky_setup(kind, 1000, 1001)
    expect("ok", STICKY_FUNCTIONS[call], kind)


@check("rename of a folder to another one wants write permission on itself (mode {0:o}, {1})", [0o555, 0o755],
       ["elsewhere", "in place"])
def rename_folder_itself(mode, where):
    for path in ("one", "two", "one/moved"):
        make_folder(path, 0o755, (1000, 1000))
    os.chmod("one/moved", mode)
    target = "two/moved" if where == "elsewhere" else "one/new"
    expect("EACCES" if (mode, where) == (0o555, "elsewhere") else "ok", os.rename, "one/moved", target, user=OWNER)


NO_LINKS = [kind for kind in KINDS if kind != "symlink"]


@check("chmod of a {0} by {1}", NO_LINKS, USERS)
def chmod_by(kind, who):
    make(kind, "thing", (1000, 1000))
    expect("ok" if who == "owner" else "EPERM", os.chmod, "thing", 0o700, user=USERS[who])
    if who == "owner":
        same_mode("thing", 0o700)


@check("chown of a {0} to another user by {1}", KINDS, USERS)
def chown_user_by(kind, who):
    make(kind, "thing", (1000, 1000))
    expect("EPERM", os.lchown, "thing", 1003, -1, user=USERS[who])


@check("chown of a {0} to {1} by its owner", KINDS, ["a group of his", "a group not of his", "himself"])
def chown_group(kind, what):
    make(kind, "thing", (1000, 1000))
    owner = OWNER._replace(groups=(2000,))
    group = {"a group of his": 2000, "a group not of his": 3000, "himself": -1}[what]
    user = 1000 if what == "himself" else -1
    expect("EPERM" if group == 3000 else "ok", os.lchown, "thing", user, group, user=owner)
    same("group", os.lstat("thing").st_gid, 2000 if group == 2000 else 1000)


@check("chown of a {0} by root, to {1}", KINDS, [(1, 2), (-1, 7), (7, -1), (65534, 65534), (4_000_000_000, 4_000_000_001)])
def chown_root(kind, ids):
    make(kind, "thing", (5, 6))
    os.lchown("thing", *ids)
    s = os.lstat("thing")
    same("owner", (s.st_uid, s.st_gid), tuple(new if new != -1 else old for new, old in zip(ids, (5, 6))))


NOW = (0, syscalls.UTIME_NOW)
OMIT = (0, syscalls.UTIME_OMIT)
TIMES = {"given times": ((1, 0), (2, 0)), "now": (NOW, NOW), "mtime now alone": (OMIT, NOW), "nothing": (OMIT, OMIT)}


@check("utimensat of a {0} to {1} by {2}, mode {3:o}", NO_LINKS, TIMES, ["owner", "other"], [0o644, 0o666])
def utimensat_by(kind, what, who, mode):
    """To set both to now write permission is enough."""
    make(kind, "thing", (1000, 1000))
    os.chmod("thing", mode)
    wanted = "ok"
    if who == "other" and what == "now":
        wanted = "ok" if mode == 0o666 else "EACCES"
    elif who == "other" and what != "nothing":
        wanted = "EPERM"
    expect(wanted, syscalls.utimensat, "thing", *TIMES[what], user=USERS[who])


@check("mknod of a {0} by a user", ["char", "block"])
def mknod_user(kind):
    make_folder("folder", 0o777)
    device = {"char": stat.S_IFCHR, "block": stat.S_IFBLK}[kind]
    expect("EPERM", os.mknod, "folder/thing", device | 0o600, os.makedev(240, 1), user=OTHER)


@check("{0} by a user belongs to him", ["open(O_CREAT|O_EXCL)", "mkdir", "mkfifo", "mknod", "symlink"])
def made_by_user(call):
    make_folder("folder", 0o777)
    expect("ok", ALL[call], "folder/thing", user=MEMBER)
    s = os.lstat("folder/thing")
    same("owner", (s.st_uid, s.st_gid), (1002, 1002))


@check("open(O_CREAT) of a file that may not be written later: mode {0:o}", [0o000, 0o400, 0o444])
def create_unwritable(mode):
    make_folder("folder", 0o777)

    def writes():
        fd = os.open("folder/file", os.O_RDWR | os.O_CREAT, mode)
        os.write(fd, b"written")
        same("what is read", os.pread(fd, 10, 0), b"written")
        same("opening it again", outcome(opened, "folder/file", os.O_WRONLY), "EACCES")

    as_user(OWNER, writes)
    same_mode("folder/file", mode)


@check("an open file stays open, whatever happens to its mode and its owner")
def open_stays():
    make_folder("folder", 0o777, (1000, 1000))
    write_file("folder/file", b"data", 0o600, (1000, 1000))

    def uses():
        fd = os.open("folder/file", os.O_RDWR)
        os.chmod("folder/file", 0)
        os.chmod("folder", 0)
        os.pwrite(fd, b"D", 0)
        return os.pread(fd, 10, 0)

    same("what is read", as_user(OWNER, uses), b"Data")


@check("setxattr(user.*) of {0} by {1}", ["a file", "a sticky folder"], USERS)
def setxattr_by(what, who):
    if what == "a file":
        write_file("thing", mode=0o664, owner=(1000, 1000))
    else:
        make_folder("thing", SHARED, (1000, 1000))
    may = who == "owner" or (what == "a file" and who != "other")
    wanted = "ok" if may else "EACCES" if what == "a file" else "EPERM"
    expect(wanted, os.setxattr, "thing", "user.name", b"value", user=USERS[who])


@check("trusted.* is not for users")
def trusted():
    write_file("file", mode=0o666, owner=(1003, 1003))
    os.setxattr("file", "trusted.name", b"value")
    expect("EPERM", os.setxattr, "file", "trusted.other", b"value", user=OTHER)
    expect("ENODATA", os.getxattr, "file", "trusted.name", user=OTHER)
    if "trusted.name" in as_user(OTHER, os.listxattr, "file"):
        raise Failed("a user is shown its name")


@check("chdir and open(O_PATH): search permission of the way is what they want")
def search_only():
    make_folder("folder", 0o711)
    make_folder("folder/inner", 0o711)
    write_file("folder/file", mode=0o000)
    expect("ok", os.chdir, "folder/inner", user=MATE)
    expect("ok", opened, "folder/file", os.O_PATH, user=MATE)
    expect("EACCES", os.listdir, "folder", user=MATE)
