#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Changes the layer index of an image, and every digest above it, so that only the index is wrong.

Usage: layer_indexes.py STORE DIR

STORE holds one image of one layer, with an index, of several frames.  DIR/CASE is an image layout for each case.
Prints a line "CASE STATUS WORD", with tabs, for each: what `shale import` must end with, and a part of its
message.
"""
import copy
import json
import os
import struct
import subprocess
import sys

from blobs import skippable, zstd_block, zstd_header
from layout import CONFIG, MANIFEST, Layout, sha256

MALFORMED, LIMIT, DIGEST = 3, 4, 5
KEY = "io.shale.layer-index."
HEADER = struct.Struct("<8sIIIIIIQQQ32s")
HEADER_NAMES = ("magic", "version", "header_size", "encoding", "frame_count", "entry_count",
                "extent_count", "xattrs_size", "texts_size", "tar_size", "diff_id")
FRAME = struct.Struct("<QII32s")
FRAME_NAMES = ("blob_offset", "blob_length", "length", "sha256")
ENTRY = struct.Struct("<QQqIIIIIIIHHHBB")
ENTRY_NAMES = ("size", "gap", "mtime", "mtime_nsec", "uid", "gid", "rdev_major", "rdev_minor",
               "xattr_count", "extent_count", "path_len", "link_len", "mode", "kind", "layout")
STORED = struct.Struct("<8sIIQ")
U32, U64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF


class LayerIndex:
    """All fields of shale-layer-index(5); header numbers that are None follow from the rest."""

    def __init__(self, stored):
        content = subprocess.run(
            ["zstd", "-dcq"], input=stored[STORED.size :], stdout=subprocess.PIPE, check=True
        ).stdout
        self.stored = {"magic": stored[:8], "version": 1, "zero": 0, "size": None}
        self.header = dict(zip(HEADER_NAMES, HEADER.unpack_from(content)))
        at = HEADER.size
        self.frames, self.entries = [], []
        for _ in range(self.header["frame_count"]):
            self.frames.append(dict(zip(FRAME_NAMES, FRAME.unpack_from(content, at))))
            at += FRAME.size
        for _ in range(self.header["entry_count"]):
            self.entries.append(dict(zip(ENTRY_NAMES, ENTRY.unpack_from(content, at))))
            at += ENTRY.size
        count = self.header["extent_count"]
        self.extents = [list(struct.unpack_from("<QQ", content, at + 16 * i)) for i in range(count)]
        at += 16 * count
        self.xattrs = content[at : at + self.header["xattrs_size"]]
        texts = content[at + len(self.xattrs) :]
        at = 0
        for entry in self.entries:
            entry["path"] = texts[at : at + entry["path_len"]]
            at += entry["path_len"]
            entry["link"] = texts[at : at + entry["link_len"]]
            at += entry["link_len"]
        for name in ("frame_count", "entry_count", "extent_count", "xattrs_size", "texts_size"):
            self.header[name] = None
        self.behind = b""
        self.content_size = None

    def find(self, path):
        return next(e for e in self.entries if e["path"] == path)

    def encode(self):
        texts = b"".join(e["path"] + e["link"] for e in self.entries)
        counted = {
            "frame_count": len(self.frames),
            "entry_count": len(self.entries),
            "extent_count": len(self.extents),
            "xattrs_size": len(self.xattrs),
            "texts_size": len(texts),
        }
        header = {k: counted.get(k) if v is None else v for k, v in self.header.items()}
        parts = [HEADER.pack(*(header[n] for n in HEADER_NAMES))]
        parts += [FRAME.pack(*(f[n] for n in FRAME_NAMES)) for f in self.frames]
        for entry in self.entries:
            entry = {**entry, "path_len": len(entry["path"]), "link_len": len(entry["link"])}
            parts.append(ENTRY.pack(*(entry[n] for n in ENTRY_NAMES)))
        parts += [struct.pack("<QQ", *x) for x in self.extents]
        content = b"".join(parts) + self.xattrs + texts + self.behind
        stored = dict(self.stored)
        if stored["size"] is None:
            stored["size"] = len(content)
        size = self.content_size if self.content_size is not None else len(content)
        frame = zstd_header(content=size)
        for at in range(0, len(content), 1 << 17):
            piece = content[at : at + (1 << 17)]
            frame += zstd_block(0, len(piece), piece, at + len(piece) == len(content))
        return STORED.pack(*(stored[n] for n in ("magic", "version", "zero", "size"))) + frame


cases = []


def case(name, status, word):
    def add(function):
        cases.append((name, status, word, function))
        return function

    return add


def setting(name, status, word, part, field, value, which=0):
    """One field of the stored form, the header, a frame, or the entry "big"."""

    def change(index):
        target = {
            "stored": lambda: index.stored,
            "header": lambda: index.header,
            "frame": lambda: index.frames[which],
            "entry": lambda: index.find(b"big"),
        }[part]()
        target[field] = value(target[field]) if callable(value) else value

    cases.append((name, status, word, change))


setting("stored-magic", MALFORMED, "magic", "stored", "magic", b"SHLINDX\r")
setting("stored-version-2", MALFORMED, "version 2", "stored", "version", 2)
setting("stored-reserved", MALFORMED, "reserved", "stored", "zero", 1)
setting("stored-size-513-mib", LIMIT, "bytes", "stored", "size", 513 << 20)
setting("stored-size-2^64-1", LIMIT, "bytes", "stored", "size", U64)
setting("stored-size-400-mib", LIMIT, "bytes", "stored", "size", 400 << 20)
setting("stored-size-1", MALFORMED, "no header", "stored", "size", 1)
setting("stored-size-60-mib", MALFORMED, "two uncompressed sizes", "stored", "size", 60 << 20)
setting("header-magic", MALFORMED, "magic", "header", "magic", b"SHLINDX\n")
setting("header-version", MALFORMED, "version", "header", "version", 2)
setting("header-size", MALFORMED, "of another version", "header", "header_size", 96)
setting("encoding-raw", MALFORMED, "two lengths", "header", "encoding", 0)
setting("encoding-gzip", MALFORMED, "no zstd", "header", "encoding", 2)
setting("encoding-3", MALFORMED, "encoding", "header", "encoding", 3)
setting("frame-count-more", MALFORMED, "do not fill", "header", "frame_count", 5000)
setting("frame-count-less", MALFORMED, "do not fill", "header", "frame_count", 1)
setting("frame-count-2^32-1", LIMIT, "4294967295 frames", "header", "frame_count", U32)
setting("entry-count-more", MALFORMED, "do not fill", "header", "entry_count", 5000)
setting("entry-count-2^32-1", LIMIT, "4294967295 entries", "header", "entry_count", U32)
setting("extent-count-2^32-1", MALFORMED, "do not fill", "header", "extent_count", U32)
setting("xattrs-size-2^64-1", MALFORMED, "do not fill", "header", "xattrs_size", U64)
setting("xattrs-size-1", MALFORMED, "do not fill", "header", "xattrs_size", 1)
setting("texts-size-2^64-1", MALFORMED, "do not fill", "header", "texts_size", U64)
setting("texts-size-less", MALFORMED, "do not fill", "header", "texts_size", 1)
setting("tar-size-2^60", LIMIT, "1152921504606846976 bytes of tar", "header", "tar_size", 1 << 60)
setting("tar-size-more", MALFORMED, "not the whole tar", "header", "tar_size", lambda n: n + 512)
setting("tar-size-less", MALFORMED, "not the whole tar", "header", "tar_size", lambda n: n - 512)
setting("other-diff-id", DIGEST, "another diff_id", "header", "diff_id", bytes(32))

setting("frame-behind-the-blob", MALFORMED, "outside", "frame", "blob_offset", 1 << 40, -1)
setting("frame-offset-2^64-1", MALFORMED, "outside of its file", "frame", "blob_offset", U64, -1)
setting("frame-offset-2^63", MALFORMED, "outside of its file", "frame", "blob_offset", 1 << 63, -1)
setting("frame-offset-more", MALFORMED, "in no frame", "frame", "blob_offset", lambda n: n + 1, -1)
setting("frames-overlap", MALFORMED, "overlap", "frame", "blob_offset", 0, 1)
setting("frame-length-0", MALFORMED, "no content", "frame", "length", 0)
setting("frame-blob-length-0", MALFORMED, "no content", "frame", "blob_length", 0)
setting("frame-length-2^31", LIMIT, "over the limit", "frame", "length", 1 << 31)
setting("frame-length-2^32-1", LIMIT, "over the limit", "frame", "length", U32)
setting("frame-blob-length-2^32-1", LIMIT, "over the limit", "frame", "blob_length", U32)
setting("frame-other-digest", DIGEST, "does not match its digest", "frame", "sha256", bytes(32))


@case("frames-swapped", MALFORMED, "overlap")
def swapped(index):
    index.frames[0], index.frames[1] = index.frames[1], index.frames[0]


@case("frame-lengths-moved", DIGEST, "does not decode to its")
def moved(index):
    """The sum stays: one frame is said to hold what is the next one's."""
    index.frames[0]["length"] += 512
    index.frames[1]["length"] -= 512


