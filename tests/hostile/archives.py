#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes hostile archives of images and of root file systems.

Usage: archives.py DIR

Prints a line "SOURCE STATUS WORD", with tabs, for each: what `shale import SOURCE` must end with, and a part of its
message.  DIR must be new.
"""
import bz2
import io
import json
import lzma
import os
import sys
import tarfile

from blobs import ZEROS, file_header, gz, gzip_bomb, zstd_bomb, zstd_raw
from layout import CONFIG, GOOD_TAR, INDEX, LAYER, MANIFEST, encode, sha256, tar_of

USAGE, MALFORMED, LIMIT, DIGEST, ABSENT = 2, 3, 4, 5, 8
MIB = 1 << 20
DOCKER_CONFIG = encode({"architecture": "amd64", "os": "linux",
                        "rootfs": {"type": "layers", "diff_ids": [sha256(GOOD_TAR)]}})
IMAGE = {"Config": "config.json", "RepoTags": ["x:1"], "Layers": ["layer.tar"]}


def link(name, target, kind=tarfile.SYMTYPE):
    member = tarfile.TarInfo(name)
    member.type = kind
    member.linkname = target
    return member


def archive(members):
    """A tar of (name, bytes) and TarInfo."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for item in members:
            if isinstance(item, tarfile.TarInfo):
                tar.addfile(item)
                continue
            member = tarfile.TarInfo(item[0])
            member.size = len(item[1])
            tar.addfile(member, io.BytesIO(item[1]))
    return out.getvalue()


def docker(manifest=None, files=None, more=()):
    """What `docker save` would write, with something changed."""
    if files is None:
        files = [("layer.tar", GOOD_TAR), ("config.json", DOCKER_CONFIG)]
    manifest = [IMAGE] if manifest is None else manifest
    return archive([*files, ("manifest.json", encode(manifest)), *more])


# What follows an archive: (name, status, word, bytes).
BEHIND = [
    ("zeros", 0, "", bytes(20480)),
    ("a-byte", MALFORMED, "data after the end of the archive", b"x"),
    ("zeros-and-a-byte", MALFORMED, "data after the end of the archive", bytes(300000) + b"x"),
]


def end_of(data):
    """Where the blocks of zeros at the end start."""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        tar.getmembers()
        return tar.offset


def wrapped(good):
    """(name, status, word, bytes) of an archive that is good, in what it can be wrapped in."""
    for name, status, word, data in BEHIND:
        yield f"{name}-behind", status, word, good + data
        yield f"{name}-behind-in-gzip", status, word, gz(good + data)
    yield "itself-behind", MALFORMED, "data after the end of the archive", good + good
    yield "itself-behind-in-gzip", MALFORMED, "data after the end of the archive", gz(good) * 2
    yield "no-end", 0, "", good[: end_of(good)]
    for name, pack, garbage in (
        ("gzip", gz, "garbage after the compressed data"),
        ("bzip2", bz2.compress, "garbage after the compressed data"),
        ("xz", lzma.compress, "Lzma library error"),
        ("zstd", zstd_raw, "Zstd decompression failed"),
    ):
        packed = pack(good)
        yield name, 0, "", packed
        yield f"{name}-members", 0, "", pack(good[:700]) + pack(good[700:])
        yield f"{name}-garbage-behind", MALFORMED, garbage, packed + b"garbage"
        yield f"{name}-in-gzip", MALFORMED, "more than once", gz(packed)
    yield "gzip-zeros-behind", MALFORMED, "garbage after the compressed data", gz(good) + bytes(512)
    yield "gzip-cut", MALFORMED, "truncated gzip input", gz(good)[:-30]
    yield "bzip2-cut", MALFORMED, "truncated bzip2 input", bz2.compress(good)[:-10]
    yield "xz-cut", MALFORMED, "Lzma library error", lzma.compress(good)[:-10]
    yield "cut", MALFORMED, "Truncated", good[:2000]
    yield "empty", MALFORMED, "Unrecognized archive format", b""
    yield "gzip-of-nothing", MALFORMED, "Unrecognized archive format", gz(b"")
    for name, data in FOREIGN:
        yield f"is-{name}", MALFORMED, "Unrecognized archive format", data
        yield f"is-{name}-in-gzip", MALFORMED, "Unrecognized archive format", gz(data)
    yield "bomb", LIMIT, "expands more than 1000 times", gzip_bomb(64)
    yield "xz-bomb", LIMIT, "expands more than 1000 times", xz_bomb()
    yield "zeros-without-end-behind", LIMIT, "expands more than 1000 times", gz(good) + gz(ZEROS, 9) * 64


