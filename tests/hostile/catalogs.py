#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Damages and forges catalogs, shale-catalog(5).

Usage: catalogs.py rotten CATALOG DIR
       catalogs.py forged CATALOG DIR
       catalogs.py random CATALOG STORE IMAGE COUNT SEED

rotten, forged: writes DIR/CASE for each case, and prints a line "CASE LIE TEXT", with tabs.  The digests of rotten ones
do not match any more; those of forged ones do, all of them, so that only the checks of what is inside can tell.  LIE is
"-" for what is noticed when it is used, "+" for the first of those of which the same is said, else how `shale ls -R` and
`shale cp` then end: only `shale fsck --read-data` notices it.  TEXT is what that says.  CATALOG must be that of the tree of make_rootfs (tests/cases/lib.sh) and many
files in /many.

random: forges COUNT more, and looks that `shale ls -R`, `cp` and `fsck --read-data` of IMAGE, whose only catalog
CATALOG is, end by themselves, within bounds.
"""
import hashlib
import os
import random
import re
import shutil
import stat
import struct
import subprocess
import sys

HEADER, BLOCK = 4096, 16384
FLAGS, FILE_SIZE, CONTENT, INODE_COUNT, DIRENT_COUNT, LAYER_COUNT, RESERVED = 20, 24, 32, 40, 44, 48, 52
SECTIONS, TABLE, TABLE_SHA, ZEROS, HEADER_SHA = 56, 200, 216, 248, 4064
LAYERS, INODES, DIRENTS, NAMES, TARGETS, XATTRS, EXTENTS, LINKS, FRAMES = range(9)
U32, U64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
ROOT = 0
# Fields: offset and format.
LAYER = {"index_digest": (0, "<I"), "encoding": (8, "<I"), "flags": (12, "<I"), "tar_size": (16, "<Q"),
         "first_frame": (24, "<Q"), "frames": (32, "<Q"), "blob": (128, "<Q")}
INODE = {"mode": (0, "<I"), "nlink": (12, "<I"), "size": (16, "<Q"), "nsec": (32, "<I"), "xattrs": (36, "<I"),
         "name": (40, "<I"), "layer": (44, "<H"), "flags": (46, "<H"), "where": (48, "<Q"), "first": (48, "<I"),
         "count": (52, "<I"), "data": (56, "<Q")}
DIRENT = {"inode": (0, "<I"), "parent": (4, "<I"), "name": (8, "<I"), "length": (12, "<B"), "type": (13, "<B")}
EXTENT = {"file": (0, "<Q"), "tar": (8, "<Q"), "length": (16, "<Q")}
FRAME = {"tar": (0, "<Q"), "blob": (8, "<Q"), "stored": (16, "<I"), "length": (20, "<I")}
RECORDS = {LAYERS: (192, LAYER), INODES: (64, INODE), DIRENTS: (16, DIRENT), EXTENTS: (24, EXTENT),
           LINKS: (4, {"dirent": (0, "<I")}), FRAMES: (56, FRAME)}


def seal(data):
    """Makes all digests right."""
    offset, size = struct.unpack_from("<QQ", data, TABLE)
    if offset + size > len(data):
        size = 0
    for at in range(size // 32):
        start = HEADER + at * BLOCK
        data[offset + 32 * at : offset + 32 * at + 32] = hashlib.sha256(
            data[start : min(start + BLOCK, offset)]
        ).digest()
    data[TABLE_SHA : TABLE_SHA + 32] = hashlib.sha256(data[offset : offset + size]).digest()
    data[HEADER_SHA:HEADER] = hashlib.sha256(data[:HEADER_SHA]).digest()


def spans(data):
    return [struct.unpack_from("<QQ", data, SECTIONS + 16 * i) for i in range(9)]


class Forgery:
    """A catalog in which numbers are changed where they are."""

    def __init__(self, pristine):
        self.data = bytearray(pristine)
        self.spans = spans(pristine)

    def place(self, section, record, field):
        size, fields = RECORDS[section]
        offset, form = fields[field]
        return self.spans[section][0] + size * record + offset, form

    def get(self, section, record, field):
        at, form = self.place(section, record, field)
        return struct.unpack_from(form, self.data, at)[0]

    def set(self, section, record, field, value):
        at, form = self.place(section, record, field)
        struct.pack_into(form, self.data, at, value)

    def header(self, at, form, value):
        struct.pack_into(form, self.data, at, value)

    def dirent(self, path):
        """The number of a path's dirent."""
        inode = ROOT
        for name in path.strip("/").encode().split(b"/"):
            first, count = self.get(INODES, inode, "first"), self.get(INODES, inode, "count")
            found = next(i for i in range(first, first + count) if self.name(i) == name)
            inode = self.get(DIRENTS, found, "inode")
        return found

    def inode(self, path):
        return self.get(DIRENTS, self.dirent(path), "inode")

    def name(self, dirent):
        at = self.spans[NAMES][0] + self.get(DIRENTS, dirent, "name")
        return bytes(self.data[at : at + self.get(DIRENTS, dirent, "length")])

    def rename(self, path, name):
        """To a name that is not longer."""
        dirent = self.dirent(path)
        at = self.spans[NAMES][0] + self.get(DIRENTS, dirent, "name")
        self.data[at : at + len(name)] = name
        self.set(DIRENTS, dirent, "length", len(name))

    def in_section(self, section, offset, value):
        at = self.spans[section][0] + offset
        self.data[at : at + len(value)] = value


