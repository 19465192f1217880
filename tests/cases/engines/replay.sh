#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tests/support/replay.py makes of small programs exactly the disks that a power failure may leave: all of them, and no other.
# NEEDS: strace
# SANITIZERS: no
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

python3 - "$SHALE_SOURCE/tests/support" <<'END'
import itertools
import os
import subprocess
import sys

sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from replay import HEAD, STRACE, TAIL, WHOLE, ZEROS, Log, end_of_data

TOP = os.path.abspath("top")
OLD = {"f": b"1234"}
# What a program in `top` begins with; it has os, and a file `f`.
BEGIN = "import os; os.chdir('top'); d = os.open('.', os.O_RDONLY); f = os.open('f', os.O_RDWR); "
TMP = "t = os.open('t', os.O_WRONLY | os.O_CREAT, 0o600); os.write(t, b'abcd'); "


def fresh():
    subprocess.run(["rm", "-rf", "top", "pristine"], check=True)
    os.mkdir("pristine")
    for name, content in OLD.items():
        with open(f"pristine/{name}", "wb") as f:
            f.write(content)
    subprocess.run(["cp", "-a", "pristine", "top"], check=True)


def ways(pending, _):
    """All of them: each change is lost, there, or there in part."""
    for parts in itertools.product((None, WHOLE, HEAD, TAIL), repeat=len(pending)):
        chosen = dict(zip(pending, parts))
        yield [at for at in pending if chosen[at] is None], {at: part for at, part in chosen.items() if part is not None}


def made_files():
    found = {}
    for folder, _, names in os.walk("made"):
        for name in names:
            with open(os.path.join(folder, name), "rb") as f:
                found[os.path.relpath(f.name, "made")] = f.read()
    return found


def left(log):
    """Each disk after the last event, as (name, content)..."""
    found = set()
    for count, *_, disk, _ in log.disks(ways, lambda count: count):
        if count == len(log.events):
            names = {os.path.relpath(path, TOP): bytes(disk.look(node)[0]) for path, node in disk.names.items()}
            found.add(tuple(sorted(names.items())))
            disk.make("made")
            if (made := made_files()) != names:
                sys.exit(f"FAIL: made {made} of {names}")
    return found


def run(program, sector=None):
    fresh()
    subprocess.run([*STRACE, "-o", "log", sys.executable, "-I", "-S", "-B", "-c", BEGIN + program], check=True)
    log = Log(TOP, "pristine", sector)
    log.read("log")
    return left(log)


def expect(what, found, *right):
    wanted = {tuple(sorted(disk.items())) for disk in right}
    if found != wanted:
        sys.exit(f"FAIL: {what}: too many: {found - wanted}, missing: {wanted - found}")


def f_is(*contents):
    return [{"f": content} for content in contents]


expect("a write", run("os.pwrite(f, b'abcd', 0)"), *f_is(b"1234", b"abcd", b"ab34", b"12cd"))
expect("a write of a sector", run("os.pwrite(f, b'abcd', 0)", 512), *f_is(b"1234", b"abcd"))
expect("a synced write", run("os.pwrite(f, b'abcd', 0); os.fsync(f)"), *f_is(b"abcd"))
expect("a write after a sync", run("os.fdatasync(f); os.pwrite(f, b'a', 0)"), *f_is(b"1234", b"a234"))
expect("a sync of all that there is", run("import ctypes; os.pwrite(f, b'abcd', 0); ctypes.CDLL(None).syncfs(d)"), *f_is(b"abcd"))
expect("a sync of the directory", run("os.pwrite(f, b'a', 0); os.fsync(d)"), *f_is(b"1234", b"a234"))
expect("two writes, of which a sector has the earlier", run("os.pwrite(f, b'a', 0); os.pwrite(f, b'b', 1)", 512),
       *f_is(b"1234", b"a234", b"ab34"))