# No kind of archive but tar is looked for.
FOREIGN = [
    (name, magic + bytes(2000))
    for name, magic in (
        ("zip", b"PK\3\4"), ("rar", b"Rar!\x1a\7\1\0"), ("rar4", b"Rar!\x1a\7\0"), ("7z", b"7z\xbc\xaf\x27\x1c"),
        ("cpio", b"070701"), ("cab", b"MSCF"), ("ar", b"!<arch>\n"), ("mtree", b"#mtree\n"), ("warc", b"WARC/1.0\r\n"),
        ("xar", b"xar!"), ("lha", b"\0\0-lh5-"),
    )
]


def xz_bomb():
    return lzma.compress(file_header(16 * MIB * 2000)) + lzma.compress(bytes(16 * MIB)) * 2000


def docker_cases():
    layer, config = ("layer.tar", GOOD_TAR), ("config.json", DOCKER_CONFIG)
    yield from wrapped(docker())
    yield "of-links", 0, "", docker(files=[("dir/real", GOOD_TAR), link("layer.tar", "dir/real"), config])
    yield "of-links-up", 0, "", docker(files=[("real", GOOD_TAR), link("dir/layer.tar", "../real"), config],
                                       manifest=[{**IMAGE, "Layers": ["dir/layer.tar"]}])
    yield "of-hard-links", 0, "", docker(files=[layer, link("other", "layer.tar", tarfile.LNKTYPE), config],
                                         manifest=[{**IMAGE, "Layers": ["other"]}])
    # Names are looked up in the archive and nowhere else.
    for name, path, word in (("climbs", "../../etc/passwd", "'..' component"), ("dots", "a/../../x", "'..' component"),
                             ("absolute", "/etc/passwd", "'/etc/passwd' is no file of the archive"),
                             ("empty", "", "'' is no file of the archive"), ("nul", "layer.tar\0x", "NUL"),
                             ("missing", "none", "'none' is no file of the archive"),
                             ("long", "n" * 256, "too long")):
        status = LIMIT if name == "long" else MALFORMED
        yield f"layer-name-{name}", status, word, docker([{**IMAGE, "Layers": [path]}])
        yield f"config-name-{name}", status, word, docker([{**IMAGE, "Config": path}])
    for name, member in (("link-to-the-host", link("layer.tar", "/etc/passwd")),
                         ("link-that-climbs", link("layer.tar", "../../../etc/passwd")),
                         ("hard-link-to-the-host", link("layer.tar", "/etc/passwd", tarfile.LNKTYPE)),
                         ("device", link("layer.tar", "", tarfile.CHRTYPE)),
                         ("fifo", link("layer.tar", "", tarfile.FIFOTYPE)),
                         ("directory", link("layer.tar", "", tarfile.DIRTYPE))):
        yield name, MALFORMED, "'layer.tar' is no file of the archive", docker(files=[member, config])
    yield "hard-link-that-climbs", MALFORMED, "'..' component", docker(
        files=[link("layer.tar", "../../../etc/passwd", tarfile.LNKTYPE), config])
    yield "link-cycle", MALFORMED, "too many links", docker(
        files=[link("layer.tar", "b"), link("b", "layer.tar"), config])
    yield "link-chain", MALFORMED, "too many links", docker(
        files=[config, layer, *(link(f"l{i}", f"l{i - 1}" if i else "layer.tar") for i in range(100))],
        manifest=[{**IMAGE, "Layers": ["l99"]}])
    # Members that nobody names are refused all the same when they lead out: another tool may unpack them.
    yield "member-that-climbs", MALFORMED, "'..' component", docker(more=[("../../canary/victim", b"dead\n")])
    yield "member-is-absolute", 0, "", docker(more=[("/canary/victim", b"dead\n")])
    yield "member-beneath-a-link", 0, "", docker(more=[link("d", "../canary"), ("d/victim", b"dead\n")])
    yield "manifest-twice", MALFORMED, "'manifest.json' is there twice", docker(more=[("manifest.json", encode([IMAGE]))])
    yield "manifest-twice-dotted", MALFORMED, "'manifest.json' is there twice", docker(
        more=[("./manifest.json", encode([IMAGE]))])
    yield "file-twice", MALFORMED, "'config.json' is there twice", docker(more=[config])
    yield "65535-files", 0, "", docker(more=[link(f"f{i}", "x") for i in range(65536 - 2)])
    yield "70000-files", LIMIT, "more than 65536 files", docker(more=[link(f"f{i}", "x") for i in range(70000)])

    for name, text in (("object", encode(IMAGE)), ("text", b"\"x\"")):
        yield f"manifest-{name}", MALFORMED, "not an array", docker(text)
    yield "manifest-numbers", MALFORMED, "must be an object", docker(b"[1]")
    yield "manifest-deep", LIMIT, "nested deeper than 64", docker(b"[" * 100000)
    yield "manifest-garbage", MALFORMED, "syntax error", docker(b"garbage")
    yield "manifest-closes-early", MALFORMED, "garbage after the document", docker(b'[]},"x":{"y":1')
    yield "manifest-empty", ABSENT, "holds no image", docker([])
    yield "manifest-over-4-mib", LIMIT, "more than 4194304 bytes", docker(encode([IMAGE]) + b" " * (4 * MIB))
    yield "manifest-key-twice", MALFORMED, "duplicate member", docker(b'[{"Config":"a","Config":"b"}]')
    yield "manifest-not-utf8", MALFORMED, "invalid UTF-8", docker(b'[{"Config":"\xff"}]')
    yield "no-manifest", MALFORMED, "no file 'manifest.json'", archive([layer, config])
    yield "manifest-is-a-link", MALFORMED, "no file 'manifest.json'", archive(
        [layer, config, ("real", encode([IMAGE])), link("manifest.json", "real")])
    yield "513-layers", LIMIT, "more than 512", docker([{**IMAGE, "Layers": ["layer.tar"] * 513}])
    yield "layers-numbers", MALFORMED, "'Layers' holds more than text", docker([{**IMAGE, "Layers": [1]}])
    yield "two-layers-one-diff-id", DIGEST, "1 diff_ids for 2 layers", docker([{**IMAGE, "Layers": ["layer.tar"] * 2}])
    yield "other-layer", DIGEST, "another diff_id", docker(files=[("layer.tar", tar_of([("x", b"x")])), config])
    yield "layer-is-no-tar", MALFORMED, "checksum", docker(files=[("layer.tar", b"text" * 200), config])
    yield "config-is-garbage", MALFORMED, "syntax error", docker(files=[layer, ("config.json", b"garbage")])
    yield "config-over-4-mib", LIMIT, "4194304", docker(files=[layer, ("config.json", DOCKER_CONFIG + b" " * 4 * MIB)])
    yield "two-images", USAGE, "say which", docker([IMAGE, {**IMAGE, "RepoTags": ["y:1"]}])


