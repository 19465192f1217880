# SPDX-License-Identifier: Apache-2.0
"""One of the two trees, and what operations on it return.

An operation returns values that can be compared: numbers, bytes, text, lists of these, a Stat, or the Failure that an OSError
became.  What must hold in one tree whatever the other does (a hole reads as zeros) is noted by `violation`.
"""
import collections
import errno
import os
import stat
import time

from syscalls import error_name

# Between these lie the times that nobody set; those that utimensat is given, and those of populate, lie before or behind.
NOW_FROM_NS = 1_600_000_000 * 10**9
NOW_UNTIL_NS = time.time_ns() + 86_400 * 10**9

Stat = collections.namedtuple("Stat", "mode nlink uid gid size rdev mtime ino is_new")
Failure = collections.namedtuple("Failure", "name")


class Rules:
    """Which differences are no difference: `dir_nlink`, `dir_mtime` and `ino` say whether these are looked at; an operation
    that fails in B with one of the errors `tolerated` is not tried in A."""

    def __init__(self, dir_nlink=True, dir_mtime=True, ino=True, tolerated=()):
        self.dir_nlink = dir_nlink
        self.dir_mtime = dir_mtime
        self.ino = ino
        self.tolerated = [Failure(name) for name in tolerated]


def is_of_now(ns):
    return NOW_FROM_NS <= ns < NOW_UNTIL_NS


def stat_differences(a, b, rules):
    is_folder = stat.S_ISDIR(a.mode)
    for field in ("mode", "nlink", "uid", "gid", "size", "rdev"):
        if is_folder and (field == "size" or (field == "nlink" and not rules.dir_nlink)):
            continue
        x, y = getattr(a, field), getattr(b, field)
        if x != y:
            yield f"{field}: {x:o} and {y:o}" if field == "mode" else f"{field}: {x} and {y}"
    if is_folder and not rules.dir_mtime:
        return
    if a.mtime != b.mtime and not (is_of_now(a.mtime) and is_of_now(b.mtime)):
        yield f"mtime: {a.mtime} and {b.mtime} ns"


class Pairs:
    """Which inode of A is which of B, from its making on: neither number may change, whatever happens to the file."""

    def __init__(self):
        self.of_a, self.of_b = {}, {}

    def differences(self, a, b):
        """A new file may have the number of one that is gone."""
        if a.is_new:
            self.of_b.pop(self.of_a.get(a.ino), None)
            self.of_a.pop(self.of_b.get(b.ino), None)
        elif self.of_a.get(a.ino, b.ino) != b.ino or self.of_b.get(b.ino, a.ino) != a.ino:
            yield (f"inode number: {a.ino} and {b.ino}, but it was {a.ino} and {self.of_a.get(a.ino)}, "
                   f"or {self.of_b.get(b.ino)} and {b.ino}")
            return
        self.of_a[a.ino] = b.ino
        self.of_b[b.ino] = a.ino


def differences(a, b, rules, pairs):
    """What differs between what one operation returned in both trees."""
    if isinstance(a, Stat) and isinstance(b, Stat):
        yield from stat_differences(a, b, rules)
        if rules.ino:
            yield from pairs.differences(a, b)
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for x, y in zip(a, b):
            yield from differences(x, y, rules, pairs)
    elif isinstance(a, bytes) and isinstance(b, bytes):
        if a != b:
            first = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
            yield (f"data: {len(a)} and {len(b)} bytes, which differ from byte {first} on: "
                   f"{a[first:first + 16].hex()} and {b[first:first + 16].hex()}")
    elif a != b:
        yield f"{a!r} and {b!r}"


class Side:
    """`handles` are what is open, by the number of the slot; a slot is open in both trees or in none."""

    def __init__(self, root):
        self.root = os.path.abspath(root)
        self.handles = {}
        self.violations = []
        self.open()

    def open(self):
        self.fd = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)

    def violation(self, text):
        self.violations.append(f"{self.root}: {text}")

    def stat_of(self, path, is_new=False, follow=False):
        return self.stat_result(os.stat(path, follow_symlinks=follow), is_new)

    def stat_fd(self, fd, is_new=False):
        return self.stat_result(os.fstat(fd), is_new)

    def stat_result(self, s, is_new=False):
        return Stat(s.st_mode, s.st_nlink, s.st_uid, s.st_gid, s.st_size, s.st_rdev, s.st_mtime_ns, s.st_ino, is_new)

    def put(self, slot, fd):
        """Opens a slot, and closes what was open there."""
        self.drop(slot)
        self.handles[slot] = fd

    def drop(self, slot):
        fd = self.handles.pop(slot, None)
        if fd is not None:
            os.close(fd)

    def handle(self, slot):
        """Raises EBADF when nothing is open there."""
        if slot not in self.handles:
            raise OSError(errno.EBADF, "nothing is open")
        return self.handles[slot]

    def apply(self, operation, arguments, uid=0):
        """Runs it as root or as a user; below this tree, so that no path of it is longer than in the other."""
        os.fchdir(self.fd)
        if uid:
            os.setegid(uid)
            os.seteuid(uid)
        try:
            return operation(self, **arguments)
        except OSError as e:
            return Failure(error_name(e.errno))
        finally:
            if uid:
                os.seteuid(0)
                os.setegid(0)

    def close(self):
        for slot in list(self.handles):
            self.drop(slot)
        os.close(self.fd)