COUNTS, PLACES = "counts and sizes disagree", "sections are not where their sizes put them"
cases = []


def case(name, text):
    def add(function):
        cases.append((name, text, function))
        return function

    return add


def header(name, text, at, form, value):
    cases.append((name, text, lambda f: f.header(at, form, value)))


def of_inode(name, text, path, field, value):
    def change(f):
        inode = ROOT if path == "/" else f.inode(path)
        f.set(INODES, inode, field, value(f.get(INODES, inode, field)) if callable(value) else value)

    cases.append((name, text, change))


def of_name(name, text, path, field, value):
    cases.append((name, text, lambda f: f.set(DIRENTS, f.dirent(path), field, value(f) if callable(value) else value)))


def of_record(name, text, section, record, field, value):
    cases.append((name, text, lambda f: f.set(
        section, record, field, value(f.get(section, record, field)) if callable(value) else value)))


header("magic", "does not start as one", 0, "<8s", b"SHLCTLG\r")
header("version-0", "version 0", 8, "<I", 0)
header("version-2", "version 2", 8, "<I", 2)
header("header-size", "its size", 12, "<I", 8192)
header("block-size-0", "the size of its blocks", 16, "<I", 0)
header("block-size-1", "the size of its blocks", 16, "<I", 1)
header("flags", "unknown flags", FLAGS, "<I", 0xFF)
header("no-xattrs", "xattrs", FLAGS, "<I", 0)
header("file-size-0", PLACES, FILE_SIZE, "<Q", 0)
header("file-size-2^64-1", PLACES, FILE_SIZE, "<Q", U64)
header("content", "totals", CONTENT, "<Q", 1)
header("inodes-0", COUNTS, INODE_COUNT, "<I", 0)
header("inodes-2^32-1", COUNTS, INODE_COUNT, "<I", U32)
header("dirents-0", COUNTS, DIRENT_COUNT, "<I", 0)
header("dirents-2^32-1", COUNTS, DIRENT_COUNT, "<I", U32)
header("layers-0", COUNTS, LAYER_COUNT, "<I", 0)
header("layers-2", COUNTS, LAYER_COUNT, "<I", 2)
header("layers-2^32-1", COUNTS, LAYER_COUNT, "<I", U32)
header("reserved", "unknown flags", RESERVED, "<I", 1)
for number in range(9):
    header(f"section-{number}-at-2^64-1", PLACES, SECTIONS + 16 * number, "<Q", U64)
    header(f"section-{number}-at-0", PLACES, SECTIONS + 16 * number, "<Q", 0)
    # Of names, targets and xattrs the header counts nothing, of links only whole ones.
    counts = PLACES if number in (NAMES, TARGETS, XATTRS) else COUNTS
    header(f"section-{number}-size-2^64-1", counts, SECTIONS + 16 * number + 8, "<Q", U64)
    counts = PLACES if number == LINKS else counts
    header(f"section-{number}-size-2^40", counts, SECTIONS + 16 * number + 8, "<Q", 1 << 40)
