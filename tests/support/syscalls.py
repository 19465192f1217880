# SPDX-License-Identifier: Apache-2.0
"""System calls that the os module lacks or hides something of, for the programs that test a mount.

Each raises OSError as the os module does.  Paths are str (surrogateescape) and relative to the current directory.
"""
import collections
import ctypes
import errno
import fcntl
import os
import struct

AT_FDCWD = -100
AT_SYMLINK_NOFOLLOW = 0x100
AT_SYMLINK_FOLLOW = 0x400
RENAME_NOREPLACE = 1
RENAME_EXCHANGE = 2
RENAME_WHITEOUT = 4
FALLOC_FL_KEEP_SIZE = 1
FALLOC_FL_PUNCH_HOLE = 2
FALLOC_FL_ZERO_RANGE = 16
UTIME_NOW = (1 << 30) - 1
UTIME_OMIT = (1 << 30) - 2
SYS_GETDENTS64 = {"x86_64": 217}.get(os.uname().machine, 61)  # 61: what newer architectures share
F_OFD_SETLK = 37

# What linux_dirent64 has before the name: inode, offset of the next, length of the record, type.
DIRENT_HEADER = struct.Struct("=QqHB")
FLOCK = struct.Struct("hhqqi4x")  # struct flock: type, whence, start, length, pid

Entry = collections.namedtuple("Entry", "name ino next_offset type")


class Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


libc = ctypes.CDLL(None, use_errno=True)
libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
libc.syscall.restype = ctypes.c_long


def checked(result):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def renameat2(old, new, flags):
    checked(libc.renameat2(AT_FDCWD, os.fsencode(old), AT_FDCWD, os.fsencode(new), flags))


def linkat(old, new, flags=0):
    checked(libc.linkat(AT_FDCWD, os.fsencode(old), AT_FDCWD, os.fsencode(new), flags))


def fallocate(fd, mode, offset, length):
    checked(libc.fallocate(fd, mode, offset, length))


def utimensat(path, atime, mtime, flags=0):
    """Times are pairs of seconds and nanoseconds; these may be UTIME_NOW and UTIME_OMIT."""
    times = (Timespec * 2)(Timespec(*atime), Timespec(*mtime))
    checked(libc.utimensat(AT_FDCWD, os.fsencode(path), times, flags))


def getdents64(fd, size):
    """The next entries of a directory that fit into `size` bytes, "." and ".." among them; none at its end."""
    buffer = ctypes.create_string_buffer(size)
    length = checked(libc.syscall(SYS_GETDENTS64, fd, buffer, size))
    data, at, entries = buffer.raw[:length], 0, []
    while at < length:
        ino, next_offset, record, kind = DIRENT_HEADER.unpack_from(data, at)
        name = data[at + DIRENT_HEADER.size : at + record].split(b"\0")[0]
        entries.append(Entry(os.fsdecode(name), ino, next_offset, kind))
        at += record
    return entries


def lock_range(fd, command, kind, start, length):
    """F_SETLK or F_OFD_SETLK of F_RDLCK, F_WRLCK or F_UNLCK."""
    fcntl.fcntl(fd, command, FLOCK.pack(kind, os.SEEK_SET, start, length, 0))


def error_name(number):
    """ENOTSUP and EOPNOTSUPP are one number."""
    return "EOPNOTSUPP" if number == errno.EOPNOTSUPP else errno.errorcode.get(number, str(number))
