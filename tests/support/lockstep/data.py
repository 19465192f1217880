# SPDX-License-Identifier: Apache-2.0
"""Operations on open files and their data."""
import fcntl
import mmap
import os
import stat

import syscalls
from lockstep.content import CHUNK, PAGE, ZEROS, content as bytes_of, digest, segments
from lockstep.operation import operation

# O_NONBLOCK everywhere: a FIFO would wait for its other end.
ACCESS = [os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_RDWR, os.O_RDWR]
FLAGS = [os.O_CREAT, os.O_EXCL, os.O_TRUNC, os.O_APPEND, os.O_NOFOLLOW]
RARE_FLAGS = [os.O_DIRECTORY, os.O_NOATIME, os.O_SYNC]
LOCKS = [fcntl.F_RDLCK, fcntl.F_WRLCK, fcntl.F_UNLCK]
FLOCKS = [fcntl.LOCK_SH, fcntl.LOCK_EX, fcntl.LOCK_UN]
MAPPED_MAX = 1 << 20  # bytes
COPY_STEPS_MAX = 10_000
HUGE = [(1 << 32) - 1, 1 << 32, (1 << 32) + 1, (1 << 31) - 1, (1 << 40) + 12_345, (1 << 43) + 1]


def open_flags(c):
    flags = c.pick(ACCESS) | os.O_NONBLOCK
    for flag in FLAGS:
        if c.chance(30):
            flags |= flag
    if c.chance(6):
        flags |= c.pick(RARE_FLAGS)
    return flags


def is_device(path, flags):
    try:
        mode = os.stat(path, follow_symlinks=not flags & os.O_NOFOLLOW).st_mode
    except OSError:
        return False
    return stat.S_ISCHR(mode) or stat.S_ISBLK(mode)


@operation(22, lambda c: {"slot": c.slot(), "path": c.file() if c.chance(75) else c.target(), "flags": open_flags(c),
                          "mode": c.mode()})
def open_file(side, slot, path, flags, mode):
    """Of a device only what it is: what answers there is not the file system."""
    if is_device(path, flags):
        return "a device"
    existed = os.path.exists(path)
    fd = os.open(path, flags, mode)
    side.put(slot, fd)
    return side.stat_fd(fd, is_new=not existed)


@operation(2, lambda c: {"slot": c.slot(), "path": c.folder()})
def open_folder(side, slot, path):
    side.put(slot, os.open(path, os.O_RDONLY | os.O_DIRECTORY))
    return side.stat_fd(side.handle(slot))


@operation(2, lambda c: {"slot": c.slot(), "path": c.folder(), "mode": c.mode(), "flags": c.pick([0, 0, os.O_EXCL])})
def tmpfile(side, slot, path, mode, flags):
    """A file without a name; link_open gives it one, unless it is O_EXCL."""
    side.put(slot, os.open(path, os.O_TMPFILE | os.O_RDWR | flags, mode))
    return side.stat_fd(side.handle(slot), is_new=True)


@operation(3, lambda c: {"slot": c.slot()})
def close(side, slot):
    side.handle(slot)
    side.drop(slot)
    return None


@operation(5, lambda c: {"slot": c.slot()})
def fstat(side, slot):
    return side.stat_fd(side.handle(slot))


@operation(25, lambda c: {"slot": c.slot(), "offset": c.offset(), "content": c.content(), "length": c.length()})
def pwrite(side, slot, offset, content, length):
    fd = side.handle(slot)
    return [os.pwrite(fd, bytes_of(content, length), offset), side.stat_fd(fd)]


@operation(8, lambda c: {"slot": c.slot(), "content": c.content(), "length": c.length()})
def write(side, slot, content, length):
    """Where the handle stands; pipes are of a size, and not of a file system."""
    fd = side.handle(slot)
    if stat.S_ISFIFO(os.fstat(fd).st_mode):
        return "a pipe"
    return [os.write(fd, bytes_of(content, length)), side.stat_fd(fd)]


@operation(20, lambda c: {"slot": c.slot(), "offset": c.offset(), "length": c.length()})
def pread(side, slot, offset, length):
    return os.pread(side.handle(slot), length, offset)


@operation(5, lambda c: {"slot": c.slot(), "length": c.length()})
def read(side, slot, length):
    """Where the handle stands, which in a directory is a number of the file system's own."""
    fd = side.handle(slot)
    if stat.S_ISDIR(os.fstat(fd).st_mode):
        return "a directory"
    return os.read(fd, length)


@operation(4, lambda c: {"slot": c.slot(), "offset": c.offset(), "whence": c.pick([os.SEEK_SET, os.SEEK_CUR, os.SEEK_END])})
def lseek(side, slot, offset, whence):
    """Of a directory the offsets are its own."""
    fd = side.handle(slot)
    if stat.S_ISDIR(os.fstat(fd).st_mode):
        return "a directory"
    return os.lseek(fd, offset, whence)


@operation(5, lambda c: {"path": c.file(), "size": c.offset()})
def truncate(side, path, size):
    os.truncate(path, size)
    return side.stat_of(path, follow=True)


@operation(6, lambda c: {"slot": c.slot(), "size": c.offset()})
def ftruncate(side, slot, size):
    fd = side.handle(slot)
    os.ftruncate(fd, size)
    return side.stat_fd(fd)


def allocate(side, slot, mode, offset, length):
    fd = side.handle(slot)
    syscalls.fallocate(fd, mode, offset, length)
    return side.stat_fd(fd)


@operation(2, lambda c: {"slot": c.slot(), "offset": c.offset(), "length": c.length()})
def fallocate(side, slot, offset, length):
    return allocate(side, slot, 0, offset, length)


