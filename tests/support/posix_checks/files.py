# SPDX-License-Identifier: Apache-2.0
"""open, read, write, truncate, fallocate."""
import mmap
import os
import resource
import shutil
import signal
import subprocess

import syscalls
from lockstep.content import content, segments
from posix_checks.calls import opened
from posix_checks.harness import KINDS, OTHER, Failed, as_user, check, expect, make, outcome, read_file, same, write_file

SIZES = [0, 1, 4095, 4096, 4097, 131_072, 300_001]
WRITING = {
    "O_WRONLY": os.O_WRONLY,
    "O_RDWR": os.O_RDWR,
    "O_RDONLY|O_TRUNC": os.O_TRUNC,
    "O_WRONLY|O_CREAT": os.O_WRONLY | os.O_CREAT,
}
KEEP, PUNCH, ZERO = syscalls.FALLOC_FL_KEEP_SIZE, syscalls.FALLOC_FL_PUNCH_HOLE, syscalls.FALLOC_FL_ZERO_RANGE
RANGES = [(0, 1), (0, 4096), (1, 4095), (4095, 2), (4096, 8192), (5000, 20_000), (10_000, 100_000), (50_000, 5_000)]
BLOCK_SIZE = 20_000


@check("open({0}) of a folder: EISDIR", WRITING)
def write_folder(flags):
    os.mkdir("folder")
    expect("EISDIR", opened, "folder", WRITING[flags])


@check("open({0}) of a socket: ENXIO", ["O_RDONLY", "O_WRONLY"])
def open_socket(flags):
    make("socket", "socket")
    expect("ENXIO", opened, "socket", getattr(os, flags) | os.O_NONBLOCK)