expect("two writes, each by itself", run("os.pwrite(f, b'a', 0); os.pwrite(f, b'b', 1)"), *f_is(b"1234", b"a234", b"1b34", b"ab34"))
expect("a size before its data", run("os.pwrite(f, b'x' * 600, 4)", 512), *f_is(
    b"1234", b"1234" + bytes(600), b"1234" + b"x" * 508, b"1234" + b"x" * 508 + bytes(92),
    b"1234" + bytes(508) + b"x" * 92, b"1234" + b"x" * 600))
expect("a cut", run("os.ftruncate(f, 1); os.pwrite(f, b'a', 0)"), *f_is(b"1234", b"1", b"a234", b"a"))
expect("a new file", run(TMP), OLD, *({**OLD, "t": content} for content in (b"", b"abcd", b"ab", b"\0\0cd")))
expect("one that is synced, without its name", run(TMP + "os.fsync(t)"), OLD, {**OLD, "t": b"abcd"})
expect("one that is renamed", run(TMP + "os.fsync(t); os.fsync(d); os.rename('t', 'f', src_dir_fd=d, dst_dir_fd=d)"), {**OLD, "t": b"abcd"}, {"f": b"abcd"})
expect("one that is renamed early", run(TMP + "os.fsync(d); os.rename('t', 'f', src_dir_fd=d, dst_dir_fd=d); os.fsync(d)"),
       *f_is(b"", b"abcd", b"ab", b"\0\0cd"))
expect("one that is removed", run("os.unlink('f', dir_fd=d)"), OLD, {})
expect("what a removed file got", run("os.unlink('f', dir_fd=d); os.fsync(d); os.pwrite(f, b'abcd', 0)"), {})
expect("a file in a folder", run("os.mkdir('g', dir_fd=d); os.close(os.open('g/h', os.O_CREAT | os.O_WRONLY)); os.fsync(os.open('g', 0))"),
       OLD, {**OLD, "g/h": b""})

# What need not be written of a file.
for content in (b"", ZEROS, b"a" + ZEROS, ZEROS + b"a", b"a" + ZEROS * 3, ZEROS * 3):
    data = content[: end_of_data(content)]
    if data.ljust(len(content), b"\0") != content or len(data) > len(ZEROS) + 1:
        sys.exit(f"FAIL: {len(content)} bytes end at {len(data)}")

# What no program can be told to do anywhere: calls as strace shows them.
F, G = ("".join(f"\\x{byte:02x}" for byte in os.fsencode(f"{TOP}/{name}")) for name in "fg")


def replayed(*calls):
    fresh()
    with open("log", "w", encoding="ascii") as out:
        out.write("\n".join([f'7 openat(AT_FDCWD<{F}>, "{F}", O_RDWR) = 3<{F}>', *calls, ""]))
    log = Log(TOP, "pristine")
    log.read("log")
    return left(log)


# A sync of one thread beside writes of another: it covers what had returned before it began.
expect("a sync beside a write", replayed(
    f'7 pwrite64(3<{F}>, "\\x61", 1, 0) = 1',
    f"8 fdatasync(3<{F}> <unfinished ...>",
    f'7 pwrite64(3<{F}>, "\\x62", 1, 1) = 1',
    f'7 pwrite64(3<{F}>, "\\x63", 1, 2 <unfinished ...>',
    "8 <... fdatasync resumed>) = 0",
    "7 <... pwrite64 resumed>) = 1",
), *f_is(b"a234", b"ab34", b"a2c4", b"abc4"))
# A copy that shares blocks is of what was there when it was made.
expect("a clone", replayed(
    f'7 openat(AT_FDCWD<{G}>, "{G}", O_RDWR|O_CREAT|O_EXCL, 0600) = 4<{G}>',
    f"7 ioctl(4<{G}>, BTRFS_IOC_CLONE or FICLONE, 3) = 0",
    f'7 pwrite64(3<{F}>, "\\x61", 1, 0) = 1',
    f"7 fsync(3<{F}>) = 0",
), {"f": b"a234"}, {"f": b"a234", "g": b""}, {"f": b"a234", "g": b"1234"})
END