@operation(2, lambda c: {"slot": c.slot(), "offset": c.offset(), "length": c.length()})
def keep_size(side, slot, offset, length):
    return allocate(side, slot, syscalls.FALLOC_FL_KEEP_SIZE, offset, length)


@operation(3, lambda c: {"slot": c.slot(), "offset": c.offset(), "length": c.length()})
def punch_hole(side, slot, offset, length):
    return allocate(side, slot, syscalls.FALLOC_FL_PUNCH_HOLE | syscalls.FALLOC_FL_KEEP_SIZE, offset, length)


@operation(2, lambda c: {"slot": c.slot(), "offset": c.offset(), "length": c.length()})
def zero_range(side, slot, offset, length):
    return allocate(side, slot, syscalls.FALLOC_FL_ZERO_RANGE, offset, length)


def check_holes(side, fd, size):
    """What is said to be a hole reads as zeros."""
    at = 0
    for start, end in [*segments(fd, size), (size, size)]:
        while at < start:
            length = min(CHUNK, start - at)
            if os.pread(fd, length, at) != ZEROS[:length]:
                side.violation(f"SEEK_DATA skips data in [{at}, {at + length}) of a file of {size} bytes")
                return
            at += length
        at = end


@operation(4, lambda c: {"slot": c.slot()})
def seek_holes(side, slot):
    fd = side.handle(slot)
    s = os.fstat(fd)
    if not stat.S_ISREG(s.st_mode):
        return "no file"
    stood = os.lseek(fd, 0, os.SEEK_CUR)
    try:
        check_holes(side, fd, s.st_size)
        if s.st_size and os.lseek(fd, s.st_size - 1, os.SEEK_HOLE) > s.st_size:
            side.violation("SEEK_HOLE goes beyond the end of the file")
        return digest(fd)
    finally:
        os.lseek(fd, stood, os.SEEK_SET)


@operation(2, lambda c: {"slot": c.slot(), "beyond": c.pick([0, 1, PAGE]), "whence": c.pick([os.SEEK_DATA, os.SEEK_HOLE])})
def seek_beyond(side, slot, beyond, whence):
    fd = side.handle(slot)
    s = os.fstat(fd)
    if not stat.S_ISREG(s.st_mode):
        return "no file"
    return os.lseek(fd, s.st_size + beyond, whence)


@operation(4, lambda c: {"slot": c.slot(), "target": c.slot(), "offset": c.offset(), "to": c.offset(), "length": c.length()})
def copy_file_range(side, slot, target, offset, to, length):
    """May copy less than it was told to: until all is copied."""
    source, sink = side.handle(slot), side.handle(target)
    copied = 0
    for _ in range(COPY_STEPS_MAX):
        step = os.copy_file_range(source, sink, length - copied, offset + copied, to + copied) if copied < length else 0
        if step == 0:
            break
        copied += step
    return [copied, side.stat_fd(sink)]


@operation(4, lambda c: {"slot": c.slot(), "offset": c.number(0, 40 * PAGE), "content": c.content(),
                         "length": c.number(1, 3 * PAGE)})
def mmap_write(side, slot, offset, content, length):
    """Within the file: what is beyond its end is a signal, not an error."""
    fd = side.handle(slot)
    s = os.fstat(fd)
    if not stat.S_ISREG(s.st_mode) or not 0 < s.st_size <= MAPPED_MAX:
        return "not mapped"
    with mmap.mmap(fd, s.st_size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE) as m:
        offset = min(offset, s.st_size - 1)
        end = min(offset + length, s.st_size)
        m[offset:end] = bytes_of(content, end - offset)
        m.flush()
        return [bytes(m[max(0, offset - 10) : end + 10]), os.pread(fd, length + 100, max(0, offset - 10)), side.stat_fd(fd)]


@operation(2, lambda c: {"slot": c.slot()})
def mmap_read(side, slot):
    fd = side.handle(slot)
    s = os.fstat(fd)
    if not stat.S_ISREG(s.st_mode) or not 0 < s.st_size <= MAPPED_MAX:
        return "not mapped"
    with mmap.mmap(fd, s.st_size, mmap.MAP_SHARED, mmap.PROT_READ) as m:
        return bytes(m)


@operation(0.2, lambda c: {"slot": c.slot(), "is_data": c.chance(50)})
def fsync(side, slot, is_data):
    (os.fdatasync if is_data else os.fsync)(side.handle(slot))
    return None


@operation(3, lambda c: {"slot": c.slot(), "kind": c.pick(FLOCKS)})
def flock(side, slot, kind):
    fcntl.flock(side.handle(slot), kind | fcntl.LOCK_NB)
    return None


@operation(3, lambda c: {"slot": c.slot(), "command": c.pick([fcntl.F_SETLK, syscalls.F_OFD_SETLK]), "kind": c.pick(LOCKS),
                         "start": c.number(0, 100), "length": c.number(0, 50)})
def lock_range(side, slot, command, kind, start, length):
    """Locks of this process and of an open file conflict, so that one process is enough to see it."""
    syscalls.lock_range(side.handle(slot), command, kind, start, length)
    return None


@operation(0.3, lambda c: {"path": c.new_path(), "offset": c.pick(HUGE), "content": c.content()})
def huge(side, path, offset, content):
    """A file of a size beyond 32 bits, which does not stay."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        results = [side.stat_fd(fd, is_new=True), os.pwrite(fd, bytes_of(content, 5000), offset), side.stat_fd(fd)]
        results += [os.pread(fd, 6000, offset - 500), os.pread(fd, 100, offset // 2)]
        os.ftruncate(fd, offset + 17)
        results += [os.pread(fd, 6000, offset - 500)]
        os.ftruncate(fd, offset + 3 * PAGE)
        return results + [os.pread(fd, 6000, offset - 500), side.stat_fd(fd)]
    finally:
        os.close(fd)
        os.unlink(path)