header("table-at-2^64-1", PLACES, TABLE, "<Q", U64)
header("table-at-0", "it does not start as one", TABLE, "<Q", 0)
header("table-size-0", PLACES, TABLE + 8, "<Q", 0)
header("table-size-2^64-32", PLACES, TABLE + 8, "<Q", U64 - 31)

of_record("layer-digest", "a layer record of the catalog is malformed", LAYERS, 0, "index_digest", 7)
of_record("layer-encoding", "a layer record of the catalog is malformed", LAYERS, 0, "encoding", 3)
of_record("layer-encoding-gzip", "not what its layers give", LAYERS, 0, "encoding", 2)
of_record("layer-flags", "a layer record of the catalog is malformed", LAYERS, 0, "flags", 2)
of_record("layer-reframed", "it was made from other layers", LAYERS, 0, "flags", 1)
of_record("layer-blob", "other layers", LAYERS, 0, "blob", 1)
of_record("layer-size-0", "content outside of its layer", LAYERS, 0, "tar_size", 0)
of_record("layer-size-2^63", "frames or size", LAYERS, 0, "tar_size", 1 << 63)
of_record("layer-first-frame", "frames or size", LAYERS, 0, "first_frame", 1)
of_record("layer-frames-2^64-1", "frames or size", LAYERS, 0, "frames", U64)
of_record("layer-frames-less", "frames", LAYERS, 0, "frames", lambda n: n - 1)

of_inode("root-is-a-file", "its root", "/", "mode", 0o100755)
of_inode("root-with-a-name", "root", "/", "name", 0)
of_inode("root-names-2^32-1", "names of a directory", "/", "count", U32)
of_inode("root-names-at-2^32-1", "names of a directory", "/", "first", U32)
of_inode("root-names-less", "a directory's link count", "/", "count", lambda n: n - 1)
of_inode("mode-of-root", "not what its layers give", "/etc/passwd", "mode", stat.S_IFREG | 0o4755)
of_inode("mode-0", "metadata", "/etc/passwd", "mode", 0)
of_inode("mode-socket", "metadata", "/etc/passwd", "mode", stat.S_IFSOCK | 0o644)
of_inode("mode-high-bits", "metadata", "/etc/passwd", "mode", 0x80000000 | 0o100644)
of_inode("file-is-a-directory", "kind", "/etc/passwd", "mode", 0o40755)
of_inode("directory-is-a-file", "kind", "/home/user", "mode", 0o100755)
of_inode("nlink-0", "metadata", "/etc/passwd", "nlink", 0)
of_inode("nlink-2", "the order of hardlinks", "/etc/passwd", "nlink", 2)
of_inode("nlink-2^32-1", "something lies outside of its section", "/bin/tool", "nlink", U32)
of_inode("nlink-of-a-directory", "link count", "/home", "nlink", 9)
of_inode("size-2^63", "metadata", "/etc/passwd", "size", 1 << 63)
of_inode("size-2^62", "a file's bytes of data", "/etc/passwd", "size", 1 << 62)
of_inode("size-0", "metadata", "/etc/passwd", "size", 0)
of_inode("nsec", "metadata", "/etc/passwd", "nsec", 1000000000)
of_inode("inode-flags", "metadata", "/etc/passwd", "flags", 2)
of_inode("layer-1", "outside of its layer", "/etc/passwd", "layer", 1)
of_inode("layer-65535", "outside of its layer", "/etc/passwd", "layer", 65535)
of_inode("where-2^64-1", "outside of its layer", "/etc/passwd", "where", U64)
of_inode("where-2^63", "outside of its layer", "/etc/passwd", "where", 1 << 63)
of_inode("data-bytes", "a file's bytes of data", "/home/user/sparse", "data", 1)
of_inode("extents-2^32-1", "outside of its section", "/home/user/sparse", "count", U32)
of_inode("extents-at-2^32-1", "the extents of a file", "/home/user/sparse", "first", U32)
of_inode("no-extents", "a file's bytes of data", "/home/user/sparse", "flags", 0)
of_inode("extents-of-none", "the extents of a file", "/etc/passwd", "flags", 1)
of_inode("xattrs-at-2^32-2", "order of xattrs", "/etc/passwd", "xattrs", U32 - 1)
of_inode("xattrs-of-nobody", "the size of an inode's xattrs", "/etc/passwd", "xattrs", 1)
of_inode("target-2^12", "metadata", "/etc/link", "size", 4096)
of_inode("target-at-2^64-1", "the order of symlink targets", "/etc/link", "where", U64)
of_inode("target-too-long", "something lies outside of its section", "/etc/long-target", "size", 4000)
of_inode("name-of-another", "name of another inode", "/etc/passwd", "name", 0)
of_inode("name-2^32-2", "outside of its section", "/etc/passwd", "name", U32 - 1)
of_inode("names-of-links", "the order of hardlinks", "/bin/tool", "name", 1 << 20)