@case("no-frames", MALFORMED, "not the whole tar")
def no_frames(index):
    index.frames.clear()


setting("path-dotdot", MALFORMED, "..", "entry", "path", b"../../etc/passwd")
setting("path-dotdot-inside", MALFORMED, "..", "entry", "path", b"dir/../../x")
setting("path-absolute", MALFORMED, "canonical", "entry", "path", b"/big")
setting("path-dot", MALFORMED, "canonical", "entry", "path", b"./big")
setting("path-two-slashes", MALFORMED, "canonical", "entry", "path", b"dir//big")
setting("path-slash-behind", MALFORMED, "canonical", "entry", "path", b"big/")
setting("path-nul", MALFORMED, "NUL", "entry", "path", b"big\0x")
setting("path-empty", MALFORMED, "root", "entry", "path", b"")
setting("path-256", LIMIT, "component that is too long", "entry", "path", b"n" * 256)
setting("path-5000", LIMIT, "too long", "entry", "path", b"n/" * 2500 + b"n")
setting("kind-7", MALFORMED, "kind", "entry", "kind", 7)
setting("kind-symlink", MALFORMED, "without a target", "entry", "kind", 2)
setting("kind-directory", MALFORMED, "no regular file", "entry", "kind", 1)
setting("link-for-a-file", MALFORMED, "no link", "entry", "link", b"target")
setting("layout-3", MALFORMED, "extents", "entry", "layout", 3)
setting("layout-plain", MALFORMED, "map of holes", "entry", "layout", 0)
setting("extents-2^32-1", MALFORMED, "can be none", "entry", "extent_count", U32)
setting("xattr-count-1", MALFORMED, "xattrs", "entry", "xattr_count", 1)
setting("xattr-count-2^32-1", MALFORMED, "xattrs", "entry", "xattr_count", U32)
setting("device-number", MALFORMED, "device", "entry", "rdev_major", 1)
setting("gap-behind-the-end", MALFORMED, "outside", "entry", "gap", 1 << 40)
setting("gap-2^64-512", MALFORMED, "outside", "entry", "gap", U64 - 511)
setting("gap-odd", MALFORMED, "outside", "entry", "gap", lambda n: n + 1)
setting("size-behind-the-end", MALFORMED, "outside", "entry", "size", 1 << 40)
setting("size-2^63", LIMIT, "too long", "entry", "size", 1 << 63)
setting("size-2^64-1", LIMIT, "too long", "entry", "size", U64)
setting("mode-type-bits", MALFORMED, "mode", "entry", "mode", 0o104755)
setting("uid-2^32-1", MALFORMED, "id", "entry", "uid", U32)
setting("gid-2^32-1", MALFORMED, "id", "entry", "gid", U32)
setting("nanoseconds-10^9", MALFORMED, "time", "entry", "mtime_nsec", 10**9)
setting("time-2^62", MALFORMED, "time", "entry", "mtime", 1 << 62)

