# SPDX-License-Identifier: Apache-2.0
"""Errors of looking a path up, and the longest names and paths that there are."""
import os

import syscalls
from posix_checks.calls import ALL, FOLLOWING, MAKING, NOT_FOLLOWING, OTHERS, prepare
from posix_checks.harness import KINDS, LONGEST_NAME, PATH_MAX, Failed, check, expect, make, read_file, same, write_file

NO_FOLDERS = [kind for kind in KINDS if kind not in ("folder", "symlink")]
WANTING = {**FOLLOWING, **NOT_FOLLOWING}


@check("{0}: ENOENT when a folder of the path is missing", ALL)
def folder_missing(call):
    prepare()
    expect("ENOENT", ALL[call], "missing/name")


@check("{0}: ENOENT when there is no such name", WANTING)
def name_missing(call):
    prepare()
    expect("ENOENT", ALL[call], "missing")


@check("{0}: ENOENT for an empty path", ALL)
def empty_path(call):
    prepare()
    expect("ENOENT", ALL[call], "")


@check("{0}: ENOTDIR when a folder of the path is a {1}", ALL, NO_FOLDERS)
def no_folder(call, kind):
    prepare()
    make(kind, "thing")
    expect("ENOTDIR", ALL[call], "thing/name")


@check("{0}: ENOTDIR when a folder of the path is a symlink to a file", ALL)
def no_folder_behind_link(call):
    prepare()
    os.symlink("there", "thing")
    expect("ENOTDIR", ALL[call], "thing/name")


@check("{0}: ELOOP when a folder of the path is a symlink to itself", ALL)
def loop_in_path(call):
    prepare()
    os.symlink("loop", "loop")
    expect("ELOOP", ALL[call], "loop/name")


@check("{0}: ELOOP for two symlinks to each other", FOLLOWING)
def loop_at_end(call):
    os.symlink("one", "two")
    os.symlink("two", "one")
    expect("ELOOP", ALL[call], "one")


@check("{0}: ok for a symlink to itself", ["lstat", "lchown", "unlink", "rename(old)", "link(old)", "readlink", "rename(new)"])
def loop_itself(call):
    prepare()
    os.symlink("loop", "loop")
    expect("ok", ALL[call], "loop")


@check("open: 40 symlinks in a row are followed, 41 are not")
def forty_links():
    write_file("link-0")
    for number in range(1, 42):
        os.symlink(f"link-{number - 1}", f"link-{number}")
    expect("ok", ALL["open"], "link-40")
    expect("ELOOP", ALL["open"], "link-41")


@check("{0}: ENAMETOOLONG for a name of 256 bytes", ALL)
def name_too_long(call):
    prepare()
    expect("ENAMETOOLONG", ALL[call], "n" * (LONGEST_NAME + 1))


@check("{0}: ENAMETOOLONG for a folder's name of 256 bytes in the path", ALL)
def folder_name_too_long(call):
    prepare()
    expect("ENAMETOOLONG", ALL[call], "n" * (LONGEST_NAME + 1) + "/name")