of_name("inode-2^32-1", "directory entry", "/etc/passwd", "inode", U32)
of_name("inode-is-the-root", "directory entry", "/etc/passwd", "inode", ROOT)
of_name("inode-of-another", "the order of inodes", "/etc/passwd", "inode", lambda f: f.inode("/etc/nothing"))
of_name("parent-2^32-1", "directory entry", "/etc/passwd", "parent", U32)
of_name("parent-is-another", "the order of a directory's names", "/etc/passwd", "parent", lambda f: f.inode("/home"))
of_name("parent-is-a-file", "the order of a directory's names", "/etc/passwd", "parent", lambda f: f.inode("/bin/tool"))
of_name("name-at-2^32-1", "outside of its section", "/etc/passwd", "name", U32)
of_name("name-of-no-bytes", "directory entry", "/etc/passwd", "length", 0)
of_name("type-0", "kind", "/etc/passwd", "type", 0)
of_name("type-of-a-directory", "kind", "/etc/passwd", "type", 4)
of_name("type-of-a-file", "kind", "/home/user", "type", 8)
of_name("directory-in-itself", "directory inside itself", "/home/user", "inode", lambda f: f.inode("/home"))
of_name("directory-in-its-child", "directory inside itself", "/home", "parent", lambda f: f.inode("/home/user"))

for odd, text in (("slash", b"a/b"), ("slashes", b"///"), ("climbing", b"../../canary/dir"[:6]), ("dot", b"."),
                  ("dot-dot", b".."), ("nul", b"a\0b"), ("absolute", b"/etc")):
    cases.append((f"name-{odd}", "name that is none", lambda f, text=text: f.rename("/etc/passwd", text)))
cases.append(("target-nul", "symlink's target", lambda f: f.in_section(
    TARGETS, f.get(INODES, f.inode("/etc/link"), "where"), b"..\0")))
cases.append(("links-2^32-1", "something lies outside of its section", lambda f: f.set(LINKS, 0, "dirent", U32)))
cases.append(("links-swapped", "the names of a hardlinked inode", lambda f: f.set(
    LINKS, 0, "dirent", f.get(LINKS, 1, "dirent"))))

FRAME_SIZE, OUTSIDE = "the size of a frame", "content outside of its layer"
for field, text, values in (("file", "an extent outside of its file", (1 << 40, U64)), ("tar", OUTSIDE, (1 << 50, U64)),
                            ("length", "an extent outside of its file", (0, 1 << 40, U64))):
    for value in values:
        of_record(f"extent-{field}-{value:x}", text, EXTENTS, 0, field, value)
