# SPDX-License-Identifier: Apache-2.0
"""All of a tree: what each name is, and what differs between two trees."""
import collections
import os
import stat

from lockstep.content import digest
from lockstep.side import differences

# `first` is the first name of the same file; of a directory `names` are those in it.
Record = collections.namedtuple("Record", "stat first xattrs content")
SHOWN = 10  # differences


def xattrs_of(path):
    return {name: os.getxattr(path, name, follow_symlinks=False) for name in sorted(os.listxattr(path, follow_symlinks=False))}


def content_of(name, folder, mode):
    """Digest of a file, target of a symbolic link."""
    if stat.S_ISLNK(mode):
        return os.readlink(name, dir_fd=folder)
    if not stat.S_ISREG(mode):
        return None
    fd = os.open(name, os.O_RDONLY | os.O_NOATIME | os.O_NOFOLLOW, dir_fd=folder)
    try:
        return digest(fd)
    finally:
        os.close(fd)


class Snapshot:
    """`records` by path; what cannot be in one tree is a violation of the side."""

    def __init__(self, side, rules):
        self.side, self.rules = side, rules
        self.records = {}
        self.first = {}  # inode number -> path
        self.links = collections.Counter()
        os.fchdir(side.fd)
        self.add(".", os.stat("."), ".", side.fd)
        self.walk(side.fd, "")
        self.check_links()

    def walk(self, fd, prefix):
        """By handles: a path may be longer than PATH_MAX."""
        with os.scandir(fd) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        for entry in found:
            s = os.stat(entry.name, dir_fd=fd, follow_symlinks=False)
            path = prefix + entry.name
            self.add(path, s, entry.name, fd)
            if self.rules.ino and entry.inode() != s.st_ino:
                self.side.violation(f"{path!r}: readdir says inode {entry.inode()}, stat {s.st_ino}")
            if entry.is_dir(follow_symlinks=False) != stat.S_ISDIR(s.st_mode) or entry.is_symlink() != stat.S_ISLNK(s.st_mode):
                self.side.violation(f"{path!r}: readdir says another type than stat")
            if stat.S_ISDIR(s.st_mode):
                child = os.open(entry.name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=fd)
                try:
                    self.walk(child, path + "/")
                finally:
                    os.close(child)

    def add(self, path, s, name, folder):
        first = None
        if not stat.S_ISDIR(s.st_mode):
            first = self.first.setdefault(s.st_ino, path)
            self.links[s.st_ino] += 1
        xattrs = xattrs_of(f"/proc/self/fd/{folder}/{name}")
        self.records[path] = Record(self.side.stat_result(s), first, xattrs, content_of(name, folder, s.st_mode))

    def check_links(self):
        """Operations make all their links below the root."""
        for ino, path in self.first.items():
            nlink = self.records[path].stat.nlink
            if nlink != self.links[ino]:
                self.side.violation(f"{path!r} has {nlink} links, and {self.links[ino]} names")


def record_differences(a, b, rules, pairs):
    yield from differences(a.stat, b.stat, rules, pairs)
    if a.first != b.first:
        yield f"a link to {a.first!r} and to {b.first!r}"
    for name in sorted({*a.xattrs, *b.xattrs}):
        if a.xattrs.get(name) != b.xattrs.get(name):
            yield f"{name}: {a.xattrs.get(name)!r} and {b.xattrs.get(name)!r}"
    if a.content != b.content:
        yield f"content: {a.content!r} and {b.content!r}"


def tree_differences(a, b, rules, pairs):
    """What differs between two sides now, with what is open in them."""
    old, new = Snapshot(a, rules), Snapshot(b, rules)
    found = []
    for path in sorted({*old.records, *new.records}):
        if path not in old.records or path not in new.records:
            found.append(f"{path!r} is only in {a.root if path in old.records else b.root}")
            continue
        found += [f"{path!r}: {text}" for text in record_differences(old.records[path], new.records[path], rules, pairs)]
    for slot in sorted(a.handles):
        both = a.stat_fd(a.handles[slot]), b.stat_fd(b.handles[slot])
        found += [f"what is open in slot {slot}: {text}" for text in differences(*both, rules, pairs)]
    return found[:SHOWN] + ([f"... and {len(found) - SHOWN} more"] if len(found) > SHOWN else [])