@check("open(O_WRONLY|O_NONBLOCK) of a FIFO without a reader: ENXIO; with one, bytes go through")
def open_fifo():
    os.mkfifo("fifo")
    expect("ENXIO", opened, "fifo", os.O_WRONLY | os.O_NONBLOCK)
    reader = os.open("fifo", os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open("fifo", os.O_WRONLY | os.O_NONBLOCK)
    os.write(writer, b"through")
    same("what is read", os.read(reader, 100), b"through")
    os.close(reader)
    os.close(writer)


@check("open(O_NOFOLLOW) of a symlink: ELOOP")
def nofollow():
    write_file("file")
    os.symlink("file", "link")
    expect("ELOOP", opened, "link", os.O_RDONLY | os.O_NOFOLLOW)


@check("open(O_CREAT) of a symlink to nothing makes its target; with O_EXCL it is EEXIST")
def create_through_link():
    os.symlink("target", "link")
    expect("EEXIST", opened, "link", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    opened("link", os.O_WRONLY | os.O_CREAT)
    same("names", sorted(os.listdir(".")), ["link", "target"])


@check("open(O_CREAT) of a file that is there changes neither mode nor data")
def create_there():
    write_file("file", b"data", 0o640)
    opened("file", os.O_RDWR | os.O_CREAT, 0o777)
    same("data", read_file("file"), b"data")
    same("mode", os.stat("file").st_mode & 0o7777, 0o640)


@check("open(O_CREAT|O_TRUNC) keeps inode, mode and owner")
def truncate_there():
    write_file("file", b"data", 0o640, (12, 34))
    before = os.stat("file")
    opened("file", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o777)
    after = os.stat("file")
    same("inode, mode, owner, size", (after.st_ino, after.st_mode, after.st_uid, after.st_gid, after.st_size),
         (before.st_ino, before.st_mode, 12, 34, 0))


@check("open(O_TRUNC) while another has it open: both see no data")
def truncate_open():
    write_file("file", b"data")
    fd = os.open("file", os.O_RDWR)
    os.pread(fd, 10, 0)
    opened("file", os.O_WRONLY | os.O_TRUNC)
    same("size", os.fstat(fd).st_size, 0)
    same("data", os.pread(fd, 10, 0), b"")
    os.pwrite(fd, b"x", 2)
    same("data after a write", read_file("file"), b"\0\0x")
    os.close(fd)


@check("{0} of what is not open for it: EBADF", ["read", "write", "pread", "pwrite", "ftruncate", "fallocate"])
def not_open_for(call):
    write_file("file", b"data")
    fd = os.open("file", os.O_WRONLY if call in ("read", "pread") else os.O_RDONLY)
    function = {
        "read": lambda: os.read(fd, 1), "pread": lambda: os.pread(fd, 1, 0), "write": lambda: os.write(fd, b"x"),
        "pwrite": lambda: os.pwrite(fd, b"x", 0), "ftruncate": lambda: os.ftruncate(fd, 1),
        "fallocate": lambda: syscalls.fallocate(fd, 0, 0, 1),
    }[call]
    expect("EINVAL" if call == "ftruncate" else "EBADF", function)
    os.close(fd)


@check("O_APPEND: writes go to the end, wherever the handle stands")
def append():
    write_file("file", b"one")
    fd = os.open("file", os.O_WRONLY | os.O_APPEND)
    other = os.open("file", os.O_WRONLY)
    os.lseek(fd, 0, os.SEEK_SET)
    os.write(fd, b"two")
    os.pwrite(other, b"THREE", 6)
    os.write(fd, b"four")
    os.pwrite(fd, b"five", 0)
    same("data", read_file("file"), b"onetwoTHREEfourfive")
    os.close(fd)
    os.close(other)


@check("O_APPEND: after truncate, writes go to the new end")
def append_truncated():
    write_file("file", b"0123456789")
    fd = os.open("file", os.O_WRONLY | os.O_APPEND)
    os.truncate("file", 4)
    os.write(fd, b"x")
    os.truncate("file", 8)
    os.write(fd, b"y")
    same("data", read_file("file"), b"0123x\0\0\0y")
    os.close(fd)


@check("what one handle writes another reads: {0} bytes", SIZES)
def two_handles(size):
    data = content(5, size)
    reader = os.open("file", os.O_RDONLY | os.O_CREAT)
    writer = os.open("file", os.O_WRONLY)
    os.write(writer, data)
    same("size", os.fstat(reader).st_size, size)
    if os.pread(reader, size + 10, 0) != data:
        raise Failed("other data are read")
    os.close(reader)
    os.close(writer)


@check("a file of mode {0:o} being run cannot be opened for writing, and one open for writing not run", [0o755, 0o700])
def text_busy(mode):
    if os.statvfs(".").f_flag & os.ST_NOEXEC:
        return
    shutil.copy(shutil.which("sleep"), "program")
    os.chmod("program", mode)
    with subprocess.Popen(["./program", "100"]) as child:
        try:
            for flags in (os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_TRUNC):
                expect("ETXTBSY", opened, "program", flags)
            expect("ETXTBSY", os.truncate, "program", 0)
            expect("ok", opened, "program", os.O_RDONLY)
        finally:
            child.kill()
    fd = os.open("program", os.O_WRONLY)
    expect("ETXTBSY", subprocess.run, ["./program", "0"])
    os.close(fd)
    expect("ok", subprocess.run, ["./program", "0"])


def limited(function):
    """`function` where files end after 10,000 bytes."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
    return outcome(function)


@check("EFBIG beyond the limit of the process: {0}", ["write", "truncate", "fallocate", "part of a write"])
def size_limit(call):
    write_file("file", b"data", 0o666)
    fd = os.open("file", os.O_RDWR)
    if call == "part of a write":
        same("bytes written", as_user(OTHER, lambda: limited(lambda: None) and os.pwrite(fd, bytes(100), 9_950)), 50)
        os.close(fd)
        return
    function = {
        "write": lambda: os.pwrite(fd, b"x", 10_000), "truncate": lambda: os.truncate("file", 10_001),
        "fallocate": lambda: syscalls.fallocate(fd, 0, 9_000, 5_000),
    }[call]
    same("outcome", as_user(OTHER, limited, function), "EFBIG")
    os.close(fd)


@check("truncate of {0} bytes to {1}: what is kept is kept, what is new is zeros", SIZES, SIZES)
def truncate(size, target):
    data = content(5, size)
    write_file("file", data)
    os.truncate("file", target)
    if read_file("file") != data[:target].ljust(target, b"\0"):
        raise Failed("other data are read")


@check("ftruncate to {0} bytes and back: what was cut off is zeros, read and mapped", SIZES)
def truncate_back(target):
    size = 300_001
    data = content(5, size)
    write_file("file", data)
    fd = os.open("file", os.O_RDWR)
    with mmap.mmap(fd, size) as m:
        os.ftruncate(fd, target)
        os.ftruncate(fd, size)
        wanted = data[:target].ljust(size, b"\0")
        if os.pread(fd, size, 0) != wanted:
            raise Failed("other data are read")
        if bytes(m) != wanted:
            raise Failed("other data are mapped")
    os.close(fd)


@check("truncate of a {0}: {1}", ["folder"], ["EISDIR"])
@check("truncate of a {0}: {1}", ["fifo", "socket"], ["EINVAL"])
def truncate_kinds(kind, wanted):
    make(kind, "thing")
    expect(wanted, os.truncate, "thing", 0)


@check("{0} to less than nothing: EINVAL", ["truncate", "ftruncate"])
def truncate_negative(call):
    write_file("file", b"data")
    fd = os.open("file", os.O_RDWR)
    expect("EINVAL", os.truncate if call == "truncate" else os.ftruncate, "file" if call == "truncate" else fd, -1)
    os.close(fd)


def allocated(mode, offset, length, size=BLOCK_SIZE):
    """Data before and after, or None where the file system does not know the mode."""
    data = content(5, size)
    write_file("file", data)
    fd = os.open("file", os.O_RDWR)
    try:
        got = outcome(syscalls.fallocate, fd, mode, offset, length)
    finally:
        os.close(fd)
    if got == "EOPNOTSUPP":
        return None
    same("outcome", got, "ok")
    return data, read_file("file")


def compare(got, wanted):
    same("size", len(got), len(wanted))
    if got != wanted:
        raise Failed("other data are read")


@check("fallocate of {0}", RANGES)
def fallocate(where):
    offset, length = where
    if pair := allocated(0, offset, length):
        compare(pair[1], pair[0].ljust(offset + length, b"\0"))


@check("fallocate(KEEP_SIZE) of {0}", RANGES)
def fallocate_keep(where):
    if pair := allocated(KEEP, *where):
        compare(pair[1], pair[0])


@check("fallocate(PUNCH_HOLE) of {0}", RANGES)
def fallocate_punch(where):
    offset, length = where
    if pair := allocated(PUNCH | KEEP, offset, length):
        end = min(offset + length, BLOCK_SIZE)
        compare(pair[1], pair[0][:offset] + bytes(max(0, end - offset)) + pair[0][end:] if end > offset else pair[0])


@check("fallocate(ZERO_RANGE) of {0}", RANGES)
def fallocate_zero(where):
    offset, length = where
    if pair := allocated(ZERO, offset, length):
        compare(pair[1], pair[0][:offset].ljust(offset, b"\0") + bytes(length) + pair[0][offset + length :])


@check("fallocate: {0}", ["no length is EINVAL", "a negative offset is EINVAL", "PUNCH_HOLE without KEEP_SIZE is EOPNOTSUPP",
                          "of a FIFO is ESPIPE", "beyond all sizes is EFBIG"])
def fallocate_errors(what):
    write_file("file", b"data")
    os.mkfifo("fifo")
    fd = os.open("fifo" if "FIFO" in what else "file", os.O_RDWR)
    arguments = {"no": (0, 0, 0), "a": (0, -1, 10), "PUNCH_HOLE": (PUNCH, 0, 10), "of": (0, 0, 10),
                 "beyond": (0, 2**63 - 1, 10)}[what.split(" ")[0]]
    expect(what.split(" ")[-1], syscalls.fallocate, fd, *arguments)
    os.close(fd)


@check("a write {0} bytes beyond the end leaves zeros between", [1, 4095, 4096, 4097, 1_000_000])
def write_beyond(distance):
    write_file("file", b"data")
    fd = os.open("file", os.O_RDWR)
    os.pwrite(fd, b"end", 4 + distance)
    os.close(fd)
    compare(read_file("file"), b"data" + bytes(distance) + b"end")


@check("SEEK_DATA and SEEK_HOLE: all data are found, and there is a hole at the end")
def seek_holes():
    fd = os.open("file", os.O_RDWR | os.O_CREAT)
    for at in (0, 1 << 20, 3 << 20):
        os.pwrite(fd, content(5, 5_000), at)
    os.ftruncate(fd, 5 << 20)
    found = list(segments(fd, 5 << 20))
    for at in (0, 1 << 20, 3 << 20):
        if not any(start <= at and at + 5_000 <= end for start, end in found):
            raise Failed(f"the data at {at} are in none of {found}")
    same("SEEK_HOLE in the last byte", os.lseek(fd, (5 << 20) - 1, os.SEEK_HOLE) in ((5 << 20) - 1, 5 << 20), True)
    expect("ENXIO", os.lseek, fd, 5 << 20, os.SEEK_DATA)
    expect("ENXIO", os.lseek, fd, (5 << 20) + 1, os.SEEK_HOLE)
    os.close(fd)


@check("mmap: what is written shared is read, and what is written is mapped")
def mmap_shared():
    write_file("file", content(5, 10_000))
    fd = os.open("file", os.O_RDWR)
    with mmap.mmap(fd, 10_000) as m:
        m[5_000:5_004] = b"MMAP"
        same("what is read", os.pread(fd, 4, 5_000), b"MMAP")
        os.pwrite(fd, b"WRITE", 4_094)
        same("what is mapped", bytes(m[4_094:4_099]), b"WRITE")
        m.flush()
    same("what another handle reads", read_file("file")[5_000:5_004], b"MMAP")
    os.close(fd)


@check("mmap: private writes do not reach the file")
def mmap_private():
    write_file("file", b"data")
    fd = os.open("file", os.O_RDWR)
    with mmap.mmap(fd, 4, mmap.MAP_PRIVATE) as m:
        m[0:4] = b"DATA"
    same("data", read_file("file"), b"data")
    os.close(fd)


@check("mmap: beyond the end of a file that was truncated is SIGBUS, and before it data")
def mmap_beyond():
    write_file("file", content(5, 12_288))
    fd = os.open("file", os.O_RDWR)
    with mmap.mmap(fd, 12_288) as m:
        os.ftruncate(fd, 5_000)
        same("what is mapped before the end", m[:5_000], content(5, 12_288)[:5_000])
        same("what is mapped behind it, in the last page", m[5_000:8_192], bytes(3_192))
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGBUS, signal.SIG_DFL)
            os._exit(m[8_192] & 0)
        same("how a process ends that looks beyond", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), -signal.SIGBUS)
    os.close(fd)


@check("O_DIRECT, where there is such: aligned writes are read by all, and what was written is read directly")
def direct():
    write_file("file", content(5, 8_192))
    try:
        fd = os.open("file", os.O_RDWR | os.O_DIRECT)
    except OSError as e:
        same("error", syscalls.error_name(e.errno), "EINVAL")
        return
    reader = os.open("file", os.O_RDWR)
    with mmap.mmap(-1, 4_096) as page:  # aligned
        page[:] = b"d" * 4_096
        os.pwritev(fd, [page], 4_096)
        same("what is read", os.pread(reader, 4_096, 4_096), b"d" * 4_096)
        os.pwrite(reader, b"buffered", 100)
        os.preadv(fd, [page], 0)
        same("what is read directly", page[100:108], b"buffered")
    os.close(fd)
    os.close(reader)


@check("syncfs and statvfs")
def syncfs():
    fd = os.open(".", os.O_RDONLY)
    syscalls.checked(syscalls.libc.syncfs(fd))
    os.close(fd)
    same("statvfs has blocks of some size", os.statvfs(".").f_bsize > 0, True)


@check("copy_file_range: {0}", ["whole", "within", "beyond the end", "overlapping in one file is EINVAL"])
def copy_range(what):
    data = content(5, 50_000)
    write_file("source", data)
    write_file("target", b"t" * 100)
    source, target = os.open("source", os.O_RDWR), os.open("target", os.O_RDWR)
    if what.endswith("EINVAL"):
        expect("EINVAL", os.copy_file_range, source, source, 10_000, 0, 5_000)
    else:
        offset, length, to = {"whole": (0, 50_000, 0), "within": (5_000, 7_001, 50), "beyond the end": (60_000, 10, 0)}[what]
        copied = 0
        while step := os.copy_file_range(source, target, length - copied, offset + copied, to + copied) if copied < length else 0:
            copied += step
        part = data[offset : offset + length]
        compare(read_file("target"), (b"t" * to + part).ljust(100, b"t") if part else b"t" * 100)
    os.close(source)
    os.close(target)


@check("fsync and fdatasync of a {0}", ["file", "folder"])
def sync(kind):
    make(kind, "thing")
    fd = os.open("thing", os.O_RDONLY)
    os.fsync(fd)
    os.fdatasync(fd)
    os.close(fd)


@check("a file of more than {0} bytes", [2**31, 2**32, 2**40])
def huge(size):
    fd = os.open("file", os.O_RDWR | os.O_CREAT)
    os.pwrite(fd, b"huge", size - 2)
    same("size", os.fstat(fd).st_size, size + 2)
    same("what is read", os.pread(fd, 100, size - 6), b"\0\0\0\0huge")
    os.ftruncate(fd, size + 10)
    same("what is read after ftruncate", os.pread(fd, 100, size - 6), b"\0\0\0\0huge".ljust(16, b"\0"))
    os.close(fd)


@check("O_TMPFILE, where there is such: a file without a name, and then with one")
def tmpfile():
    try:
        fd = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o600)
    except OSError as e:
        same("error", syscalls.error_name(e.errno), "EOPNOTSUPP")
        return
    os.write(fd, b"data")
    same("links", os.fstat(fd).st_nlink, 0)
    syscalls.linkat(f"/proc/self/fd/{fd}", "name", syscalls.AT_SYMLINK_FOLLOW)
    same("links", os.fstat(fd).st_nlink, 1)
    same("data", read_file("name"), b"data")
    os.close(fd)


@check("inode numbers of a {0} and its handle are one, before and after all changes", KINDS)
def stable_ino(kind):
    make(kind, "thing")
    ino = os.lstat("thing").st_ino
    os.lchown("thing", 5, 5)
    syscalls.utimensat("thing", (1, 1), (1, 1), syscalls.AT_SYMLINK_NOFOLLOW)
    os.rename("thing", "new")
    if kind == "file":
        os.truncate("new", 100_000)
        os.setxattr("new", "user.name", b"value")
        fd = os.open("new", os.O_RDWR)
        os.write(fd, b"data")
        same("inode number of the handle", os.fstat(fd).st_ino, ino)
        os.close(fd)
    same("inode number", os.lstat("new").st_ino, ino)
