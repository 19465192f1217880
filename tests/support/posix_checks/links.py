# SPDX-License-Identifier: Apache-2.0
"""link, unlink, rmdir, rename, and link counts."""
import os

import syscalls
from posix_checks.harness import KINDS, Failed, check, expect, make, read_file, remove, same, write_file

NOT_FOLDERS = [kind for kind in KINDS if kind != "folder"]


def nlink(path):
    return os.lstat(path).st_nlink


@check("link of a {0}: one inode, two links", NOT_FOLDERS)
def link(kind):
    make(kind, "one")
    syscalls.linkat("one", "two")
    same("links", (nlink("one"), nlink("two")), (2, 2))
    same("inode number", os.lstat("two").st_ino, os.lstat("one").st_ino)
    os.unlink("one")
    same("links after unlink", nlink("two"), 1)


@check("link of a folder: EPERM")
def link_folder():
    os.mkdir("folder")
    expect("EPERM", syscalls.linkat, "folder", "linked")


@check("link: to a symlink, and with AT_SYMLINK_FOLLOW to its target")
def link_symlink():
    write_file("file")
    os.symlink("file", "symlink")
    syscalls.linkat("symlink", "one")
    syscalls.linkat("symlink", "two", syscalls.AT_SYMLINK_FOLLOW)
    same("what the first is", os.lstat("one").st_ino, os.lstat("symlink").st_ino)
    same("what the second is", os.lstat("two").st_ino, os.lstat("file").st_ino)


@check("link of an open file that has no name left: ENOENT")
def link_unlinked():
    fd = os.open("file", os.O_RDWR | os.O_CREAT)
    os.unlink("file")
    expect("ENOENT", syscalls.linkat, f"/proc/self/fd/{fd}", "again", syscalls.AT_SYMLINK_FOLLOW)
    os.close(fd)


@check("link: 1,000 names of one file")
def many_links():
    write_file("file", b"data")
    for number in range(999):
        os.link("file", f"name-{number}")
    same("links", nlink("file"), 1000)
    for number in range(999):
        os.unlink(f"name-{number}")
    same("links", nlink("file"), 1)


@check("unlink of a {0}", NOT_FOLDERS)
def unlink(kind):
    make(kind, "thing")
    os.unlink("thing")
    same("what is left", os.listdir("."), [])
    expect("ENOENT", os.unlink, "thing")


@check("unlink of a folder: EISDIR")
def unlink_folder():
    os.mkdir("folder")
    expect("EISDIR", os.unlink, "folder")


def open_and_gone(away):
    """A file that is open when `away` takes its last name."""
    write_file("file", b"before")
    fd = os.open("file", os.O_RDWR)
    away()
    return fd


AWAY = {
    "unlinked": lambda: os.unlink("file"),
    "replaced by rename": lambda: (write_file("other", b"other"), os.rename("other", "file")),
}


@check("an open file that is {0}: no links, read and written as before", AWAY)
def open_unlinked(how):
    fd = open_and_gone(AWAY[how])
    same("links", os.fstat(fd).st_nlink, 0)
    os.pwrite(fd, b" and after", 6)
    same("what is read", os.pread(fd, 100, 0), b"before and after")
    os.ftruncate(fd, 3)
    os.fchmod(fd, 0o4711)
    os.fchown(fd, 12, 34)
    os.setxattr(fd, "user.name", b"value")
    s = os.fstat(fd)
    same("size, mode, owner", (s.st_size, s.st_mode & 0o777, s.st_uid, s.st_gid), (3, 0o711, 12, 34))
    same("xattr", os.getxattr(fd, "user.name"), b"value")
    os.close(fd)


@check("an open file of two names, one of them {0}: one link", AWAY)
def open_one_left(how):
    write_file("kept", b"before")
    os.link("kept", "file")
    fd = os.open("file", os.O_RDWR)
    if how == "unlinked":
        os.unlink("file")
    else:
        write_file("other")
        os.rename("other", "file")
    same("links", (os.fstat(fd).st_nlink, nlink("kept")), (1, 1))
    os.write(fd, b"BE")
    same("what the other name shows", read_file("kept"), b"BEfore")
    os.close(fd)


