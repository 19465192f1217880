#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tar archives that try to get out, to lie, or to cost too much; and odd ones that are fine.

Usage: tars.py [--layouts] DIR

DIR/CASE.tar is an archive for each case, and DIR/CASE.lower.tar the layer below it where it needs one; with
--layouts, DIR/CASE is an image layout of these layers.  Prints a line "CASE STATUS WORD", with tabs, for each: what
`shale import` must end with, and a part of its message.
"""
import os
import sys

from layout import LAYER, write_image

FINE, MALFORMED, LIMIT = 0, 3, 4
BLOCK = 512
END = bytes(2 * BLOCK)
PAX_MAX = 1 << 20  # bytes of an extended header
CASES = []


def pad(data):
    return data + bytes(-len(data) % BLOCK)


def octal(value, width):
    return b"%0*o\0" % (width - 1, value)


def base256(value, width):
    """GNU's big numbers: two's complement behind a mark."""
    raw = bytearray((value % (1 << (8 * width))).to_bytes(width, "big"))
    raw[0] |= 0x80
    return bytes(raw)


def header(name=b"x", kind=b"0", size=0, link=b"", mode=0o644, uid=0, gid=0, mtime=0, major=0,
           minor=0, prefix=b"", magic=b"ustar\00000", tail=None, checksum=None):
    """A block; a number is written in octal, bytes are taken as they are."""

    def number(value, width):
        return value.ljust(width, b"\0") if isinstance(value, bytes) else octal(value, width)

    block = bytearray(name.ljust(100, b"\0"))
    block += number(mode, 8) + number(uid, 8) + number(gid, 8) + number(size, 12) + number(mtime, 12)
    block += b" " * 8 + kind + link.ljust(100, b"\0") + magic + bytes(64)
    block += number(major, 8) + number(minor, 8)
    block += (tail or prefix).ljust(167, b"\0")
    assert len(block) == BLOCK, name
    block[148:156] = checksum or b"%06o\0 " % sum(block)
    return bytes(block)


def member(name=b"x", data=b"", **fields):
    fields.setdefault("size", len(data))
    return header(name, **fields) + pad(data)


def directory(name, **fields):
    return header(name, kind=b"5", mode=0o755, **fields)


def symlink(name, target, **fields):
    return header(name, kind=b"2", link=target, mode=0o777, **fields)


def hardlink(name, target, **fields):
    return header(name, kind=b"1", link=target, **fields)


def record(key, value):
    """ "LENGTH KEY=VALUE\\n", whose length counts itself."""
    body = b" " + key + b"=" + value + b"\n"
    total = len(body) + 1
    while len(str(total)) + len(body) != total:
        total += 1
    return str(total).encode() + body


def pax(*pairs, kind=b"x", **fields):
    return member(b"PaxHeaders/x", b"".join(record(*pair) for pair in pairs), kind=kind, **fields)


def pax_raw(data, **fields):
    return member(b"PaxHeaders/x", data, kind=b"x", **fields)


def gnu_long(text, kind=b"L", **fields):
    return member(b"././@LongLink", text, kind=kind, magic=b"ustar  \0", **fields)


def case(name, status, word, *parts, end=END, lower=None):
    CASES.append((name, status, word, b"".join(parts) + end, lower))


def layer(*parts):
    return b"".join(parts) + END


# Names that lead out.
case("climb", MALFORMED, "'..' component", member(b"../../etc/passwd", b"x\n"))
case("climb-inside", MALFORMED, "'..' component", member(b"a/../../x"))
case("climb-at-end", MALFORMED, "'..' component", directory(b"a/.."))
case("climb-absolute", MALFORMED, "'..' component", member(b"/../x"))
case("climb-prefix", MALFORMED, "'..' component", member(b"x", prefix=b"../.."))
case("climb-pax", MALFORMED, "'..' component", pax((b"path", b"a/../../x")), member())
case("climb-gnu", MALFORMED, "'..' component", gnu_long(b"../x\0"), member())
case("climb-sparse", MALFORMED, "'..' component",
     pax((b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"), (b"GNU.sparse.name", b"../x"),
         (b"GNU.sparse.realsize", b"0")),
     member(data=pad(b"0\n")))
case("absolute", FINE, "", member(b"/etc/passwd", b"x\n"))
case("slashes", FINE, "", member(b"//x", b"1"), member(b"./y", b"2"), member(b"a//b/./c", b"3"))
case("file-with-slash", FINE, "", member(b"x/", b"content"))
case("symlink-to-root-then-beneath", FINE, "",
     symlink(b"d", b"/"), member(b"d/etc/x", b"inside\n"))
case("symlink-up-then-beneath", FINE, "",
     symlink(b"d", b"../../../../../.."), member(b"d/canary/victim", b"inside\n"))
case("symlink-then-whiteout", FINE, "", symlink(b"d", b"../../.."), header(b"d/.wh.victim"),
     lower=layer(directory(b"d"), member(b"d/victim", b"x")))

# The root.
case("root-is-symlink", MALFORMED, "root is not a directory", symlink(b".", b"/"))
case("root-is-symlink-slash", MALFORMED, "root is not a directory", symlink(b"./", b"/"))
case("root-is-file", MALFORMED, "root is not a directory", member(b"/", b"x"))
case("root-is-hardlink", MALFORMED, "root is not a directory", member(b"a"), hardlink(b".", b"a"))
case("root-is-nameless", MALFORMED, "root is not a directory", member(b""))
case("root-is-directory", FINE, "", directory(b"./"), directory(b"/"), directory(b""))

# Hardlinks.
case("hardlink-climbs", MALFORMED, "'..' component", hardlink(b"x", b"../../../etc/passwd"))
case("hardlink-absolute", MALFORMED, "hardlink 'x'", hardlink(b"x", b"/etc/passwd"))
case("hardlink-to-root", MALFORMED, "hardlink to the root", hardlink(b"x", b"/"))
case("hardlink-without-target", MALFORMED, "without a target", hardlink(b"x", b""))
case("hardlink-with-data", MALFORMED, "link with a size",
     member(b"a", b"good"), hardlink(b"b", b"a", size=4), pad(b"evil"))
case("hardlink-with-pax-size", MALFORMED, "link with a size",
     member(b"a", b"good"), pax((b"size", b"512")), hardlink(b"b", b"a"), pad(b"evil"))
case("hardlink-to-symlink", FINE, "", symlink(b"a", b"/etc/passwd"), hardlink(b"b", b"a"))
case("hardlink-to-directory", MALFORMED, "hardlink 'b'", directory(b"a"), hardlink(b"b", b"a"))
case("hardlink-to-itself", MALFORMED, "hardlink 'a'", hardlink(b"a", b"a"))
case("hardlink-forward", MALFORMED, "hardlink 'a'", hardlink(b"a", b"b"), member(b"b"))
case("hardlink-cycle", MALFORMED, "hardlink 'a'", hardlink(b"a", b"b"), hardlink(b"b", b"a"))
case("hardlink-chain", FINE, "", member(b"0", b"x"),
     b"".join(hardlink(b"%d" % (i + 1), b"%d" % i) for i in range(100000)))
case("hardlink-to-lower", FINE, "", hardlink(b"b", b"a"), lower=layer(member(b"a", b"lower\n")))
case("hardlink-to-nothing", MALFORMED, "hardlink 'b'", hardlink(b"b", b"a"),
     lower=layer(member(b"c", b"lower\n")))

# Symlinks.
case("symlink-without-target", MALFORMED, "without a target", symlink(b"x", b""))
case("symlink-with-data", MALFORMED, "link with a size",
     symlink(b"x", b"y", size=4), pad(b"evil"))
case("symlink-with-nul", MALFORMED, "NUL", pax((b"linkpath", b"a\0b")), symlink(b"x", b"y"))
case("symlink-too-long", LIMIT, "link target", pax((b"linkpath", b"a/" * 2048)), symlink(b"x", b"y"))
case("symlink-anywhere", FINE, "", symlink(b"a", b"../../../etc/passwd"), symlink(b"b", b"/"),
     symlink(b"c", b"\x1b[2J"), symlink(b"loop", b"loop"))

# Whiteouts.
LOWER = layer(directory(b"d"), member(b"d/a", b"1"), member(b"d/b", b"2"), member(b"f", b"3"))
case("whiteout-of-no-name", MALFORMED, "hides no name", header(b"d/.wh."), lower=LOWER)
case("whiteout-of-dot", MALFORMED, "hides '.' or '..'", header(b"d/.wh.."), lower=LOWER)
case("whiteout-of-dot-dot", MALFORMED, "hides '.' or '..'", header(b"d/.wh..."), lower=LOWER)
case("whiteout-as-parent", MALFORMED, "used as a directory", header(b".wh.../x"), lower=LOWER)
case("whiteout-is-directory", MALFORMED, "not an empty regular file", directory(b".wh.f"),
     lower=LOWER)
case("whiteout-is-symlink", MALFORMED, "not an empty regular file", symlink(b".wh.f", b"x"),
     lower=LOWER)
case("whiteout-has-data", MALFORMED, "not an empty regular file", member(b".wh.f", b"x"),
     lower=LOWER)
case("whiteout-of-nothing", FINE, "", header(b".wh.nothing"), header(b"no/.wh.nothing"),
     lower=LOWER)
case("whiteout-parent-then-child", FINE, "", header(b".wh.d"), header(b"d/.wh.a"), lower=LOWER)
case("whiteout-child-then-parent", FINE, "", header(b"d/.wh.a"), header(b".wh.d"), lower=LOWER)
case("whiteout-beside-its-file", FINE, "", member(b"f", b"new"), header(b".wh.f"), lower=LOWER)
case("opaque-root", FINE, "", member(b"own", b"x"), header(b".wh..wh..opq"), lower=LOWER)
case("opaque-after-siblings", FINE, "", member(b"d/c", b"x"), header(b"d/.wh..wh..opq"), lower=LOWER)
case("aufs-names", FINE, "", header(b".wh..wh.aufs"), header(b".wh..wh.plnk"),
     header(b".wh..wh.orph"), lower=LOWER)

# Devices, ids, bits, attributes: all are data.
case("devices", FINE, "", header(b"sda", kind=b"4", major=8), header(b"mem", kind=b"3", major=1,
                                                                       minor=1),
     header(b"fifo", kind=b"6"), header(b"zero", kind=b"3", major=0, minor=0))
case("device-number-beyond-32-bits", MALFORMED, "device number",
     header(b"x", kind=b"3", major=base256(1 << 32, 8)))
case("device-number-negative", MALFORMED, "device number",
     header(b"x", kind=b"4", minor=base256(-1, 8)))
case("device-number-in-pax", MALFORMED, "SCHILY.devmajor",
     pax((b"SCHILY.devmajor", b"4294967296")), header(b"x", kind=b"3"))
case("overlay-attributes", FINE, "",
     pax((b"SCHILY.xattr.trusted.overlay.opaque", b"y"),
         (b"SCHILY.xattr.trusted.overlay.redirect", b"/etc"),
         (b"SCHILY.xattr.user.fuseoverlayfs.opaque", b"y"),
         (b"SCHILY.xattr.user.overlay.metacopy", b"")),
     directory(b"d"))
case("setuid-and-capability", FINE, "",
     pax((b"SCHILY.xattr.security.capability", bytes.fromhex("0100000200200000" + "00" * 12))),
     member(b"x", b"x", mode=0o6755))
case("attribute-without-name", MALFORMED, "has no name", pax((b"SCHILY.xattr.", b"x")), member())
case("attribute-name-with-nul", MALFORMED, "NUL", pax((b"SCHILY.xattr.user.\0a", b"x")), member())
case("attribute-name-too-long", LIMIT, "too long a name",
     pax((b"SCHILY.xattr.user." + b"n" * 251, b"x")), member())
case("attribute-too-long", LIMIT, "too long a value",
     pax((b"SCHILY.xattr.user.a", b"v" * 65537)), member())
case("attribute-twice", MALFORMED, "twice",
     pax((b"SCHILY.xattr.user.a", b"1"), (b"SCHILY.xattr.user.a", b"2")), member())
case("attribute-not-base64", MALFORMED, "base64", pax((b"LIBARCHIVE.xattr.user.a", b"!")), member())
case("uid-means-no-change", MALFORMED, "uid", member(uid=base256((1 << 32) - 1, 8)))
case("gid-means-no-change", MALFORMED, "gid", member(gid=base256((1 << 32) - 1, 8)))
case("uid-in-pax-means-no-change", MALFORMED, "uid", pax((b"uid", b"4294967295")), member())
case("uid-beyond-32-bits", MALFORMED, "uid", pax((b"uid", b"4294967296")), member())
case("uid-negative", MALFORMED, "uid", member(uid=base256(-1, 8)))
case("biggest-ids", FINE, "", pax((b"uid", b"4294967294"), (b"gid", b"4294967294")), member())

# Names as such.
case("component-too-long", LIMIT, "component that is too long", pax((b"path", b"n" * 256)), member())
case("path-too-long", LIMIT, "too long", pax((b"path", b"n/" * 2048 + b"n")), member())
case("path-of-half-a-mebibyte", LIMIT, "path", pax((b"path", b"n" * (PAX_MAX // 2))), member())
case("path-over-the-header", LIMIT, "extended header", pax((b"path", b"n" * PAX_MAX)), member())
case("path-deep", LIMIT, "too long", pax((b"path", b"d/" * 100000 + b"x")), member())
case("longest-names", FINE, "", pax((b"path", b"/".join([b"n" * 255] * 15 + [b"m" * 254]))), member())
case("deepest-path", FINE, "", pax((b"path", b"d/" * 2047 + b"x")), member())
case("name-with-nul", MALFORMED, "NUL", pax((b"path", b"a\0b")), member())
case("name-of-odd-bytes", FINE, "", member(b"new\nline"), member(b"\x1b[2Jescape"),
     member(b"\xff\xfe\x80"), member(b"\xed\xa0\x80"), member(b"a'b\"c\\d"), member(b" "))
case("file-then-file", FINE, "", member(b"x", b"1"), member(b"x", b"22"))
case("directory-then-file", FINE, "", directory(b"x"), member(b"x/y"), member(b"x", b"1"))
case("file-then-directory", FINE, "", member(b"x", b"1"), directory(b"x"), member(b"x/y"))
case("symlink-then-directory", FINE, "", symlink(b"x", b"/"), directory(b"x"), member(b"x/y"))
case("file-then-beneath", FINE, "", member(b"x", b"1"), member(b"x/y"))

# Two sizes for one member.
SMUGGLED = member(b"smuggled", b"evil")
case("pax-size-over-header", FINE, "", pax((b"size", b"1024")), header(b"outer"), SMUGGLED,
     member(b"after"))
case("pax-size-under-header", MALFORMED, "checksum", pax((b"size", b"0")),
     header(b"outer", size=512), pad(b"no header"), member(b"after"))
case("pax-size-empty", FINE, "", pax((b"size", b"")), member(b"outer", b"content"))
case("size-of-directory", FINE, "", directory(b"d", size=4096), member(b"d/x"))
case("size-of-fifo", FINE, "", header(b"f", kind=b"6", size=4096), member(b"x"))

# PAX records.
for name, data in {
    "too-short": b"8 path=a\n", "too-long": b"20 path=a\n", "no-newline": b"9 path=ab",
    "no-blank": b"9path=ab\n", "no-equals": b"7 path\n", "no-key": b"5 =a\n", "zero": b"0 path=a\n",
    "negative": b"-9 path=a\n", "huge": b"99999999999999999999 path=a\n", "no-length": b"path=a\n",
    "zeros-behind": b"9 path=a\n\0\0\0",
}.items():
    case("pax-record-" + name, MALFORMED, "malformed PAX record", pax_raw(data), member())
case("pax-unknown-key", MALFORMED, "'VENDOR.hide'", pax((b"VENDOR.hide", b"1")), member())
case("pax-windows", MALFORMED, "Windows", pax((b"MSWINDOWS.rawsd", b"x")), member())
case("pax-key-twice", MALFORMED, "twice", pax((b"path", b"a"), (b"path", b"b")), member())
case("pax-charset", MALFORMED, "charset", pax((b"hdrcharset", b"KOI8-R")), member())
case("pax-header-of-4-gib", LIMIT, "extended header", pax_raw(b"", size=(1 << 32)), member())
case("pax-header-negative", MALFORMED, "bad size", pax_raw(b"", size=base256(-512, 12)), member())
case("pax-million-records", LIMIT, "extended header", pax_raw(b"12 comment=\n" * 10**6), member())
case("pax-many-records", FINE, "", pax_raw(b"12 comment=\n" * (PAX_MAX // 12)), member())
case("pax-after-pax", MALFORMED, "two PAX headers", pax((b"path", b"a")), pax((b"path", b"b")),
     member())
case("pax-without-member", MALFORMED, "without a member", member(b"a"), pax((b"path", b"b")))
case("pax-and-gnu-name", MALFORMED, "both", pax((b"path", b"a")), gnu_long(b"b\0"), member())
case("global-path", MALFORMED, "global", pax((b"path", b"a"), kind=b"g"), member())
case("global-size", MALFORMED, "global", pax((b"size", b"512"), kind=b"g"), member())
case("global-linkpath", MALFORMED, "global", pax((b"linkpath", b"/"), kind=b"g"), member())
case("global-inside", MALFORMED, "global header between", pax((b"path", b"a")),
     pax((b"uid", b"1"), kind=b"g"), member())
case("global-uid", FINE, "", pax((b"uid", b"1"), (b"comment", b"x"), kind=b"g"), member())

# GNU long names.
case("gnu-name-empty", MALFORMED, "empty GNU long name", gnu_long(b""), member())
case("gnu-name-of-nul", MALFORMED, "empty GNU long name", gnu_long(b"\0"), member())
case("gnu-name-unterminated", MALFORMED, "does not end with a NUL", gnu_long(b"name"), member())
case("gnu-name-cut-by-nul", MALFORMED, "does not end with a NUL", gnu_long(b"a\0b\0"), member())
case("gnu-name-huge", LIMIT, "extended header", gnu_long(b"", size=base256(1 << 40, 12)), member())
case("gnu-name-too-long", LIMIT, "component that is too long", gnu_long(b"n" * 5000 + b"\0"), member())
case("gnu-name-twice", MALFORMED, "two GNU long names", gnu_long(b"a\0"), gnu_long(b"b\0"), member())
case("gnu-link-unterminated", MALFORMED, "does not end with a NUL", gnu_long(b"name", kind=b"K"),
     symlink(b"x", b"y"))


# Sparse members.
def sparse_1(size, numbers, data=b"", name=b"f"):
    text = b"".join(b"%d\n" % n for n in [len(numbers) // 2] + numbers)
    return (pax((b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"), (b"GNU.sparse.name", name),
                (b"GNU.sparse.realsize", b"%d" % size)) + member(data=pad(text) + data))


def sparse_01(size, numbers, data=b""):
    return (pax((b"GNU.sparse.size", b"%d" % size), (b"GNU.sparse.numblocks", b"%d" % (len(numbers) // 2)),
                (b"GNU.sparse.map", b",".join(b"%d" % n for n in numbers))) + member(b"f", data))


def sparse_old(size, numbers, data=b"", more=()):
    """The first four ranges in the header, the others in blocks of 21."""
    fields = [octal(o, 12) + octal(n, 12) for o, n in zip(numbers[::2], numbers[1::2])]
    rest = [fields[i : i + 21] for i in range(4, len(fields), 21)] + list(more)
    tail = bytes(41) + b"".join(fields[:4]).ljust(96, b"\0") + bytes([bool(rest)])
    tail += base256(size, 12) if size >= 1 << 33 else octal(size, 12)
    out = header(b"f", kind=b"S", size=len(data), magic=b"ustar  \0", tail=tail)
    for i, ranges in enumerate(rest):
        out += b"".join(ranges).ljust(504, b"\0") + bytes([i + 1 < len(rest)]) + bytes(7)
    return out + pad(data)


case("sparse-one-pebibyte", FINE, "", sparse_1(1 << 50, [0, 1, (1 << 50) - 1, 1], b"ab"))
case("sparse-one-pebibyte-old", FINE, "", sparse_old(1 << 50, [0, 1], b"a"))
case("sparse-nothing-but-hole", FINE, "", sparse_1((1 << 63) - 1, []))
MILLION = [n for i in range(10**6) for n in (2 * i, 1)]
case("sparse-million-ranges", LIMIT, "ranges in a sparse map", sparse_1(1 << 40, MILLION, bytes(10**6)))
case("sparse-million-ranges-old", LIMIT, "ranges in a sparse map",
     sparse_old(1 << 33, MILLION[:160000], bytes(80000)))
case("sparse-promises-2-to-60-ranges", LIMIT, "ranges in a sparse map",
     pax((b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"), (b"GNU.sparse.realsize", b"9")),
     member(data=pad(b"1152921504606846976\n")))
for name, make in (("1.0", sparse_1), ("0.1", sparse_01), ("old", sparse_old)):
    case("sparse-overlap-" + name, MALFORMED, "out of order", make(9, [0, 2, 1, 2], b"abcd"))
    case("sparse-unsorted-" + name, MALFORMED, "out of order", make(9, [5, 1, 0, 1], b"ab"))
    case("sparse-beyond-end-" + name, MALFORMED, "beyond the end", make(9, [8, 2], b"ab"))
    case("sparse-less-data-" + name, MALFORMED, "fit the data", make(9, [0, 2], b"a"))
    case("sparse-more-data-" + name, MALFORMED, "fit the data", make(9, [0, 2], b"abc"))
case("sparse-wraps", MALFORMED, "beyond the end",
     sparse_1((1 << 62), [(1 << 63) - 1, (1 << 63) - 1], b""))
case("sparse-negative", MALFORMED, "malformed sparse map", sparse_01(9, [-1, 1], b"a"))
case("sparse-half-a-range", MALFORMED, "unknown version",
     pax((b"GNU.sparse.size", b"9"), (b"GNU.sparse.numblocks", b"1"), (b"GNU.sparse.map", b"0")),
     member())
case("sparse-map-that-goes-on", MALFORMED, "ends in a sparse map",
     sparse_old(9, [0, 1, 2, 1, 4, 1, 6, 1, 8, 1])[:-8], b"\1", bytes(7), end=b"")
case("sparse-unknown-version", MALFORMED, "unknown version",
     pax((b"GNU.sparse.major", b"2"), (b"GNU.sparse.minor", b"0"), (b"GNU.sparse.realsize", b"9")),
     member())
case("sparse-directory", MALFORMED, "no regular file",
     pax((b"GNU.sparse.size", b"9"), (b"GNU.sparse.numblocks", b"0")), directory(b"d"))
case("sparse-of-star", MALFORMED, "type 'S'", header(b"x", kind=b"S"))

# Numbers.
case("size-negative", MALFORMED, "bad size", member(size=base256(-1, 12)))
case("size-beyond-63-bits", MALFORMED, "bad size", member(size=base256(1 << 63, 12)))
case("size-beyond-64-bits", MALFORMED, "bad size", member(size=base256(1 << 70, 12)))
case("size-beyond-the-limit", LIMIT, "payload", member(size=base256((1 << 62), 12)))
case("size-no-number", MALFORMED, "bad size", member(size=b"12z"))
case("size-with-digit-8", MALFORMED, "bad size", member(size=b"00000000008"))
case("mode-no-number", MALFORMED, "bad mode", member(mode=b"rwxr-xr"))
case("mtime-no-number", MALFORMED, "bad mtime", member(mtime=b"yesterday"))
case("mtime-in-pax-no-number", MALFORMED, "bad time", pax((b"mtime", b"1e9")), member())
case("mtime-far", FINE, "", member(b"a", mtime=base256(31556952 * 10**9, 12)),
     member(b"b", mtime=base256(1 << 80, 12)), member(b"c", mtime=base256(-(1 << 80), 12)),
     pax((b"mtime", b"9" * 40 + b".5")), member(b"d"), pax((b"mtime", b"-" + b"9" * 40)), member(b"e"))
case("checksum-wrong", MALFORMED, "checksum", member(checksum=b"000001\0 "))
case("checksum-missing", MALFORMED, "checksum", member(checksum=bytes(8)))
case("magic-unknown", MALFORMED, "dialect", member(magic=b"tarball\0"))
case("type-unknown", MALFORMED, "type 'Z'", header(kind=b"Z"))
case("type-multivolume", MALFORMED, "type 'M'", header(kind=b"M"))
case("type-dump-directory", MALFORMED, "type 'D'", header(kind=b"D"))
case("type-volume", MALFORMED, "volume label", header(kind=b"V"))
case("type-solaris", MALFORMED, "type 'X'", header(kind=b"X"))

# The end.
case("no-members", FINE, "")
case("no-bytes", MALFORMED, "the blob is empty", end=b"")
case("no-end", MALFORMED, "no blocks of zeros", member(), end=b"")
case("half-an-end", MALFORMED, "no second block", member(), end=bytes(BLOCK))
case("one-block-then-member", MALFORMED, "data after", member(), bytes(BLOCK), SMUGGLED)
case("member-after-end", MALFORMED, "data after", member(), END, SMUGGLED)
case("byte-after-end", MALFORMED, "data after", member(), END, b"x")
case("byte-far-after-end", MALFORMED, "data after", member(), bytes(1 << 20), b"x")
case("zeros-after-end", FINE, "", member(b"x", b"1"), bytes(1 << 20))
case("zeros-not-whole-blocks", FINE, "", member(b"x", b"1"), end=END + bytes(7))
case("cut-in-header", MALFORMED, "cut short", member(), header(b"y")[:300], end=b"")
case("cut-in-payload", MALFORMED, "cut short", header(b"y", size=5000), bytes(1000), end=b"")
case("cut-in-padding", MALFORMED, "cut short", header(b"y", size=5), b"hello", end=b"")
case("cut-in-pax", MALFORMED, "cut short", pax_raw(b"9 path=a\n", size=4096)[:1000], end=b"")

# Other formats in a tar's clothes.
case("is-zip", MALFORMED, "zip", pad(b"PK\3\4" + bytes(26)), pad(b"PK\5\6" + bytes(18)))
case("is-rar", MALFORMED, "checksum", pad(b"Rar!\x1a\7\1\0" + b"\x33" * 40))
case("is-7z", MALFORMED, "checksum", pad(b"7z\xbc\xaf\x27\x1c\0\4" + b"\x33" * 24))
case("is-iso", MALFORMED, "data after", bytes(32768) + pad(b"\1CD001\1\0"))
case("is-cpio", MALFORMED, "checksum", pad(b"070701" + b"0" * 104 + b"x\0"))
case("is-ar", MALFORMED, "checksum", pad(b"!<arch>\ndebian-binary   "))
case("is-gzip", MALFORMED, "gzip", pad(b"\x1f\x8b\x08\0\0\0\0\0\0\xff\3\0" + bytes(8)))
case("zip-inside", FINE, "", member(b"x.zip", b"PK\3\4" + bytes(26) + b"PK\5\6" + bytes(18)))


def main():
    arguments = sys.argv[1:]
    has_layouts = arguments[:1] == ["--layouts"]
    folder = arguments[has_layouts]
    os.makedirs(folder, exist_ok=True)
    names = [name for name, *_ in CASES]
    assert len(set(names)) == len(names), "two cases of one name"
    for name, status, word, tar, lower in CASES:
        layers = ([("lower", lower)] if lower else []) + [("", tar)]
        if has_layouts:
            write_image(os.path.join(folder, name), [(LAYER, data, data) for _, data in layers])
        else:
            for which, data in layers:
                with open(os.path.join(folder, ".".join(filter(None, [name, which, "tar"]))), "wb") as f:
                    f.write(data)
        print(name, status, word, sep="\t")


if __name__ == "__main__":
    main()