def oci_cases():
    config = encode({"architecture": "amd64", "os": "linux",
                     "rootfs": {"type": "layers", "diff_ids": [sha256(GOOD_TAR)]}})

    def descriptor(kind, data):
        return {"mediaType": kind, "digest": sha256(data), "size": len(data)}

    manifest = encode({"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(CONFIG, config),
                       "layers": [descriptor(LAYER, GOOD_TAR)]})
    top = encode({"schemaVersion": 2, "mediaType": INDEX, "manifests": [descriptor(MANIFEST, manifest)]})
    version = ("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
    index = ("index.json", top)
    blobs = [("blobs/" + sha256(b).replace(":", "/"), b) for b in (config, manifest, GOOD_TAR)]
    layer_name = blobs[2][0]
    missing = f"layer 1: blob '{sha256(GOOD_TAR)}' is not in the archive"

    yield from wrapped(archive([version, index, *blobs]))
    yield "index-last", 0, "", archive([*blobs, version, index])
    yield "index-twice", MALFORMED, "'index.json' is there twice", archive([version, index, *blobs, index])
    yield "index-twice-dotted", MALFORMED, "'index.json' is there twice", archive(
        [version, index, *blobs, ("./index.json", top)])
    yield "version-twice", MALFORMED, "'oci-layout' is there twice", archive([version, version, index, *blobs])
    yield "no-index", MALFORMED, "no file index.json", archive([version, *blobs])
    yield "no-version", MALFORMED, "no file oci-layout", archive([index, *blobs])
    for name, member in (("missing", ("x", GOOD_TAR)), ("is-a-link", link(layer_name, "x")),
                         ("is-a-link-to-the-host", link(layer_name, "/etc/passwd")),
                         ("is-a-hard-link", link(layer_name, "x", tarfile.LNKTYPE)),
                         ("is-a-device", link(layer_name, "", tarfile.CHRTYPE)),
                         ("is-upper-case", (layer_name.upper(), GOOD_TAR))):
        yield f"blob-{name}", MALFORMED, missing, archive([version, index, *blobs[:2], member])
    for name, at, word in (("config", 0, "config: blob"), ("manifest", 1, f"blob '{sha256(manifest)}'")):
        yield f"{name}-missing", MALFORMED, word, archive([version, index, *blobs[:at], *blobs[at + 1 :]])
    yield "blob-of-other-bytes", DIGEST, "another digest", archive(
        [version, index, *blobs[:2], (layer_name, b"x" * len(GOOD_TAR))])
    yield "blob-nobody-names-of-other-bytes", DIGEST, "another digest", archive(
        [version, index, *blobs, ("blobs/sha256/" + "0" * 64, b"x")])
    yield "index-is-a-link", MALFORMED, "no file index.json", archive([version, *blobs, ("x", top), link("index.json", "x")])
    yield "names-that-climb", MALFORMED, "'..' component", archive(
        [version, index, *blobs, ("blobs/sha256/../../../canary/victim", b"dead\n")])
    yield "blob-names-of-nothing", 0, "", archive([version, index, *blobs, ("blobs/sha256/" + "g" * 64, b"x"),
                                                   ("blobs/md5/x", b"x"), ("blobs/sha256", b"x")])
    yield "index-over-64-mib", LIMIT, "more than 67108864 bytes", gz(
        archive([version, ("index.json", top + b" " * (65 * MIB)), *blobs]), 1)
    yield "version-over-4-mib", LIMIT, "more than 4194304 bytes", archive(
        [(version[0], version[1] + b" " * (5 * MIB)), index, *blobs])


def rootfs_cases():
    packed = bz2.compress(bytes(16 * MIB))
    yield "good", 0, "", GOOD_TAR
    yield "gzip", 0, "", gz(GOOD_TAR)
    yield "bzip2", 0, "", bz2.compress(GOOD_TAR)
    yield "xz", 0, "", lzma.compress(GOOD_TAR)
    yield "gzip-garbage-behind", MALFORMED, "trailing garbage", gz(GOOD_TAR) + b"garbage"
    yield "bzip2-garbage-behind", MALFORMED, "garbage after the compressed data", bz2.compress(GOOD_TAR) + b"garbage"
    yield "xz-garbage-behind", MALFORMED, "Lzma library error", lzma.compress(GOOD_TAR) + b"garbage"
    yield "gzip-bomb", LIMIT, "expands to more than 1000 times", gzip_bomb(64)
    yield "zstd-bomb", LIMIT, "expands to more than 1000 times", zstd_bomb(8)
    yield "xz-bomb", LIMIT, "expands more than 1000 times", xz_bomb()
    yield "bzip2-bomb", LIMIT, "expands more than 1000 times", bz2.compress(file_header(16 * MIB * 2000)) + packed * 2000
    yield "gzip-in-gzip", MALFORMED, "cut short", gz(gz(GOOD_TAR))
    yield "gzip-in-xz", MALFORMED, "more than once", lzma.compress(gz(GOOD_TAR))
    yield "xz-cut", MALFORMED, "Lzma library error", lzma.compress(GOOD_TAR)[:-10]
    yield "bzip2-cut", MALFORMED, "truncated bzip2 input", bz2.compress(GOOD_TAR)[:-10]
    yield "zstd-window", LIMIT, "window", zstd_raw(GOOD_TAR, window_log=31)
    yield "lzma-alone", MALFORMED, "cut short", lzma.compress(GOOD_TAR, format=lzma.FORMAT_ALONE)
    yield "compress", MALFORMED, "checksum", b"\x1f\x9d\x90" + bytes(600)
    yield "uuencoded", MALFORMED, "checksum", b"begin 644 x.tar\n" + b"M" * 600
    yield "rpm", MALFORMED, "checksum", b"\xed\xab\xee\xdb\3\0" + bytes(600)
    for name, data in FOREIGN:
        yield name, MALFORMED, "zip" if name == "zip" else "checksum", data
        yield name + "-in-bzip2", MALFORMED, "zip" if name == "zip" else "checksum", bz2.compress(data)
    yield "iso", MALFORMED, "data after the end", bytes(32768) + b"\1CD001\1" + bytes(4096)
    yield "empty", MALFORMED, "empty", b""
    yield "1-byte", MALFORMED, "cut short", b"x"


def main():
    out = sys.argv[1]
    os.makedirs(out)
    for kind, cases in (("docker-archive", docker_cases), ("oci-archive", oci_cases), ("rootfs", rootfs_cases)):
        for name, status, word, data in cases():
            path = os.path.join(out, f"{kind}-{name}")
            # Two cases of one name would be one file.
            with open(path, "xb") as f:
                f.write(data)
            print(f"{kind}:{path}", status, word, sep="\t")


if __name__ == "__main__":
    main()
