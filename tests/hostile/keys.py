#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes hostile key files.

Usage: keys.py DIR PASSPHRASE-FILE PUBLIC-KEY

PUBLIC-KEY is an Ed25519 key that is all right.  DIR/CASE.pub and DIR/CASE.key are written; prints a line
"FILE STATUS WORD", with tabs, for each: what `shale verify --key FILE.pub` and `shale sign --key FILE.key` must end
with, and a part of the message.
"""
import base64
import json
import os
import sys

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from ed25519 import (  # noqa: E402
    BASE,
    P,
    PKCS8_HEAD,
    SPKI_HEAD,
    SQRT_MINUS_1,
    Key,
    add,
    decode_point,
    encode as encode_point,
    multiply,
)
from keyfile import COSIGN, encode, pem  # noqa: E402

MALFORMED, LIMIT, UNTRUSTED = 3, 4, 6
PUBLIC = "PUBLIC KEY"
SEED = b"\5" * 32
SALT, NONCE = b"\6" * 32, b"\7" * 24
EC_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
# Points of order 8; the others of small order are 0, 1 and -1 as y, and what is the same modulo P.
ORDER_8 = (
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
)


def spki(point):
    return pem(PUBLIC, SPKI_HEAD + point)


def little(y, sign=0):
    return (y | sign << 255).to_bytes(32, "little")


def public_keys(good):
    """(name, status, word, text)"""
    yield "good", 0, "", good
    yield "crlf", 0, "", good.replace("\n", "\r\n")
    yield "no-newline", 0, "", good.rstrip("\n")

    for name, y in (("0", 0), ("1", 1), ("minus-1", P - 1), ("p", P), ("p-plus-1", P + 1)):
        for sign in (0, 1):
            word = "canonical" if y >= P else "small order"
            yield f"small-order-{name}-{sign}", MALFORMED, word, spki(little(y, sign))
    for at, point in enumerate(ORDER_8):
        raw = int.from_bytes(bytes.fromhex(point), "little")
        for sign in (0, 1):
            yield f"small-order-8-{at}-{sign}", MALFORMED, "small order", spki(little(raw, sign))
    yield "not-canonical", MALFORMED, "canonical", spki(little(P + 3))
    yield "not-a-point", MALFORMED, "no point", spki(little(2))
    # A good key and a point of small order added up: it is on the curve, and not in the group that keys are from.
    key = Key(SEED)
    for order, point in (("2", (0, P - 1)), ("4", (SQRT_MINUS_1, 0)), ("8", decode_point(bytes.fromhex(ORDER_8[0])))):
        mixed = encode_point(add(multiply(key.scalar, BASE), (*point, 1, point[0] * point[1] % P)))
        yield f"mixed-order-{order}", MALFORMED, "small order", spki(mixed)
    yield "31-bytes", MALFORMED, "not in DER", pem(PUBLIC, SPKI_HEAD + b"\1" * 31)
    yield "33-bytes", MALFORMED, "not in DER", pem(PUBLIC, SPKI_HEAD + b"\1" * 33)
    yield "der-trailing", MALFORMED, "not in DER", pem(PUBLIC, SPKI_HEAD + key.public + b"x")
    yield "der-indefinite", MALFORMED, "not in DER", pem(PUBLIC, b"\x30\x80" + SPKI_HEAD[2:] + key.public + b"\0\0")
    yield "der-long-length", MALFORMED, "not in DER", pem(PUBLIC, b"\x30\x81\x2a" + SPKI_HEAD[2:] + key.public)
    yield "der-length-2^31", MALFORMED, "not in DER", pem(PUBLIC, b"\x30\x84\x80\0\0\0" + SPKI_HEAD[2:] + key.public)
    yield "p256-infinity", MALFORMED, "not in DER", pem(PUBLIC, EC_HEAD[:1] + b"\x19" + EC_HEAD[2:-3] + b"\x02\0\0")
    yield "p256-not-on-curve", MALFORMED, "no point", pem(PUBLIC, EC_HEAD + b"\4" + b"\1" * 64)
    yield "p256-coordinates-over-p", MALFORMED, "no point", pem(PUBLIC, EC_HEAD + b"\4" + b"\xff" * 64)

    yield "two-blocks", MALFORMED, "more than one", good + good
    yield "text-before", MALFORMED, "does not begin", "key:\n" + good
    yield "text-behind", MALFORMED, "text after", good + "key\n"
    yield "headers", MALFORMED, "has headers", good.replace("KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\n\n", 1)
    yield "other-label", MALFORMED, "RSA", good.replace("PUBLIC", "RSA PUBLIC")
    yield "certificate", MALFORMED, "CERTIFICATE", good.replace("PUBLIC KEY", "CERTIFICATE")
    yield "other-end", MALFORMED, "does not end", good.replace("END PUBLIC", "END PRIVATE")
    yield "no-end", MALFORMED, "no end", "\n".join(good.split("\n")[:2])
    yield "not-base64", MALFORMED, "base64", "-----BEGIN PUBLIC KEY-----\n????\n-----END PUBLIC KEY-----\n"
    yield "empty-block", MALFORMED, "is empty", "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"
    yield "empty", MALFORMED, "empty", ""
    yield "nul", MALFORMED, "does not begin", good.replace("\n", "\0", 1)
    yield "binary", MALFORMED, "does not begin", "\x7fELF\0\0\0"
    yield "10-mib", LIMIT, "65536", good + "\n" * (10 << 20)
    yield "10-mib-of-base64", LIMIT, "65536", "-----BEGIN PUBLIC KEY-----\n" + "A" * (10 << 20)


def document(**changes):
    """What is in a private key file, with members changed: "kdf.params.N" is a path."""
    box = encode(PKCS8_HEAD + SEED, open(sys.argv[2], "rb").read(), SALT, NONCE)
    out = json.loads(base64.b64decode("".join(box.split("\n")[1:-2])))
    for path, value in changes.items():
        at = out
        *heads, last = path.split(".")
        for head in heads:
            at = at[head]
        if value is None:
            del at[last]
        else:
            at[last] = value
    return out


def private_keys():
    passphrase = open(sys.argv[2], "rb").read()

    def encrypted(pkcs8):
        return encode(pkcs8, passphrase, SALT, NONCE)

    def changed(path, value):
        return pem(COSIGN, json.dumps(document(**{path: value})).encode())

    whole = encrypted(PKCS8_HEAD + SEED)
    yield "good", 0, "", whole
    yield "crlf", 0, "", whole.replace("\n", "\r\n")
    yield "no-newline", 0, "", whole.rstrip("\n")
    yield "two-blocks", MALFORMED, "more than one", whole + whole
    yield "headers", MALFORMED, "has headers", whole.replace("KEY-----\n", "KEY-----\nDEK-Info: AES-256-CBC\n\n", 1)
    yield "10-mib", LIMIT, "65536", whole + "\n" * (10 << 20)
    # What scrypt would ask for is looked at before it is asked.
    for n in (1 << 30, 1 << 62, 1 << 14, 0, 1, 32767, 1 << 18):
        yield f"scrypt-n-{n}", MALFORMED, "scrypt parameters", changed("kdf.params.N", n)
    for name, n, word in (("negative", -32768, "not from 0"), ("fraction", 1.5, "not an integer"),
                          ("text", "32768", "not an integer")):
        yield f"scrypt-n-{name}", MALFORMED, word, changed("kdf.params.N", n)
    for r in (1000000, 0, 1 << 62, 16):
        yield f"scrypt-r-{r}", MALFORMED, "scrypt parameters", changed("kdf.params.r", r)
    for p in (1000000, 0, 2):
        yield f"scrypt-p-{p}", MALFORMED, "scrypt parameters", changed("kdf.params.p", p)
    for size in (0, 16, 31, 33, 3000):
        yield f"salt-{size}", MALFORMED, "salt", changed("kdf.salt", base64.b64encode(bytes(size)).decode())
    for size in (0, 23, 25):
        yield f"nonce-{size}", MALFORMED, "nonce", changed("cipher.nonce", base64.b64encode(bytes(size)).decode())
    for size in (0, 15, 16):
        yield f"ciphertext-{size}", MALFORMED, "too short", changed("ciphertext", base64.b64encode(bytes(size)).decode())
    yield "kdf-argon2", MALFORMED, "argon2", changed("kdf.name", "argon2")
    yield "cipher-aes", MALFORMED, "aes", changed("cipher.name", "aes-gcm")
    yield "no-kdf", MALFORMED, "kdf", changed("kdf", None)
    yield "unknown-member", MALFORMED, "extra", changed("extra", 1)
    yield "member-twice", MALFORMED, "duplicate", pem(COSIGN, b'{"kdf":{},' + json.dumps(document()).encode()[1:])
    yield "deep", LIMIT, "nested", pem(COSIGN, b"[" * 40000)
    yield "json-trailing", MALFORMED, "garbage", pem(COSIGN, json.dumps(document()).encode() + b"x")
    yield "not-json", MALFORMED, "JSON", pem(COSIGN, b"key")
    yield "over-64-kib", LIMIT, "65536", pem(COSIGN, json.dumps(document(extra="x" * 70000)).encode())
    yield "not-encrypted", MALFORMED, "encrypted as cosign", pem("PRIVATE KEY", PKCS8_HEAD + SEED)
    yield "public", MALFORMED, "public key", spki(Key(SEED).public)
    yield "flipped", UNTRUSTED, "wrong passphrase", changed(
        "ciphertext", document()["ciphertext"][:-6] + "AAAAA=" if document()["ciphertext"].endswith("=")
        else document()["ciphertext"][:-4] + "AAAA")
    # Rightly encrypted, but no key.
    yield "holds-nothing", MALFORMED, "ciphertext", encrypted(b"")
    yield "holds-text", MALFORMED, "PKCS#8", encrypted(b"a secret")
    yield "seed-31-bytes", MALFORMED, "PKCS#8", encrypted(PKCS8_HEAD + SEED[:31])
    yield "seed-33-bytes", MALFORMED, "PKCS#8", encrypted(PKCS8_HEAD + SEED + b"\5")
    # RFC 5958: version 1 with a public key, which must be that of the seed.
    for name, public, status, word in (("own", Key(SEED).public, 0, ""),
                                       ("other", Key(b"\6" * 32).public, MALFORMED, "belongs to another")):
        body = b"\x02\x01\x01" + PKCS8_HEAD[5:] + SEED + b"\x81\x21\0" + public
        yield f"with-{name}-public-key", status, word, encrypted(b"\x30" + bytes([len(body)]) + body)


def main():
    out = sys.argv[1]
    os.makedirs(out, exist_ok=True)
    with open(sys.argv[3], encoding="ascii") as f:
        good = f.read()
    for suffix, keys in ((".pub", public_keys(good)), (".key", private_keys())):
        for name, status, word, text in keys:
            path = os.path.join(out, name + suffix)
            with open(path, "w", encoding="latin-1", newline="", opener=lambda p, f: os.open(p, f, 0o600)) as f:
                f.write(text)
            print(path, status, word, sep="\t")


if __name__ == "__main__":
    main()