@check("a new file of a name that an open one had is another")
def name_again():
    fd = open_and_gone(AWAY["unlinked"])
    write_file("file", b"new")
    if os.fstat(fd).st_ino == os.stat("file").st_ino:
        raise Failed("both have one inode number")
    same("what the open one shows", os.pread(fd, 10, 0), b"before")
    os.close(fd)


@check("rmdir of a {0}: ENOTDIR", NOT_FOLDERS)
def rmdir_of(kind):
    make(kind, "thing")
    expect("ENOTDIR", os.rmdir, "thing")


@check("rmdir of a folder with a {0} in it: ENOTEMPTY", KINDS)
def rmdir_full(kind):
    os.mkdir("folder")
    make(kind, "folder/thing")
    expect("ENOTEMPTY", os.rmdir, "folder")
    remove(kind, "folder/thing")
    os.rmdir("folder")


@check("rmdir of '{0}': {1}", ["folder/."], ["EINVAL"])
@check("rmdir of '{0}': {1} ", ["folder/inner/.."], ["ENOTEMPTY"])
def rmdir_dots(path, wanted):
    os.makedirs("folder/inner")
    expect(wanted, os.rmdir, path)


@check("a removed folder that is open: nothing in it, nothing can be made in it")
def removed_folder():
    os.mkdir("folder")
    fd = os.open("folder", os.O_RDONLY)
    os.rmdir("folder")
    same("what is in it", [name for name in os.listdir(fd) if name not in (".", "..")], [])
    expect("ENOENT", lambda: os.mkdir("new", dir_fd=fd))
    expect("ENOENT", lambda: os.open("new", os.O_WRONLY | os.O_CREAT, dir_fd=fd))
    expect("ENOENT", lambda: os.symlink("x", "new", dir_fd=fd))
    os.close(fd)


# Link counts of folders.


@check("links of a folder: two, and one for each folder in it")
def folder_links():
    os.mkdir("folder")
    same("links of an empty one", nlink("folder"), 2)
    for number in range(3):
        os.mkdir(f"folder/{number}")
    write_file("folder/file")
    same("links with three folders in it", nlink("folder"), 5)
    os.rmdir("folder/1")
    same("links with two", nlink("folder"), 4)


@check("links of folders after a rename from one to the other")
def folder_links_rename():
    os.makedirs("one/moved")
    os.mkdir("two")
    os.rename("one/moved", "two/moved")
    same("links", (nlink("one"), nlink("two")), (2, 3))


@check("links of folders after a rename over an empty one")
def folder_links_over():
    for path in ("one/moved", "two/moved"):
        os.makedirs(path)
    os.rename("one/moved", "two/moved")
    same("links", (nlink("one"), nlink("two")), (2, 3))


@check("links of folders after an exchange of a file and a folder")
def folder_links_exchange():
    os.makedirs("one/folder")
    os.mkdir("two")
    write_file("two/file")
    syscalls.renameat2("one/folder", "two/file", syscalls.RENAME_EXCHANGE)
    same("links", (nlink("one"), nlink("two")), (2, 3))


# rename


def rename_wanted(old, new):
    if old == "folder":
        return "ok" if new == "folder" else "ENOTDIR"
    return "EISDIR" if new == "folder" else "ok"


@check("rename of a {0} over a {1}", KINDS, KINDS)
def rename_over(old, new):
    make(old, "old")
    make(new, "new")
    inos = os.lstat("old").st_ino, os.lstat("new").st_ino
    wanted = rename_wanted(old, new)
    expect(wanted, os.rename, "old", "new")
    if wanted == "ok":
        same("what is left", os.listdir("."), ["new"])
        same("inode number", os.lstat("new").st_ino, inos[0])
    else:
        same("inode numbers", (os.lstat("old").st_ino, os.lstat("new").st_ino), inos)


@check("rename of a {0} to a new name in another folder", KINDS)
def rename_away(kind):
    make(kind, "old")
    os.mkdir("folder")
    ino = os.lstat("old").st_ino
    os.rename("old", "folder/new")
    same("inode number", os.lstat("folder/new").st_ino, ino)
    same("what is left", os.listdir("."), ["folder"])


@check("rename of a {0} with RENAME_NOREPLACE over a {1}: EEXIST", KINDS, KINDS)
def rename_noreplace(old, new):
    make(old, "old")
    make(new, "new")
    expect("EEXIST", syscalls.renameat2, "old", "new", syscalls.RENAME_NOREPLACE)
    same("what is there", sorted(os.listdir(".")), ["new", "old"])