# Right in themselves, but not what the layer's tar says.
setting("other-mode", MALFORMED, "mode", "entry", "mode", 0o4755)
setting("other-uid", MALFORMED, "uid", "entry", "uid", 1000)
setting("other-time", MALFORMED, "another time for 'big'", "entry", "mtime", 1)
setting("other-name", MALFORMED, "another path", "entry", "path", b"bug")
setting("other-place", MALFORMED, "another place", "entry", "gap", lambda n: n - 512)
setting("shorter", MALFORMED, "outside", "entry", "size", lambda n: n - 1)


@case("one-entry-less", MALFORMED, "entries")
def less(index):
    index.entries.pop()


@case("one-entry-more", MALFORMED, "entries")
def more(index):
    extra = copy.deepcopy(index.find(b"dir"))
    extra["path"] = b"zdir"
    index.entries.append(extra)


@case("entries-swapped", MALFORMED, "another path")
def reordered(index):
    index.entries.insert(0, index.entries.pop(1))


@case("no-entries", MALFORMED, "entries")
def no_entries(index):
    index.entries.clear()


@case("bytes-behind", MALFORMED, "fill")
def behind(index):
    index.behind = b"x"


@case("zstd-size-2^63", MALFORMED, "two uncompressed sizes")
def zstd_size(index):
    index.content_size = 1 << 63


def sparse(name, extents):
    @case("extents-" + name, MALFORMED, "extents")
    def change(index):
        entry = index.find(b"big")
        entry["layout"] = 0
        entry["extent_count"] = len(extents)
        index.extents = [list(x) for x in extents]