@check("{0}: ENAMETOOLONG for a path of 4096 bytes", ALL)
def path_too_long(call):
    prepare()
    expect("ENAMETOOLONG", ALL[call], "./" * ((PATH_MAX - 4) // 2) + "name")


@check("{0}: makes a name of 255 bytes", [*MAKING, "open(O_CREAT)", "rename(new)"])
def longest_made(call):
    prepare()
    name = "n" * LONGEST_NAME
    expect("ok", ALL[call], name)
    if name not in os.listdir("."):
        raise Failed("the name is not in its folder")


@check("{0}: takes a name of 255 bytes", WANTING)
def longest_taken(call):
    write_file("ü" + "n" * (LONGEST_NAME - 2), b"data")
    expect("ok", ALL[call], "ü" + "n" * (LONGEST_NAME - 2))


@check("{0}: takes a path of 4095 bytes", WANTING)
def longest_path(call):
    write_file("name0", b"data")
    expect("ok", ALL[call], "./" * ((PATH_MAX - 6) // 2) + "name0")


@check("mkdir, open, rename, rmdir: below a path longer than PATH_MAX")
def beyond_path_max():
    name, handles = "n" * LONGEST_NAME, [os.open(".", os.O_RDONLY)]
    for _ in range(20):
        os.mkdir(name, dir_fd=handles[-1])
        handles.append(os.open(name, os.O_RDONLY, dir_fd=handles[-1]))
    fd = os.open("file", os.O_RDWR | os.O_CREAT, dir_fd=handles[-1])
    os.write(fd, b"deep")
    os.rename("file", "moved", src_dir_fd=handles[-1], dst_dir_fd=handles[-1])
    same("what is read there", os.pread(fd, 10, 0), b"deep")
    same("the list of the deepest folder", os.listdir(handles[-1]), ["moved"])
    os.close(fd)
    os.unlink("moved", dir_fd=handles[-1])
    for handle in handles[-2::-1]:
        os.rmdir(name, dir_fd=handle)
    same("what is left", os.listdir("."), [])
    for handle in handles:
        os.close(handle)


@check("{0}: EEXIST when the name is a {1}", MAKING, KINDS)
def exists(call, kind):
    prepare()
    make(kind, "name")
    expect("EEXIST", ALL[call], "name")


@check("{0}: EEXIST for '.', '..' and a name with a slash behind it, of a folder", MAKING)
def exists_dots(call):
    prepare()
    os.mkdir("folder")
    for path in (".", "..", "folder/.", "folder/.."):
        expect("EEXIST", ALL[call], path)


@check("{0}: a slash behind the name of a file is ENOTDIR",
       ["stat", "lstat", "truncate", "chmod", "chown", "unlink", "rename(old)"])
def slash_behind_file(call):
    prepare()
    write_file("file")
    expect("ENOTDIR", ALL[call], "file/")


@check("{0}: a name of bytes {1}", ["open(O_CREAT)", "mkdir", "symlink", "link(new)"],
       ["\udcff\udcfe\udc80", "line\nfeed", " ", "*", "\\", "\x01\x7f", "ü", "-rf", "...", "..a", "~", "a" * 254 + "\udcff"])
def any_bytes(call, name):
    prepare()
    ALL[call](name)
    if name not in os.listdir("."):
        raise Failed(f"{name!r} is not in its folder")
    os.unlink(name) if not os.path.isdir(name) else os.rmdir(name)
    same("what is left", os.listdir("."), ["there"])


@check("open: names that differ in case, or in how they are composed, are others")
def exact_names():
    for number, name in enumerate(["name", "NAME", "Name", "\u00e9", "e\u0301"]):
        write_file(name, b"%d" % number)
    for number, name in enumerate(["name", "NAME", "Name", "\u00e9", "e\u0301"]):
        same(f"content of {name!r}", read_file(name), b"%d" % number)


@check("{0}: follows a symlink to a file", FOLLOWING)
def follows(call):
    prepare()
    os.symlink("there", "link")
    expect("ok", ALL[call], "link")


@check("{0}: ENOENT for a symlink to nothing", FOLLOWING)
def follows_to_nothing(call):
    os.symlink("missing", "link")
    expect("ENOENT", ALL[call], "link")


@check("readlink: EINVAL of a {0}", [kind for kind in KINDS if kind != "symlink"])
def readlink_of(kind):
    make(kind, "thing")
    expect("EINVAL", os.readlink, "thing")


@check("open(O_DIRECTORY): ENOTDIR of a {0}", NO_FOLDERS)
def folder_wanted(kind):
    make(kind, "thing")
    expect("ENOTDIR", OTHERS["open(O_DIRECTORY)"], "thing")


@check("getdents64: types and inode numbers are those of stat, for a {0}", KINDS)
def readdir_types(kind):
    make(kind, "thing")
    s = os.lstat("thing")
    fd = os.open(".", os.O_RDONLY)
    (entry,) = [e for e in syscalls.getdents64(fd, 4096) if e.name == "thing"]
    os.close(fd)
    same("inode number", entry.ino, s.st_ino)
    same("type", entry.type, (s.st_mode & 0o170000) >> 12)


@check("getdents64: '.' and '..' come once, with numbers")
def readdir_dots():
    os.mkdir("folder")
    fd = os.open("folder", os.O_RDONLY)
    entries = {e.name: e.ino for e in syscalls.getdents64(fd, 4096)}
    os.close(fd)
    same("names", sorted(entries), [".", ".."])
    same("inode number of '.'", entries["."], os.stat("folder").st_ino)
    same("inode number of '..'", entries[".."], os.stat(".").st_ino)
