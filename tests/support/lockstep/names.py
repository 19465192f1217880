# SPDX-License-Identifier: Apache-2.0
"""Operations that make, move and remove names."""
import os
import socket
import stat

import syscalls
from lockstep.content import content as bytes_of
from lockstep.operation import operation

# Numbers that no driver of a usual machine answers to; 0:0 is a whiteout elsewhere, and has an operation of its own.
DEVICES = [[stat.S_IFCHR, 240, 1], [stat.S_IFBLK, 241, 7], [stat.S_IFCHR, 4095, 1_048_575], [stat.S_IFBLK, 300, 256]]
TARGETS = ["a", "b/c", "./a/./b", "c", "missing", "/nonexistent/x", ".", "t" * 300, "t/" * 1900, "\udcff"]
CHAIN_NAME = "deep" + "N" * 251  # 255 bytes
CHAIN_LENGTH = 20  # of these: more than PATH_MAX


def made(side, path):
    return side.stat_of(path, is_new=True)


@operation(10, lambda c: {"path": c.new_path(), "mode": c.folder_mode()})
def mkdir(side, path, mode):
    os.mkdir(path, mode)
    return made(side, path)


@operation(10, lambda c: {"path": c.new_path(), "mode": c.mode(), "content": c.content(), "length": c.length()})
def create(side, path, mode, content, length):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        os.write(fd, bytes_of(content, length))
        return side.stat_fd(fd, is_new=True)
    finally:
        os.close(fd)


@operation(2, lambda c: {"path": c.new_path(), "mode": c.mode()})
def mkfifo(side, path, mode):
    os.mkfifo(path, mode)
    return made(side, path)


@operation(2, lambda c: {"path": c.new_path(), "mode": c.mode(), "device": c.pick(DEVICES)})
def mknod(side, path, mode, device):
    kind, major, minor = device
    os.mknod(path, kind | mode, os.makedev(major, minor))
    return made(side, path)


@operation(1, lambda c: {"path": c.new_path()})
def mknod_zero(side, path):
    """A character device 0:0, which overlay file systems keep for themselves."""
    os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(0, 0))
    return made(side, path)


@operation(1, lambda c: {"path": c.new_path(), "mode": c.mode()})
def mknod_file(side, path, mode):
    os.mknod(path, stat.S_IFREG | mode)
    return made(side, path)


@operation(1, lambda c: {"path": c.new_path()})
def bind(side, path):
    """A socket; its address is of 108 bytes, whatever the file system can."""
    if len(os.fsencode(path)) > 100:
        return "too long for an address"
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(os.fsencode(path))
    return made(side, path)


@operation(5, lambda c: {"target": c.path() if c.chance(50) else c.pick(TARGETS), "path": c.new_path()})
def symlink(side, target, path):
    os.symlink(target, path)
    return made(side, path)


@operation(3, lambda c: {"path": c.path()})
def readlink(side, path):
    return os.readlink(path)


@operation(6, lambda c: {"old": c.file() if c.chance(80) else c.path(), "new": c.target()})
def link(side, old, new):
    syscalls.linkat(old, new)
    return [side.stat_of(old), side.stat_of(new)]


@operation(3, lambda c: {"slot": c.slot(), "new": c.target()})
def link_open(side, slot, new):
    """What is open, unlinked or not."""
    syscalls.linkat(f"/proc/self/fd/{side.handle(slot)}", new, syscalls.AT_SYMLINK_FOLLOW)
    return side.stat_of(new)


@operation(8, lambda c: {"path": c.path()})
def unlink(side, path):
    os.unlink(path)
    return None


@operation(5, lambda c: {"path": c.subfolder()})
def rmdir(side, path):
    os.rmdir(path)
    return None


@operation(10, lambda c: {"old": c.path(), "new": c.target()})
def rename(side, old, new):
    os.rename(old, new)
    return side.stat_of(new)


@operation(3, lambda c: {"old": c.subfolder(), "new": c.target()})
def rename_folder(side, old, new):
    os.rename(old, new)
    return side.stat_of(new)


@operation(1, lambda c: {"old": c.subfolder(), "below": c.pick(["x", "a", "a/b"])})
def rename_into_itself(side, old, below):
    os.rename(old, f"{old}/{below}")
    return side.stat_of(f"{old}/{below}")


@operation(3, lambda c: {"old": c.path(), "new": c.target()})
def rename_noreplace(side, old, new):
    syscalls.renameat2(old, new, syscalls.RENAME_NOREPLACE)
    return side.stat_of(new)


@operation(4, lambda c: {"old": c.path(), "new": c.path() if c.chance(80) else c.new_path()})
def rename_exchange(side, old, new):
    syscalls.renameat2(old, new, syscalls.RENAME_EXCHANGE)
    return [side.stat_of(old), side.stat_of(new)]


@operation(1, lambda c: {"old": c.path(), "new": c.path()})
def rename_bad_flags(side, old, new):
    syscalls.renameat2(old, new, syscalls.RENAME_EXCHANGE | syscalls.RENAME_NOREPLACE)
    return None


@operation(2, lambda c: {"slot": c.slot(), "name": c.pick(["a", "b", "c"]), "uid": 0})
def create_in_open(side, slot, name):
    """In an open directory, which may be gone."""
    handle = side.handle(slot)
    os.mkdir(name, 0o755, dir_fd=handle)
    return side.stat_result(os.stat(name, dir_fd=handle), is_new=True)


def remove_below(fd, name):
    """All of a directory, one system call after the other; how many names that were."""
    folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=fd)
    try:
        with os.scandir(folder) as entries:
            found = sorted((e.name, e.is_dir(follow_symlinks=False)) for e in entries)
        count = 1
        for child, is_folder in found:
            if is_folder:
                count += remove_below(folder, child)
            else:
                os.unlink(child, dir_fd=folder)
                count += 1
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=fd)
    return count


@operation(0.2, lambda c: {"path": c.subfolder()})
def remove_tree(side, path):
    """As root: what a user may not remove would depend on the order."""
    return remove_below(side.fd, path)


@operation(0.1, lambda c: {"path": c.folder(), "content": c.content(), "uid": 0})
def deep_chain(side, path, content):
    """A path of more than PATH_MAX, made, used, moved and removed step by step."""
    top = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    opened, results = [top], []
    moved = CHAIN_NAME.upper()
    try:
        for _ in range(CHAIN_LENGTH):
            os.mkdir(CHAIN_NAME, 0o755, dir_fd=opened[-1])
            opened.append(os.open(CHAIN_NAME, os.O_RDONLY | os.O_DIRECTORY, dir_fd=opened[-1]))
        fd = os.open("file", os.O_RDWR | os.O_CREAT, 0o644, dir_fd=opened[-1])
        opened.append(fd)
        os.write(fd, b"%d" % content)
        os.rename(CHAIN_NAME, moved, src_dir_fd=top, dst_dir_fd=top)
        results.append(side.stat_fd(fd, is_new=True))
        results.append(os.pread(fd, 100, 0))
        os.unlink("file", dir_fd=opened[-2])
        results.append(os.fstat(fd).st_nlink)
        for folder in opened[-3:0:-1]:
            os.rmdir(CHAIN_NAME, dir_fd=folder)
        os.rmdir(moved, dir_fd=top)
    finally:
        for handle in opened:
            os.close(handle)
    return results