for field, value, text in (("tar", 1, "the order of frames"), ("tar", U64, OUTSIDE), ("blob", U64, FRAME_SIZE),
                           ("stored", 0, FRAME_SIZE), ("length", 0, FRAME_SIZE), ("length", 1, "the order of frames"),
                           ("length", U32, FRAME_SIZE)):
    of_record(f"frame-{field}-{value:x}", text, FRAMES, 0, field, value)


@case("xattr-count", "size of an inode's xattrs")
def _(f):
    f.in_section(XATTRS, 0, struct.pack("<I", U32))


@case("xattr-bytes", "the size of an inode's xattrs")
def _(f):
    f.in_section(XATTRS, 4, struct.pack("<I", U32))


@case("xattr-name", "the size of an xattr")
def _(f):
    f.in_section(XATTRS, 8, struct.pack("<I", 0))


@case("xattr-value", "the size of an xattr")
def _(f):
    f.in_section(XATTRS, 12, struct.pack("<I", U32))


@case("directory-with-two-names", "two names")
def _(f):
    """As many ways as 2^n through n of them: nobody comes to the end."""
    other = f.dirent("/tmp")
    f.set(DIRENTS, other, "inode", f.inode("/home"))


@case("file-under-the-name-of-a-directory", "kind")
def _(f):
    f.set(DIRENTS, f.dirent("/tmp"), "inode", f.inode("/etc/passwd"))


@case("names-out-of-order", "order of a directory's names")
def _(f):
    f.rename("/etc/passwd", b"aaaaaa")


@case("same-name-twice", "order of a directory's names")
def _(f):
    f.rename("/many/file100", b"file101")