sparse("overlap", [(0, 1000), (999, 10)])
sparse("unsorted", [(5000, 10), (0, 10)])
sparse("empty", [(0, 0)])
sparse("behind-the-end", [(0, 1 << 40)])
sparse("offset-2^64-1", [(U64, 1)])
sparse("sum-wraps", [(1, U64)])
sparse("touching", [(0, 10), (10, 10)])


def rewrite(store, out, change, annotate):
    """The image of `store` with a changed index, or changed annotations of the layer."""
    with open(os.path.join(store, "index.json"), encoding="utf-8") as f:
        top = json.load(f)["manifests"][0]

    def read(digest):
        with open(os.path.join(store, "blobs", *digest.split(":")), "rb") as f:
            return f.read()

    manifest = json.loads(read(top["digest"]))
    layer = manifest["layers"][0]
    blob = read(layer["digest"])
    notes = layer["annotations"]
    offset, size = int(notes[KEY + "offset"]), int(notes[KEY + "size"])
    if change:
        index = LayerIndex(blob[offset : offset + size])
        change(index)
        stored = index.encode()
        blob = blob[: offset - 8] + skippable(len(stored), stored, magic=0x184D2A53) + blob[offset + size :]
        notes[KEY + "size"] = str(len(stored))
        notes[KEY + "digest"] = sha256(stored)
    if annotate:
        annotate(notes, blob)
    layout = Layout(out)
    manifest["layers"] = [{**layer, "digest": layout.put(blob), "size": len(blob)}]
    manifest["config"] = layout.descriptor(CONFIG, read(manifest["config"]["digest"]))
    layout.finish(layout.descriptor(MANIFEST, manifest))


def annotations():
    """Hostile places of the index, over a right one."""

    def put(key, value):
        return lambda notes, blob: notes.update({KEY + key: value(notes[KEY + key], blob) if callable(value) else value})

    for text in ("-1", "", " 8", "8 ", "+8", "0x10", "1e3", "99999999999999999999", "18446744073709551615"):
        yield f"offset-'{text}'", MALFORMED, "offset", put("offset", text)
        yield f"size-'{text}'", MALFORMED, "size", put("size", text)
    yield "offset-0", DIGEST, "not what the manifest says", put("offset", "0")
    yield "offset-behind-the-blob", MALFORMED, "offset", put("offset", lambda _, b: str(len(b)))
    yield "offset-to-itself", DIGEST, "not what the manifest says", put("offset", lambda v, _: str(int(v) - 8))
    yield "size-0", DIGEST, "not what the manifest says", put("size", "0")
    yield "size-of-the-blob", MALFORMED, "no size that fits", put("size", lambda _, b: str(len(b)))
    yield "size-less", DIGEST, "not what the manifest says", put("size", lambda v, _: str(int(v) - 1))
    yield "other-digest", DIGEST, "not what the manifest says", put("digest", "sha256:" + "0" * 64)
    yield "digest-sha512", MALFORMED, "no SHA-256", put("digest", "sha512:" + "0" * 128)
    yield "digest-upper-case", MALFORMED, "not a digest", put("digest", lambda v, _: v.upper())
    yield "digest-traversal", MALFORMED, "not a digest", put("digest", "sha256:../../x")
    yield "digest-empty", MALFORMED, "not a digest", put("digest", "")
    # A layer without that annotation brings no index: one is derived.
    yield "no-digest", 0, "", lambda notes, _: notes.pop(KEY + "digest")
    for key in ("offset", "size"):
        yield f"no-{key}", MALFORMED, "missing", lambda notes, _, k=key: notes.pop(KEY + k)

    def of_the_frames(notes, blob):
        """A place in the compressed data, with its right digest."""
        notes[KEY + "offset"], notes[KEY + "size"] = "0", "100"
        notes[KEY + "digest"] = sha256(blob[:100])

    yield "frames-as-index", MALFORMED, "magic", of_the_frames


def main():
    store, out = sys.argv[1:]
    rewrite(store, os.path.join(out, "unchanged"), lambda index: None, None)
    print("unchanged\t0\t")
    for name, status, word, change in cases:
        rewrite(store, os.path.join(out, name), change, None)
        print(f"{name}\t{status}\t{word}")
    for name, status, word, annotate in annotations():
        rewrite(store, os.path.join(out, "annotation-" + name), None, annotate)
        print(f"annotation-{name}\t{status}\t{word}")


if __name__ == "__main__":
    main()
