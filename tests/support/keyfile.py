#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads and writes cosign's encrypted private key files, with the standard library alone.

A peer for the tests: it shares no code with shale, nor a cryptographic library (scrypt is
hashlib's, XSalsa20-Poly1305 is written out below after its definitions).

    keyfile.py decrypt FILE                 prints the PKCS#8 in hex
    keyfile.py encrypt PKCS8.der > FILE     (or `-` and hex on standard input)

The passphrase comes from --passphrase TEXT or --passphrase-file FILE (bytes, as they are).
Exit status 1: wrong passphrase or damaged file; 2: not such a file.
"""
import argparse
import base64
import hashlib
import hmac
import json
import os
import re
import struct
import sys

COSIGN = "ENCRYPTED COSIGN PRIVATE KEY"
SIGSTORE = "ENCRYPTED SIGSTORE PRIVATE KEY"
SIGMA = struct.unpack("<4I", b"expand 32-byte k")


def rotl(x, n):
    return ((x << n) | (x >> (32 - n))) & 0xFFFFFFFF


def salsa_rounds(x):
    """Ten double rounds of Salsa20 (Bernstein, "The Salsa20 family", section 4)."""
    x = list(x)

    def quarter(a, b, c, d):
        x[b] ^= rotl((x[a] + x[d]) & 0xFFFFFFFF, 7)
        x[c] ^= rotl((x[b] + x[a]) & 0xFFFFFFFF, 9)
        x[d] ^= rotl((x[c] + x[b]) & 0xFFFFFFFF, 13)
        x[a] ^= rotl((x[d] + x[c]) & 0xFFFFFFFF, 18)

    for _ in range(10):
        for at in ((0, 4, 8, 12), (5, 9, 13, 1), (10, 14, 2, 6), (15, 3, 7, 11)):
            quarter(*at)
        for at in ((0, 1, 2, 3), (5, 6, 7, 4), (10, 11, 8, 9), (15, 12, 13, 14)):
            quarter(*at)
    return x


def salsa_state(key, nonce16):
    k = struct.unpack("<8I", key)
    n = struct.unpack("<4I", nonce16)
    return [SIGMA[0], *k[:4], SIGMA[1], *n, SIGMA[2], *k[4:], SIGMA[3]]


def hsalsa20(key, nonce16):
    z = salsa_rounds(salsa_state(key, nonce16))
    return struct.pack("<8I", *(z[i] for i in (0, 5, 10, 15, 6, 7, 8, 9)))


def xsalsa20(key, nonce24, length):
    sub = hsalsa20(key, nonce24[:16])
    out = b""
    block = 0
    while len(out) < length:
        state = salsa_state(sub, nonce24[16:] + struct.pack("<Q", block))
        mixed = salsa_rounds(state)
        out += struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(state, mixed)))
        block += 1
    return out[:length]


def poly1305(key, message):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    s = int.from_bytes(key[16:], "little")
    acc = 0
    for i in range(0, len(message), 16):
        acc = (acc + int.from_bytes(message[i:i + 16] + b"\x01", "little")) * r % ((1 << 130) - 5)
    return ((acc + s) % (1 << 128)).to_bytes(16, "little")


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def box_seal(key, nonce, plain):
    stream = xsalsa20(key, nonce, 32 + len(plain))
    cipher = xor(plain, stream[32:])
    return poly1305(stream[:32], cipher) + cipher


def box_open(key, nonce, box):
    tag, cipher = box[:16], box[16:]
    stream = xsalsa20(key, nonce, 32 + len(cipher))
    if not hmac.compare_digest(tag, poly1305(stream[:32], cipher)):
        return None
    return xor(cipher, stream[32:])


def scrypt(passphrase, salt, n, r, p):
    return hashlib.scrypt(passphrase, salt=salt, n=n, r=r, p=p, dklen=32,
                          maxmem=128 * n * r + (1 << 20))


def encode(pkcs8, passphrase, salt, nonce, n=32768, pem_type=COSIGN):
    box = box_seal(scrypt(passphrase, salt, n, 8, 1), nonce, pkcs8)

    def text(b):
        return base64.b64encode(b).decode()

    body = json.dumps({
        "kdf": {"name": "scrypt", "params": {"N": n, "r": 8, "p": 1}, "salt": text(salt)},
        "cipher": {"name": "nacl/secretbox", "nonce": text(nonce)},
        "ciphertext": text(box),
    }, separators=(",", ":"))
    return pem(pem_type, body.encode())


def pem(pem_type, body):
    b64 = base64.b64encode(body).decode()
    lines = [b64[i:i + 64] for i in range(0, len(b64), 64)]
    return "\n".join(["-----BEGIN %s-----" % pem_type, *lines, "-----END %s-----" % pem_type, ""])


def decode(text, passphrase):
    m = re.fullmatch(r"-----BEGIN ([A-Z ]+)-----\n([A-Za-z0-9+/=\n]+)-----END \1-----\n", text)
    if not m or m.group(1) not in (COSIGN, SIGSTORE):
        raise ValueError("not an encrypted key file")
    doc = json.loads(base64.b64decode(m.group(2).replace("\n", ""), validate=True))
    kdf, cipher = doc["kdf"], doc["cipher"]
    if kdf["name"] != "scrypt" or cipher["name"] != "nacl/secretbox":
        raise ValueError("another way to encrypt")
    p = kdf["params"]
    key = scrypt(passphrase, base64.b64decode(kdf["salt"], validate=True), p["N"], p["r"], p["p"])
    return box_open(key, base64.b64decode(cipher["nonce"], validate=True),
                    base64.b64decode(doc["ciphertext"], validate=True))


def self_check():
    """The first vector of Bernstein's "Cryptography in NaCl", section 10."""
    key = bytes.fromhex("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389")
    nonce = bytes.fromhex("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37")
    first = bytes.fromhex("eea6a7251c1e72916d11c2cb214d3c252539121d8e234e652d651fa4c8cff880")
    assert xsalsa20(key, nonce, 32) == first


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("action", choices=["decrypt", "encrypt"])
    ap.add_argument("file")
    ap.add_argument("--passphrase", default="")
    ap.add_argument("--passphrase-file")
    ap.add_argument("--cost", type=int, default=32768, help="scrypt's N")
    ap.add_argument("--type", default=COSIGN)
    ap.add_argument("--salt", help="hex; default: random")
    ap.add_argument("--nonce", help="hex; default: random")
    args = ap.parse_args()
    self_check()

    passphrase = args.passphrase.encode()
    if args.passphrase_file:
        with open(args.passphrase_file, "rb") as f:
            passphrase = f.read()

    if args.action == "decrypt":
        try:
            with open(args.file, encoding="ascii") as f:
                plain = decode(f.read(), passphrase)
        except (ValueError, KeyError) as why:
            print("keyfile.py: %s: %s" % (args.file, why), file=sys.stderr)
            return 2
        if plain is None:
            print("keyfile.py: wrong passphrase or damaged file", file=sys.stderr)
            return 1
        print(plain.hex())
        return 0

    if args.file == "-":
        pkcs8 = bytes.fromhex(sys.stdin.read())
    else:
        with open(args.file, "rb") as f:
            pkcs8 = f.read()
    salt = bytes.fromhex(args.salt) if args.salt else os.urandom(32)
    nonce = bytes.fromhex(args.nonce) if args.nonce else os.urandom(24)
    sys.stdout.write(encode(pkcs8, passphrase, salt, nonce, args.cost, args.type))
    return 0


if __name__ == "__main__":
    sys.exit(main())
