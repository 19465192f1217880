#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes image layouts whose documents are hostile.

Usage: documents.py DIR

DIR/CASE is a layout for each case.  Prints a line "CASE STATUS WORD", with tabs, for each: what
`shale import` must end with, and a part of its message.
"""
import itertools
import json
import os
import sys

from layout import CONFIG, GOOD_TAR, INDEX, LAYER, MANIFEST, REF_NAME, Layout, sha256

MALFORMED, LIMIT, DIGEST, USAGE, ABSENT = 3, 4, 5, 2, 8
DEEP = b"[" * 1000000 + b"]" * 1000000

cases = []


def case(name, status, word):
    """The decorated function writes the case to the layout that it gets, which it must finish."""

    def add(function):
        cases.append((name, status, word, function))
        return function

    return add


def good(layout):
    """Config, layer descriptor and manifest of an image that is all right."""
    config = layout.config([sha256(GOOD_TAR)])
    layer = layout.descriptor(LAYER, GOOD_TAR)
    return config, layer, layout.manifest(config, [layer])


def with_manifest(name, status, word, change):
    """`change` gets layout, manifest (a dict) and returns what is stored as the manifest."""

    @case("manifest-" + name, status, word)
    def write(layout):
        _, _, manifest = good(layout)
        layout.finish(layout.descriptor(MANIFEST, change(layout, manifest)))


def with_config(name, status, word, change):
    @case("config-" + name, status, word)
    def write(layout):
        config, layer, _ = good(layout)
        manifest = layout.manifest(change(config), [layer])
        layout.finish(layout.descriptor(MANIFEST, manifest))


def with_index(name, status, word, change):
    """`change` gets layout, index.json (a dict) and returns what is stored as index.json."""

    @case("layout-index-" + name, status, word)
    def write(layout):
        _, _, manifest = good(layout)
        top = {"schemaVersion": 2, "manifests": [layout.descriptor(MANIFEST, manifest)]}
        layout.finish(None, index=change(layout, top))


def with_descriptor(name, status, word, change):
    """Of the manifest, in index.json."""

    @case("descriptor-" + name, status, word)
    def write(layout):
        _, _, manifest = good(layout)
        top = layout.descriptor(MANIFEST, manifest)
        layout.finish(change(layout, top))


def many(count):
    return b"".join(b',"%x":0' % i for i in range(count))


def flood(pair):
    """65536 keys of 32 bytes; they are one to a hash that is N times what was before plus the next byte, if PAIR is."""
    return b"".join(b',"%s":0' % "".join(key).encode() for key in itertools.product(pair, repeat=16))


def texts():
    """What no document may be, as text."""
    yield "deep", LIMIT, "deep", lambda t: t[:-1] + b',"x":' + DEEP + b"}"
    yield "deep-objects", LIMIT, "deep", lambda t: t[:-1] + b',"x":' + b'{"a":' * 100000
    yield "many-values", LIMIT, "values", lambda t: t[:-1] + b',"x":[' + b"0," * 600000 + b"0]}"
    yield "key-twice", MALFORMED, "uplicate", lambda t: t[:-1] + b',"x":1,"x":1}'
    yield "key-twice-deep", MALFORMED, "uplicate", lambda t: t[:-1] + b',"x":{"y":[{"a":1,"a":2}]}}'
    yield "300000-members", 0, "", lambda t: t[:-1] + many(300000) + b"}"
    yield "300000-members-and-one-twice", MALFORMED, "uplicate", lambda t: t[:-1] + many(300000) + b',"7":0}'
    yield "65536-members-of-one-hash-31", 0, "", lambda t: t[:-1] + flood(("Aa", "BB")) + b"}"
    yield "65536-members-of-one-hash-33", 0, "", lambda t: t[:-1] + flood(("Ab", "BA")) + b"}"
    yield "unknown-members", 0, "", lambda t: t[:-1] + b',"x":{"y":[1,2,{"z":null}]}}'
    yield "not-utf8", MALFORMED, "invalid UTF-8", lambda t: t[:-1] + b',"x":"\xff\xfe"}'
    yield "overlong-utf8", MALFORMED, "invalid UTF-8", lambda t: t[:-1] + b',"x":"\xc0\xaf"}'
    yield "lone-surrogate", MALFORMED, "syntax error", lambda t: t[:-1] + b',"x":"\\ud800"}'
    yield "surrogate-in-utf8", MALFORMED, "invalid UTF-8", lambda t: t[:-1] + b',"x":"\xed\xa0\x80"}'
    yield "byte-order-mark", MALFORMED, "byte order mark", lambda t: b"\xef\xbb\xbf" + t
    yield "nul-escape", MALFORMED, "NUL character", lambda t: t[:-1] + b',"x":"a\\u0000b"}'
    yield "nul-escape-in-key", MALFORMED, "NUL character", lambda t: t[:-1] + b',"x\\u0000":1}'
    yield "nul-byte", MALFORMED, "syntax error", lambda t: t[:-1] + b',"x":"a\x00b"}'
    yield "trailing-garbage", MALFORMED, "garbage after the document", lambda t: t + b"x"
    yield "two-documents", MALFORMED, "garbage after the document", lambda t: t + t
    yield "cut-short", MALFORMED, "unexpected end", lambda t: t[:-1]
    yield "empty", MALFORMED, "unexpected end", lambda t: b""
    yield "an-array", MALFORMED, "object", lambda t: b"[" + t + b"]"
    yield "a-string", MALFORMED, "syntax error", lambda t: b'"manifest"'
    yield "single-quotes", MALFORMED, "syntax error", lambda t: t.replace(b'"', b"'")
    yield "comment", MALFORMED, "syntax error", lambda t: b"/* */" + t
    yield "huge-number", MALFORMED, "out of range", lambda t: t[:-1] + b',"x":1e400}'
    yield "long-number", MALFORMED, "out of range", lambda t: t[:-1] + b',"x":' + b"9" * 5000 + b"}"
    yield "leading-zero", MALFORMED, "syntax error", lambda t: t[:-1] + b',"x":010}'


def of_text(change):
    return lambda document: change(json.dumps(document).encode())


for suffix, code, part, edit in texts():
    with_manifest(suffix, code, part, lambda _, m, f=of_text(edit): f(m))
    with_config(suffix, code, part, of_text(edit))
    with_index(suffix, code, part, lambda _, top, f=of_text(edit): f(top))

# Sizes, before anything of that size is read.
PAD = b" " * (4 * 1024 * 1024)
with_manifest("over-4-mib", LIMIT, "4194304", lambda _, m: json.dumps(m).encode() + PAD)
with_config("over-4-mib", LIMIT, "4194304", lambda c: json.dumps(c).encode() + PAD)
with_index("over-64-mib", LIMIT, "index.json: more than 67108864 bytes", lambda _, t: json.dumps(t).encode() + PAD * 16)


@case("oci-layout-of-1-gib", LIMIT, "oci-layout: more than 4194304 bytes")
def huge_version(layout):
    layout.finish(layout.image([(LAYER, GOOD_TAR, GOOD_TAR)]))
    os.truncate(os.path.join(layout.path, "oci-layout"), 1 << 30)


@case("index-json-of-1-gib", LIMIT, "index.json: more than 67108864 bytes")
def huge_index(layout):
    layout.finish(layout.image([(LAYER, GOOD_TAR, GOOD_TAR)]))
    os.truncate(os.path.join(layout.path, "index.json"), 1 << 30)


@case("manifest-of-1-gib", LIMIT, "more than 4194304 bytes")
def huge_manifest(layout):
    top = layout.image([(LAYER, GOOD_TAR, GOOD_TAR)])
    os.truncate(layout.blob(top["digest"]), 1 << 30)
    top["size"] = 1 << 30
    layout.finish(top)


@case("config-of-1-gib", LIMIT, "config of more than 4194304 bytes")
def huge_config(layout):
    config, layer, _ = good(layout)
    manifest = layout.manifest(config, [layer])
    os.truncate(layout.blob(manifest["config"]["digest"]), 1 << 30)
    manifest["config"]["size"] = 1 << 30
    layout.finish(layout.descriptor(MANIFEST, manifest))


def with_size(index, number):
    index["manifests"][0]["size"] = "here"
    return json.dumps(index).encode().replace(b'"here"', number)


# Members that are sizes.
for suffix, number, part in (
    ("negative", b"-1", "'size' is -1"),
    ("2^63", b"9223372036854775808", "out of range"),
    ("2^64", b"18446744073709551616", "out of range"),
    ("fraction", b"1.5", "not an integer"),
    ("whole-fraction", b"500.0", "not an integer"),
    ("exponent", b"5e2", "not an integer"),
    ("1e400", b"1e400", "out of range"),
    ("leading-zero", b"0500", "syntax error"),
    ("string", b'"500"', "not an integer"),
    ("null", b"null", "'size' is missing"),
    ("true", b"true", "not an integer"),
    ("array", b"[500]", "not an integer"),
    ("hex", b"0x10", "syntax error"),
    ("minus-leading-zero", b"-01", "syntax error"),
):
    with_index("size-" + suffix, MALFORMED, part, lambda _, top, n=number: with_size(top, n))
# To JSON it is an integer, and 0.
with_index("size-minus-0", DIGEST, "bytes, not 0", lambda _, top: with_size(top, b"-0"))
with_descriptor("size-missing", MALFORMED, "size", lambda _, t: {k: t[k] for k in t if k != "size"})
with_descriptor("size-smaller", DIGEST, "bytes", lambda _, t: {**t, "size": t["size"] - 1})
with_descriptor("size-larger", DIGEST, "bytes", lambda _, t: {**t, "size": t["size"] + 1})
with_descriptor("size-0", DIGEST, "bytes", lambda _, t: {**t, "size": 0})
with_descriptor("size-2^63-1", LIMIT, "more than 4194304 bytes", lambda _, t: {**t, "size": 2**63 - 1})

# Digests, before any becomes a path.
HEX = "0123456789abcdef" * 4
for suffix, digest, word in (
    ("traversal", "sha256:../../../../../../etc/passwd", "digest"),
    ("traversal-64", "sha256:" + ("../" * 22)[:64], "digest"),
    ("canary", "sha256:../../../canary/victim", "digest"),
    ("63-digits", "sha256:" + HEX[:63], "digest"),
    ("65-digits", "sha256:" + HEX + "0", "digest"),
    ("upper-case", "sha256:" + HEX.upper(), "digest"),
    ("upper-case-algorithm", "SHA256:" + HEX, "digest"),
    ("sha512-short", "sha512:" + HEX, "digest"),
    ("sha512-empty", "sha512:", "digest"),
    ("md5", "md5:d41d8cd98f00b204e9800998ecf8427e", "digest"),
    ("sha1", "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709", "digest"),
    ("no-algorithm", HEX, "digest"),
    ("empty", "", "digest"),
    ("blank-behind", "sha256:" + HEX + " ", "digest"),
    ("newline-behind", "sha256:" + HEX + "\n", "digest"),
    ("slash", "sha256/" + HEX, "digest"),
    ("dots", "..:" + HEX, "digest"),
    ("two-colons", "sha256:sha256:" + HEX[:57], "digest"),
):
    with_descriptor("digest-" + suffix, MALFORMED, word, lambda _, t, d=digest: {**t, "digest": d})
with_descriptor("digest-missing", MALFORMED, "digest", lambda _, t: {**t, "digest": None})
with_descriptor("digest-of-another", DIGEST, "another digest", lambda lay, t: wrong_content(lay, t))
with_descriptor("digest-of-nothing", MALFORMED, "not in the layout", lambda _, t: {**t, "digest": "sha256:" + HEX})


def wrong_content(layout, top):
    path = layout.blob(top["digest"])
    with open(path, "r+b") as f:
        f.seek(top["size"] // 2)
        byte = f.read(1)[0]
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([byte ^ 1]))
    return top


# Documents that are two things at once.
with_manifest("and-index", MALFORMED, "manifests", lambda _, m: {**m, "manifests": []})
with_manifest("of-docker-1", MALFORMED, "fsLayers", lambda _, m: {**m, "fsLayers": [], "history": []})
with_manifest("schema-1", MALFORMED, "schemaVersion", lambda _, m: {**m, "schemaVersion": 1})
with_manifest("other-type", MALFORMED, "mediaType", lambda _, m: {**m, "mediaType": INDEX})
with_manifest("other-case", MALFORMED, "spelled", lambda _, m: {**m, "Layers": []})
with_manifest("both-cases", MALFORMED, "spelled", lambda _, m: {**m, "LAYERS": m["layers"]})
with_manifest("type-is-a-number", MALFORMED, "mediaType", lambda _, m: {**m, "mediaType": 2})
with_manifest("no-config", MALFORMED, "config", lambda _, m: {k: m[k] for k in m if k != "config"})
with_manifest("config-is-a-layer", MALFORMED, "artifact", lambda _, m: {**m, "config": m["layers"][0]})
with_manifest("layer-is-a-config", MALFORMED, "type", lambda _, m: {**m, "layers": [m["config"]]})
with_manifest("layers-is-an-object", MALFORMED, "layers", lambda _, m: {**m, "layers": {"a": 1}})
with_manifest("layers-are-strings", MALFORMED, "must be an object", lambda _, m: {**m, "layers": ["a", "b"]})
with_manifest("513-layers", LIMIT, "512", lambda _, m: {**m, "layers": m["layers"] * 513})
with_manifest("10000-layers", LIMIT, "512", lambda _, m: {**m, "layers": m["layers"] * 10000})
with_manifest("annotation-65-kib", LIMIT, "annotations", lambda _, m: {**m, "annotations": {"a": "b" * 66000}})
with_manifest("annotation-number", MALFORMED, "annotations", lambda _, m: {**m, "annotations": {"a": 1}})
with_manifest("10000-annotations", 0, "", lambda _, m: {**m, "annotations": {str(i): "" for i in range(10000)}})
with_manifest("foreign-urls", 0, "", lambda _, m: with_urls(m))
# Whose blob is there is read; whose is not is fetched from nowhere.
for suffix in ("oci.image.layer.nondistributable.v1.tar", "docker.image.rootfs.foreign.diff.tar"):
    for there, code, part in ((True, 0, ""), (False, MALFORMED, "layer 1, which is not distributable: 'blobs/")):
        with_manifest(f"{suffix}-{'there' if there else 'missing'}", code, part,
                      lambda lay, m, s=suffix, t=there: with_foreign(lay, m, "application/vnd." + s, t))


def with_foreign(layout, manifest, kind, is_there):
    if not is_there:
        os.unlink(layout.blob(manifest["layers"][0]["digest"]))
    return {**manifest, "layers": [{**with_urls(manifest)["layers"][0], "mediaType": kind}]}


def with_urls(manifest):
    layer = {**manifest["layers"][0], "urls": ["http://127.0.0.1:1/x", "file:///etc/passwd"]}
    return {**manifest, "layers": [layer]}


@case("manifest-announced-as-index", MALFORMED, "'config' belongs to another kind")
def manifest_as_index(layout):
    _, _, manifest = good(layout)
    layout.finish(layout.descriptor(INDEX, manifest))


@case("index-announced-as-manifest", MALFORMED, "'manifests' belongs to another kind")
def index_as_manifest(layout):
    _, _, manifest = good(layout)
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [layout.descriptor(MANIFEST, manifest)]}
    layout.finish(layout.descriptor(MANIFEST, index))


@case("blob-announced-as-manifest", MALFORMED, "syntax error")
def layer_as_manifest(layout):
    layout.finish(layout.descriptor(MANIFEST, GOOD_TAR))


@case("layer-at-the-top", ABSENT, "no image")
def layer_at_top(layout):
    layout.finish(layout.descriptor(LAYER, GOOD_TAR))


@case("image-of-no-layers", 0, "")
def no_layers(layout):
    layout.finish(layout.descriptor(MANIFEST, layout.manifest(layout.config([]), [])))


# Configs and layers that do not fit together.
with_config("no-diff-ids", DIGEST, "diff_ids", lambda c: {**c, "rootfs": {"type": "layers", "diff_ids": []}})
with_config("two-diff-ids", DIGEST, "diff_ids", lambda c: with_diff_ids(c, c["rootfs"]["diff_ids"] * 2))
with_config("513-diff-ids", LIMIT, "512", lambda c: with_diff_ids(c, c["rootfs"]["diff_ids"] * 513))
with_config("wrong-diff-id", DIGEST, "diff_id", lambda c: with_diff_ids(c, ["sha256:" + HEX]))
with_config("diff-id-traversal", MALFORMED, "diff_id", lambda c: with_diff_ids(c, ["sha256:../../x"]))
with_config("diff-id-number", MALFORMED, "diff_id", lambda c: with_diff_ids(c, [1]))
with_config("no-rootfs", MALFORMED, "rootfs", lambda c: {k: c[k] for k in c if k != "rootfs"})
with_config("rootfs-other-type", MALFORMED, "rootfs", lambda c: {**c, "rootfs": {**c["rootfs"], "type": "x"}})
with_config("no-os", MALFORMED, "os", lambda c: {k: c[k] for k in c if k != "os"})
with_config("os-with-slash", MALFORMED, "os '../../x'", lambda c: {**c, "os": "../../x"})
with_config("env-number", MALFORMED, "Env", lambda c: {**c, "config": {"Env": [1]}})
with_config("volumes-array", MALFORMED, "Volumes", lambda c: {**c, "config": {"Volumes": ["/x"]}})
# What only a runtime would act on is data.
with_config("hostile-values", 0, "", lambda c: {**c, "config": {
    "User": "0:0;reboot", "WorkingDir": "/proc/self/fd/7", "Env": ["LD_PRELOAD=/x", "=", "A"],
    "Volumes": {"../../..": {}, "": {}}, "Entrypoint": ["/bin/sh", "-c", "reboot"],
    "Cmd": ["\x1b[2J"], "Labels": {"\x1b]0;x\x07": "\r\n"}}})


def with_diff_ids(config, diff_ids):
    return {**config, "rootfs": {"type": "layers", "diff_ids": diff_ids}}


# Indexes.
@case("index-in-index", MALFORMED, "index inside")
def nested_index(layout):
    _, _, manifest = good(layout)
    top = layout.descriptor(MANIFEST, manifest)
    for _ in range(3):
        top = layout.descriptor(INDEX, {"schemaVersion": 2, "mediaType": INDEX, "manifests": [top]})
    layout.finish(top)


@case("index-1001-manifests", LIMIT, "1000")
def wide_index(layout):
    _, _, manifest = good(layout)
    entry = layout.descriptor(MANIFEST, manifest)
    layout.finish(layout.descriptor(INDEX, {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry] * 1001}))


@case("index-empty", MALFORMED, "no image")
def empty_index(layout):
    layout.finish(layout.descriptor(INDEX, {"schemaVersion": 2, "mediaType": INDEX, "manifests": []}))


@case("index-and-manifest", MALFORMED, "'layers' belongs to another kind")
def index_with_layers(layout):
    _, layer, manifest = good(layout)
    entry = layout.descriptor(MANIFEST, manifest)
    document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry], "layers": [layer]}
    layout.finish(layout.descriptor(INDEX, document))


@case("layout-of-nothing", ABSENT, "no image")
def nothing(layout):
    layout.finish(None, index={"schemaVersion": 2, "manifests": []})


@case("one-name-for-two", USAGE, "several")
def two_images(layout):
    _, layer, manifest = good(layout)
    tops = []
    for author in ("a", "b"):
        config = {**layout.config([sha256(GOOD_TAR)]), "author": author}
        top = layout.descriptor(MANIFEST, layout.manifest(config, [layer]))
        tops.append({**top, "annotations": {REF_NAME: "same"}})
    layout.finish(None, index={"schemaVersion": 2, "manifests": tops})


with_index("schema-3", MALFORMED, "schemaVersion", lambda _, t: {**t, "schemaVersion": 3})
with_index("no-manifests", MALFORMED, "manifests", lambda _, t: {"schemaVersion": 2})
with_index("manifests-object", MALFORMED, "manifests", lambda _, t: {**t, "manifests": {}})

for suffix, code, text in (
    ("version-2", MALFORMED, b'{"imageLayoutVersion":"2.0.0"}'),
    ("version-number", MALFORMED, b'{"imageLayoutVersion":1}'),
    ("no-version", MALFORMED, b"{}"),
    ("twice", MALFORMED, b'{"imageLayoutVersion":"1.0.0","imageLayoutVersion":"1.0.0"}'),
    ("deep", LIMIT, b'{"imageLayoutVersion":' + DEEP + b"}"),
    ("garbage", MALFORMED, b"1.0.0"),
    ("empty", MALFORMED, b""),
):

    @case("oci-layout-" + suffix, code, "oci-layout")
    def version_file(layout, content=text):
        layout.finish(layout.image([(LAYER, GOOD_TAR, GOOD_TAR)]), version=content)


def main():
    out = sys.argv[1]
    for name, status, word, function in cases:
        layout = Layout(os.path.join(out, name))
        function(layout)
        print(f"{name}\t{status}\t{word}")


if __name__ == "__main__":
    main()