@check("rename of a {0} with RENAME_NOREPLACE to a new name", KINDS)
def rename_noreplace_new(kind):
    make(kind, "old")
    syscalls.renameat2("old", "new", syscalls.RENAME_NOREPLACE)
    same("what is there", os.listdir("."), ["new"])


@check("exchange of a {0} and a {1}", KINDS, KINDS)
def exchange(old, new):
    os.mkdir("parent")
    make(old, "parent/old")
    make(new, "new")
    inos = os.lstat("parent/old").st_ino, os.lstat("new").st_ino
    syscalls.renameat2("parent/old", "new", syscalls.RENAME_EXCHANGE)
    same("inode numbers", (os.lstat("new").st_ino, os.lstat("parent/old").st_ino), inos)


@check("exchange with a name that is not there: ENOENT")
def exchange_missing():
    write_file("file")
    expect("ENOENT", syscalls.renameat2, "file", "missing", syscalls.RENAME_EXCHANGE)
    expect("ENOENT", syscalls.renameat2, "missing", "file", syscalls.RENAME_EXCHANGE)


@check("rename: flags that exclude each other, or are unknown, are EINVAL: {0}", [3, 6, 1 << 20])
def rename_flags(flags):
    write_file("old")
    expect("EINVAL", syscalls.renameat2, "old", "new", flags)


@check("rename of a folder with content, over {0}", ["a new name", "an empty folder", "a folder with a file"])
def rename_full(target):
    os.makedirs("old/a/b")
    write_file("old/a/b/file", b"data")
    if target != "a new name":
        os.mkdir("new")
    if target == "a folder with a file":
        write_file("new/file")
        expect("ENOTEMPTY", os.rename, "old", "new")
        return
    os.rename("old", "new")
    same("what is in it", read_file("new/a/b/file"), b"data")


@check("rename of a folder below itself: EINVAL: {0}", ["folder/new", "folder/inner/new", "folder/inner"])
def rename_below(target):
    os.makedirs("folder/inner")
    expect("EINVAL", os.rename, "folder", target)


@check("rename of a folder over one that it is in: ENOTEMPTY")
def rename_over_parent():
    os.makedirs("folder/inner/deepest")
    expect("ENOTEMPTY", os.rename, "folder/inner/deepest", "folder")


@check("exchange of a folder with one in it: EINVAL")
def exchange_below():
    os.makedirs("folder/inner")
    expect("EINVAL", syscalls.renameat2, "folder", "folder/inner", syscalls.RENAME_EXCHANGE)


@check("rename of '{0}': EBUSY or EINVAL", [".", "..", "folder/.", "folder/.."])
def rename_dots(path):
    os.mkdir("folder")
    expect("EBUSY|EINVAL", os.rename, path, "new")


@check("rename of one name of a file over another of it changes nothing")
def rename_same_file():
    write_file("one")
    os.link("one", "two")
    os.rename("one", "two")
    same("what is there", sorted(os.listdir(".")), ["one", "two"])
    same("links", nlink("one"), 2)


@check("rename of a name to itself, of a {0}", KINDS)
def rename_itself(kind):
    make(kind, "thing")
    os.rename("thing", "thing")
    same("what is there", os.listdir("."), ["thing"])


@check("rename of a folder: '..' in it is the new parent")
def rename_parent():
    os.makedirs("one/moved")
    os.mkdir("two")
    fd = os.open("one/moved", os.O_RDONLY)
    os.rename("one/moved", "two/moved")
    same("inode number of '..'", os.stat("..", dir_fd=fd).st_ino, os.stat("two").st_ino)
    entries = {e.name: e.ino for e in syscalls.getdents64(fd, 4096)}
    same("inode number of '..' in readdir", entries[".."], os.stat("two").st_ino)
    os.close(fd)


@check("rename over a name of a file of more: one link less")
def rename_over_linked():
    write_file("kept", b"kept")
    os.link("kept", "name")
    write_file("new", b"new")
    os.rename("new", "name")
    same("links", (nlink("kept"), nlink("name")), (1, 1))
    same("content", (read_file("kept"), read_file("name")), (b"kept", b"new"))
