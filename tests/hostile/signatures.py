#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts hostile signature artifacts beside an image.

Usage: signatures.py list                    prints a line "CASE STATUS WORD", with tabs, for each case
       signatures.py key                     prints the public key that is to be verified with
       signatures.py put CASE STORE DIGEST   makes CASE the signatures of localhost/app:1, which is DIGEST, or of another
                                             image that the name gets; prints the image's digest

STATUS is what `shale verify` must end with, and WORD a part of its message: 6, whatever is wrong with the signatures; what
is wrong with an image that is well signed has a status of its own.
"""
import base64
import json
import os
import sys

from ed25519 import ORDER, SPKI_HEAD, Key
from layout import CONFIG, INDEX, MANIFEST, REF_NAME, sha256

MALFORMED, DIGEST, UNTRUSTED, ABSENT = 3, 5, 6, 8
NAME = "localhost/app:1"
OTHER_DIGEST = "sha256:" + "ab" * 32
PAYLOAD_TYPE = "application/vnd.dev.cosign.simplesigning.v1+json"
SIGNATURE = "dev.cosignproject.cosign/signature"
OURS, THEIRS = Key(b"\1" * 32), Key(b"\2" * 32)


def payload(digest, name=NAME, **more):
    return {
        "critical": {
            "identity": {"docker-reference": name},
            "image": {"docker-manifest-digest": digest},
            "type": "cosign container image signature",
        },
        "optional": None,
        **more,
    }


def text(document):
    return document if isinstance(document, bytes) else json.dumps(document, separators=(",", ":")).encode()


class Artifact:
    """Signatures as layers; `top` changes the manifest at last."""

    def __init__(self, store, digest):
        self.store, self.digest = store, digest
        self.layers = []

    def path(self, digest):
        return os.path.join(self.store, "blobs", *digest.split(":"))

    def put(self, data):
        """Also over what another case left there."""
        path = self.path(sha256(data))
        if os.path.isdir(path):
            os.rmdir(path)
        elif os.path.lexists(path):
            os.unlink(path)
        with open(path, "wb") as f:
            f.write(data)
        return {"digest": sha256(data), "size": len(data)}

    def flip(self, digest):
        with open(self.path(digest), "r+b") as f:
            last = f.read()[-1]
            f.seek(-1, os.SEEK_END)
            f.write(bytes([last ^ 1]))

    def rename(self, entry):
        """The image's name is that of another manifest from now on."""
        path = os.path.join(self.store, "index.json")
        with open(path, encoding="utf-8") as f:
            index = json.load(f)
        next(m for m in index["manifests"] if m["annotations"][REF_NAME] == NAME).update(entry)
        with open(path, "w", encoding="utf-8") as f:
            json.dump(index, f)
        self.digest = entry["digest"]

    def add(self, document, signature=None, spelled=None, kind=PAYLOAD_TYPE, **notes):
        """`signature`: bytes, or made with our key; `spelled`: instead of its base64."""
        data = text(document)
        if spelled is None:
            spelled = base64.b64encode(OURS.sign(data) if signature is None else signature).decode()
        annotations = {**({SIGNATURE: spelled} if spelled is not False else {}), **notes}
        self.layers.append({"mediaType": kind, **self.put(data), "annotations": annotations})
        return self.layers[-1]

    def manifest(self, **more):
        config = {"mediaType": "application/vnd.oci.image.config.v1+json", **self.put(b"{}")}
        return {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": self.layers, **more}

    def finish(self, manifest=None, kind=MANIFEST, size=None):
        path = os.path.join(self.store, "index.json")
        with open(path, encoding="utf-8") as f:
            index = json.load(f)
        tag = "localhost/app:" + self.digest.replace(":", "-") + ".sig"
        entries = [m for m in index["manifests"] if m["annotations"][REF_NAME] != tag]
        if manifest is not False:
            entry = self.put(text(manifest or self.manifest()))
            if size is not None:
                entry["size"] = size
            entries.append({"mediaType": kind, **entry, "annotations": {REF_NAME: tag}})
        index["manifests"] = entries
        with open(path, "w", encoding="utf-8") as f:
            json.dump(index, f)


CASES = {}


def case(name, status, word):
    def add(function):
        CASES[name] = (status, word, function)
        return function

    return add


def one(name, status, word, **signature):
    """One signature over the right payload, with something wrong."""

    @case(name, status, word)
    def write(a):
        a.add(payload(a.digest), **{k: v(a) if callable(v) else v for k, v in signature.items()})
        a.finish()


def said(name, status, word, change):
    """One right signature by our key over another payload."""

    @case("payload-" + name, status, word)
    def write(a):
        a.add(change(a))
        a.finish()


def good_signature(a, **more):
    return OURS.sign(text(payload(a.digest)), **more)


def base64_of(change):
    return lambda a: change(base64.b64encode(good_signature(a)).decode())


@case("none", UNTRUSTED, "no signature")
def none(a):
    a.finish(manifest=False)


one("good", 0, "")
one("of-another-key", UNTRUSTED, "another key", signature=lambda a: THEIRS.sign(text(payload(a.digest))))
one("prehash", UNTRUSTED, "prehash", signature=lambda a: good_signature(a, prehash=True))
one("63-bytes", UNTRUSTED, "another key", signature=lambda a: good_signature(a)[:63])
one("65-bytes", UNTRUSTED, "another key", signature=lambda a: good_signature(a) + b"\0")
one("no-bytes", UNTRUSTED, "another key", signature=b"")
one("a-mebibyte", UNTRUSTED, "base64", signature=bytes(40000))
one("zeros", UNTRUSTED, "another key", signature=bytes(64))
one("small-order-r", UNTRUSTED, "another key", signature=b"\1" + bytes(63))
one("s-plus-order", UNTRUSTED, "another key",
    signature=lambda a: good_signature(a)[:32]
    + (int.from_bytes(good_signature(a)[32:], "little") + ORDER).to_bytes(32, "little"))
one("base64-blank", UNTRUSTED, "base64", spelled=base64_of(lambda t: t[:10] + " " + t[10:]))
one("base64-newline", UNTRUSTED, "base64", spelled=base64_of(lambda t: t + "\n"))
one("base64-no-padding", UNTRUSTED, "base64", spelled=base64_of(lambda t: t.rstrip("=")))
one("base64-url", UNTRUSTED, "base64", spelled=base64_of(lambda t: "-_" + t[2:]))
one("base64-loose-bits", UNTRUSTED, "base64", spelled=base64_of(lambda t: t[:85] + "z=="))
one("base64-empty", UNTRUSTED, "another key", spelled="")
one("not-spelled", UNTRUSTED, "no '", spelled=False)
one("in-another-case", UNTRUSTED, "no '", spelled=False, **{"Dev.cosignproject.cosign/signature": "x"})
one("other-type", UNTRUSTED, "no signature", kind="application/vnd.dsse.envelope.v1+json")
one("type-with-parameter", UNTRUSTED, "no signature", kind=PAYLOAD_TYPE + ";x=y")
# A log, a certificate, a chain: nobody looks at them, and nobody says that he did.
one("forged-bundle", 0, "", **{"dev.sigstore.cosign/bundle": '{"SignedEntryTimestamp":"AAAA","Payload":{}}',
                               "dev.sigstore.cosign/certificate": "-----BEGIN CERTIFICATE-----\n"})

said("of-another-image", UNTRUSTED, "another image", lambda a: payload(OTHER_DIGEST))
said("of-another-name", UNTRUSTED, "localhost/other:1", lambda a: payload(a.digest, "localhost/other:1"))
said("of-another-tag", UNTRUSTED, "localhost/app:2", lambda a: payload(a.digest, "localhost/app:2"))
said("of-another-host", UNTRUSTED, "docker.io", lambda a: payload(a.digest, "docker.io/app:1"))
said("without-tag", UNTRUSTED, "'localhost/app'", lambda a: payload(a.digest, "localhost/app"))
said("without-name", UNTRUSTED, "signed as ''", lambda a: payload(a.digest, ""))
said("unknown-member", UNTRUSTED, "members", lambda a: payload(a.digest, extra=1))
said("optional-text", UNTRUSTED, "'optional'", lambda a: {**payload(a.digest), "optional": "x"})
said("creator", 0, "", lambda a: {**payload(a.digest), "optional": {"creator": "x", "timestamp": 1}})
said("other-type", UNTRUSTED, "atomic", lambda a: critical(a, type="atomic container signature"))
said("digest-upper-case", UNTRUSTED, "no digest", lambda a: payload(a.digest.upper()))
said("digest-a-number", UNTRUSTED, "not a string", lambda a: payload(1))
said("not-json", UNTRUSTED, "JSON", lambda a: b"\x00\x01\x02")
said("trailing", UNTRUSTED, "garbage", lambda a: text(payload(a.digest)) + b"x")
said("two", UNTRUSTED, "garbage", lambda a: text(payload(OTHER_DIGEST)) + text(payload(a.digest)))
said("key-twice", UNTRUSTED, "duplicate",
     lambda a: b'{"critical":{},' + text(payload(a.digest))[1:])
said("digest-twice", UNTRUSTED, "duplicate", lambda a: text(payload(a.digest)).replace(
    b'"docker-manifest-digest"', b'"docker-manifest-digest":"' + OTHER_DIGEST.encode() + b'","docker-manifest-digest"'))
said("deep", UNTRUSTED, "nested", lambda a: b'{"critical":' + b"[" * 100000 + b"]" * 100000 + b"}")
said("empty", UNTRUSTED, "JSON", lambda a: b"")


def critical(a, **more):
    document = payload(a.digest)
    document["critical"].update(more)
    return document


@case("63-bad-then-good", 0, "")
def many_then_good(a):
    for i in range(63):
        a.add(payload(a.digest, f"localhost/app:{i}x"), signature=bytes([i]) * 64)
    a.add(payload(a.digest))
    a.finish()


@case("64-bad-then-good", UNTRUSTED, "first 64")
def too_many_then_good(a):
    for i in range(64):
        a.add(payload(a.digest, f"localhost/app:{i}x"), signature=bytes([i]) * 64)
    a.add(payload(a.digest))
    a.finish()


@case("511-bad-then-good", UNTRUSTED, "first 64")
def most_then_good(a):
    for i in range(511):
        a.add(payload(a.digest, f"localhost/app:{i}x"), signature=bytes([i % 256]) * 64)
    a.add(payload(a.digest))
    a.finish()


@case("1000-bad-then-good", UNTRUSTED, "512")
def more_than_layers(a):
    a.add(payload(a.digest), signature=bytes(64))
    a.layers *= 1000
    a.add(payload(a.digest))
    a.finish()


@case("20000-signatures", UNTRUSTED, "4194304")
def far_too_many(a):
    a.add(payload(a.digest))
    a.layers *= 20000
    a.finish()


@case("payload-of-1-tib", UNTRUSTED, "4194304")
def promised_size(a):
    a.add(payload(a.digest))["size"] = 1 << 40
    a.finish()


@case("payload-of-5-mib", UNTRUSTED, "4194304")
def big_payload(a):
    a.add(text(payload(a.digest)) + b" " * (5 << 20))
    a.finish()


@case("payload-size-less", UNTRUSTED, " bytes, not ")
def lying_size(a):
    a.add(payload(a.digest))["size"] -= 1
    a.finish()


@case("payload-not-there", UNTRUSTED, "not in the store")
def missing_payload(a):
    a.add(payload(a.digest))["digest"] = OTHER_DIGEST
    a.finish()


@case("payload-digest-traversal", UNTRUSTED, "not a digest")
def climbing_payload(a):
    a.add(payload(a.digest))["digest"] = "sha256:../../../canary/victim"
    a.finish()


@case("artifact-is-garbage", UNTRUSTED, "JSON")
def garbage(a):
    a.finish(b"garbage")


@case("artifact-is-an-index", UNTRUSTED, "no OCI manifest")
def index_artifact(a):
    a.add(payload(a.digest))
    inner = {"mediaType": MANIFEST, **a.put(text(a.manifest()))}
    a.finish({"schemaVersion": 2, "mediaType": INDEX, "manifests": [inner]}, kind=INDEX)


@case("artifact-without-layers", UNTRUSTED, "no signature")
def empty_artifact(a):
    a.finish()


@case("artifact-of-5-mib", UNTRUSTED, "4194304")
def big_artifact(a):
    a.add(payload(a.digest))
    a.finish(text(a.manifest()) + b" " * (5 << 20))


@case("artifact-of-1-tib", UNTRUSTED, "4194304")
def promised_artifact(a):
    a.add(payload(a.digest))
    a.finish(size=1 << 40)


@case("artifact-of-the-image", UNTRUSTED, "no signature")
def image_as_artifact(a):
    """The image itself under the tag of its signatures."""
    with open(a.path(a.digest), "rb") as f:
        a.finish(f.read())


@case("artifact-not-there", UNTRUSTED, "not in the store")
def missing_artifact(a):
    a.add(payload(a.digest))
    a.finish()
    os.unlink(a.path(sha256(text(a.manifest()))))


@case("artifact-flipped", UNTRUSTED, "another digest")
def flipped_artifact(a):
    a.add(payload(a.digest))
    a.finish()
    a.flip(sha256(text(a.manifest())))


@case("payload-flipped", UNTRUSTED, "another digest")
def flipped_payload(a):
    layer = a.add(payload(a.digest))
    a.finish()
    a.flip(layer["digest"])


@case("payload-flipped-then-good", 0, "")
def flipped_then_good(a):
    layer = a.add({**payload(a.digest), "optional": {"creator": "x"}})
    a.add(payload(a.digest))
    a.finish()
    a.flip(layer["digest"])


@case("payload-a-link", UNTRUSTED, "not a regular file")
def linked_payload(a):
    layer = a.add({**payload(a.digest), "optional": {"creator": "link"}})
    a.finish()
    path = a.path(layer["digest"])
    os.rename(path, path + ".moved")
    os.symlink(path + ".moved", path)


@case("artifact-a-directory", UNTRUSTED, "not a regular file")
def directory_artifact(a):
    a.add(payload(a.digest))
    a.finish()
    path = a.path(sha256(text(a.manifest())))
    os.unlink(path)
    os.mkdir(path)


def image(name, status, word, change):
    """Another image under the name, well signed: `change` gets its manifest and its config."""

    @case("image-" + name, status, word)
    def write(a):
        with open(a.path(a.digest), encoding="utf-8") as f:
            manifest = json.load(f)
        with open(a.path(manifest["config"]["digest"]), encoding="utf-8") as f:
            config = json.load(f)
        document = change(a, manifest, config)
        if document is None:
            manifest["config"] = {"mediaType": CONFIG, **a.put(text(config))}
            document = manifest
        a.rename(a.put(text(document)))
        a.add(payload(a.digest))
        a.finish()


def diff_ids(change):
    return lambda a, manifest, config: change(config["rootfs"]["diff_ids"])


image("as-it-is", 0, "", lambda a, manifest, config: None)
image("diff-id-too-few", DIGEST, "names 0 layers", diff_ids(lambda ids: ids.clear()))
image("diff-id-too-many", DIGEST, "names 2 layers", diff_ids(lambda ids: ids.append(OTHER_DIGEST)))
image("diff-id-wrong", DIGEST, "another diff_id", diff_ids(lambda ids: ids.__setitem__(0, OTHER_DIGEST)))
image("layer-not-there", ABSENT, "not in the store",
      lambda a, manifest, config: manifest["layers"][0].update(digest=OTHER_DIGEST))
image("layer-size-more", DIGEST, " bytes, not ",
      lambda a, manifest, config: manifest["layers"][0].update(size=manifest["layers"][0]["size"] + 1))
image("config-malformed", MALFORMED, "image config", lambda a, manifest, config: config.clear())
image("not-json", MALFORMED, "JSON", lambda a, manifest, config: b"garbage")


def main():
    if sys.argv[1] == "list":
        for name, (status, word, _) in CASES.items():
            print(name, status, word, sep="\t")
    elif sys.argv[1] == "key":
        body = base64.b64encode(SPKI_HEAD + OURS.public).decode()
        print(f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----")
    else:
        name, store, digest = sys.argv[2:]
        artifact = Artifact(store, digest)
        artifact.rename({"digest": digest, "size": os.path.getsize(artifact.path(digest))})
        CASES[name][2](artifact)
        print(artifact.digest)


if __name__ == "__main__":
    main()