def rotten(pristine):
    offset, size = struct.unpack_from("<QQ", pristine, TABLE)
    places = [0, 8, INODE_COUNT, TABLE_SHA, ZEROS, HEADER_SHA, HEADER - 1, offset - 1, offset, offset + size - 1]
    places += [start + part for start, length in spans(pristine) for part in (0, length // 2, length - 1)]
    for at in sorted(set(places)):
        if at == 0:
            text = "does not start as one"
        elif at == 8:
            text = "version 0"
        elif at < HEADER:
            text = "the catalog's header does not match its digest"
        elif at < offset:
            text = f"block {(at - HEADER) // BLOCK} of the catalog does not match its digest"
        else:
            text = "the catalog's table of digests does not match its own"
        yield f"flipped-{at}", text, pristine[:at] + bytes([pristine[at] ^ 1]) + pristine[at + 1 :]

    def of_length(name, data):
        text = f"has {len(data)} bytes instead of {len(pristine)}" if len(data) >= HEADER else "it has no header"
        return name, text, data

    for length in sorted({0, 1, HEADER - 1, HEADER, HEADER + 1, len(pristine) // 2, offset, len(pristine) - 1}):
        yield of_length(f"cut-to-{length}", pristine[:length])
    yield of_length("byte-behind", pristine + b"\0")
    yield of_length("page-behind", pristine + bytes(4096))
    yield "zeros", "does not start as one", bytes(len(pristine))
    yield "text", "does not start as one", b"text\n" * 4000


# A catalog of a tree that there could be: who looks at a part of it cannot tell.
LIES = {
    "layer-encoding-gzip": "0 5",
    "mode-of-root": "0 0",
    "root-names-less": "0 0",
    "nlink-2": "0 0",
    "nlink-2^32-1": "0 0",
    "nlink-of-a-directory": "0 0",
    "size-2^62": "0 3",  # shown; then the content is not in the layer
    "extents-of-none": "0 0",
    "target-too-long": "0 0",
    "inode-of-another": "0 0",
    "frame-tar-1": "0 0",
    "names-out-of-order": "0 0",
    "same-name-twice": "0 0",
}


def write_all(folder, made):
    os.makedirs(folder, exist_ok=True)
    known = set()
    for name, text, data in made:
        # "block 0" and "block 1" are one.
        kind = re.sub("[0-9]+", "0", text)
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data)
        print(name, LIES.get(name, "-" if kind in known else "+"), text, sep="\t")
        if name not in LIES:
            known.add(kind)


def forged(pristine):
    for name, text, change in cases:
        forgery = Forgery(pristine)
        change(forgery)
        assert forgery.data != pristine, name
        seal(forgery.data)
        yield name, text, bytes(forgery.data)


# Numbers that are most likely to be believed by mistake.
NUMBERS = (0, 1, 2, 0x7FFFFFFF, 0x80000000, U32, U32 - 1, 4096, 255, 256)
# Right, or what the forgery says; or the tree, a limit, or the frames are not like that.
STATUSES = {"ls": (0, 3, 4), "cp": (0, 3, 4, 5), "fsck": (0,)}
# What one command may cost.
SECONDS, KIB, CPU_SECONDS = 60, 262144, 10


def forge_at_random(pristine, rng):
    """Numbers of the header, or of a section that holds numbers, become others."""
    data = bytearray(pristine)
    used = [(o, s) for o, s in spans(pristine) if s > 0]
    where = []
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        offset, size = rng.choice([(0, ZEROS), *used])
        at = offset + rng.randrange(size)
        if rng.random() < 0.5:
            at -= (at - offset) % 4
            struct.pack_into("<I", data, at, rng.choice(NUMBERS) if rng.random() < 0.8 else rng.getrandbits(32))
        else:
            data[at] ^= 1 << rng.randrange(8)
        where.append(at)
    seal(data)
    return bytes(data), where


def run_bounded(place, command, bounded):
    run = subprocess.run(
        ["time", "-q", "-o", "usage", "-f", "%M %U %S", "shale", *command],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=SECONDS,
    )
    if run.returncode not in STATUSES[command[0]]:
        sys.exit(f"FAIL: {place}: {command[0]} ended with {run.returncode}: {run.stderr.decode(errors='replace')}")
    with open("usage", encoding="utf-8") as f:
        kib, *seconds = f.read().split()
    if bounded and (int(kib) > KIB or sum(map(float, seconds)) > CPU_SECONDS):
        sys.exit(f"FAIL: {place}: {command[0]} took {kib} KiB, {seconds} s")
    return run.returncode


def at_random(path, pristine, store, image, count, seed):
    rng = random.Random(seed)
    answers = {}
    with open(shutil.which("shale"), "rb") as f:
        bounded = b"__asan_init" not in f.read()
    for number in range(count):
        data, where = forge_at_random(pristine, rng)
        for command in (["ls", "-R", "--json", image], ["cp", "-q", f"{image}:/.", "copied"],
                        ["fsck", "--read-data", "-q"]):
            # Each finds it anew: the others may have made it again.
            if os.path.lexists(path):
                os.remove(path)
            with open(path, "wb") as f:
                f.write(data)
            status = run_bounded(f"seed {seed}, change {number} at {where}",
                                 [command[0], "--store", store, *command[1:]], bounded)
            answers[command[0], status] = answers.get((command[0], status), 0) + 1
            if command[0] == "cp":
                subprocess.run(["chmod", "-R", "u+rwX", "copied"], stderr=subprocess.DEVNULL, check=False)
                shutil.rmtree("copied", ignore_errors=True)
    print(f"{count} forged catalogs (seed {seed}):", ", ".join(f"{c} {s}: {n}" for (c, s), n in sorted(answers.items())))


def main():
    what, path, *rest = sys.argv[1:]
    with open(path, "rb") as f:
        pristine = f.read()
    check = bytearray(pristine)
    seal(check)
    assert bytes(check) == pristine, "the format is another one"
    if what == "rotten":
        write_all(rest[0], rotten(pristine))
    elif what == "forged":
        write_all(rest[0], forged(pristine))
    else:
        store, image, count, seed = rest
        at_random(path, pristine, store, image, int(count), int(seed))


if __name__ == "__main__":
    main()
