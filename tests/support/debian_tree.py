#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is in a Debian root, so that two of them can be compared in which apt did the same at two times.

Usage: debian_tree.py snapshot DIR FILE
       debian_tree.py compare SINCE FILE1 FILE2
       debian_tree.py changes FILE1 FILE2

snapshot writes all that a layer can hold of DIR, and how many names a file has, to FILE.  compare prints each difference of two
and ends with 1 when there is one: times after that of the file SINCE only have to be after it in both, and what holds a time of day
or numbers of the machine is compared without (OF_TIME, OF_NAMELESS).  changes prints what `shale diff` has to say of two images with these
trees, sorted by path.
"""
import hashlib
import json
import os
import re
import stat
import sys

EVERYTHING = re.compile(rb"(?s).*")
# What of a file's content depends on when, or on which inodes, something was done.
OF_TIME = {
    # What apt did, and what it printed meanwhile: when it began and ended.
    "/var/log/apt/history.log": re.compile(rb"(?m)^(Start|End)-Date: .*$"),
    "/var/log/apt/term.log": re.compile(rb"(?m)^Log (started|ended): .*$"),
    # A line a step, each with its time.
    "/var/log/dpkg.log": re.compile(rb"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d "),
    "/var/log/alternatives.log": re.compile(rb"(?m)^update-alternatives \d{4}-\d\d-\d\d \d\d:\d\d:\d\d: "),
    # Memory as it was mapped, with the times of the files that it was made of.
    "/var/cache/apt/pkgcache.bin": EVERYTHING,
    "/var/cache/apt/srcpkgcache.bin": EVERYTHING,
    # Inode numbers and change times of all libraries.
    "/var/cache/ldconfig/aux-cache": EVERYTHING,
}
# Where a file without a name (O_TMPFILE) has one for a moment, on a file system that has none of these.
OF_NAMELESS = ("/tmp",)
# What shale diff compares; names and times of a file are no content.
OF_DIFF = ("kind", "mode", "owner", "device", "xattrs", "target", "content")


def digest(data):
    return hashlib.sha256(data).hexdigest()


def xattrs_of(path):
    return {name: os.getxattr(path, name, follow_symlinks=False).hex() for name in sorted(os.listxattr(path, follow_symlinks=False))}


def facts_of(path, name):
    st = os.lstat(path)
    facts = {"kind": stat.S_IFMT(st.st_mode), "mode": stat.S_IMODE(st.st_mode), "owner": [st.st_uid, st.st_gid],
             "device": st.st_rdev, "mtime": st.st_mtime_ns, "names": st.st_nlink, "xattrs": xattrs_of(path)}
    if stat.S_ISLNK(st.st_mode):
        facts["target"] = os.readlink(path)
    elif stat.S_ISREG(st.st_mode):
        with open(path, "rb") as f:
            data = f.read()
        facts["content"] = digest(data)
        facts["timeless"] = digest(OF_TIME[name].sub(b"", data)) if name in OF_TIME else facts["content"]
    return facts


def snapshot(top, file):
    found = {"/": facts_of(top, "/")}
    for folder, dirs, files in os.walk(top):
        for entry in dirs + files:
            path = os.path.join(folder, entry)
            name = path[len(top) :]
            found[name] = facts_of(path, name)
    with open(file, "w", encoding="utf-8") as out:
        json.dump(found, out)


def load(file):
    with open(file, encoding="utf-8") as f:
        return json.load(f)


def lasting(name, facts, since):
    """Without what depends on the time of day."""
    if facts is None:
        return None
    kept = {k: v for k, v in facts.items() if k != "content"}
    if facts["mtime"] > since or name in OF_NAMELESS:
        kept["mtime"] = "new"
    return kept


def compare(since, one, other):
    a, b = load(one), load(other)
    since = os.stat(since).st_mtime_ns
    differ = False
    for name in sorted(a.keys() | b.keys()):
        left, right = lasting(name, a.get(name), since), lasting(name, b.get(name), since)
        if left == right:
            continue
        differ = True
        if left is None or right is None:
            print(f"{name}: only in {one if left else other}")
            continue
        for what in sorted(left.keys() | right.keys()):
            if left.get(what) != right.get(what):
                print(f"{name}: {what} {left.get(what)} in {one}, {right.get(what)} in {other}")
    return 1 if differ else 0


def ancestors(name):
    while name != "/":
        name = os.path.dirname(name)
        yield name


def changes(one, other):
    a, b = load(one), load(other)
    lines = {}
    for name in a.keys() | b.keys():
        above = os.path.dirname(name)
        if name not in b:
            # With a directory goes what it held.
            if above in b and b[above]["kind"] == stat.S_IFDIR:
                lines[name] = "D"
        elif name not in a:
            lines[name] = "A"
        elif any(a[name].get(what) != b[name].get(what) for what in OF_DIFF):
            lines[name] = "C"
    for name in list(lines):
        for folder in ancestors(name):
            if folder != "/":
                lines.setdefault(folder, "C")
    for name in sorted(lines):
        print(lines[name], name)


def main():
    words = sys.argv[1:]
    if len(words) == 3 and words[0] == "snapshot":
        snapshot(os.path.abspath(words[1]), words[2])
    elif len(words) == 4 and words[0] == "compare":
        sys.exit(compare(*words[1:]))
    elif len(words) == 3 and words[0] == "changes":
        changes(*words[1:])
    else:
        sys.exit("usage: debian_tree.py snapshot DIR FILE | compare SINCE FILE1 FILE2 | changes FILE1 FILE2")


main()
