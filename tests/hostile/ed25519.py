# SPDX-License-Identifier: Apache-2.0
"""Ed25519 after RFC 8032, sections 5.1 and 6, slow and plain: for signatures that no library would make."""
import hashlib

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(a, b):
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    g = 2 * a[3] * b[3] * D % P
    h = 2 * a[2] * b[2] % P
    return ((f - e) * (h - g) % P, (h + g) * (f + e) % P, (h - g) * (h + g) % P, (f - e) * (f + e) % P)


def multiply(scalar, point):
    out = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            out = add(out, point)
        point = add(point, point)
        scalar >>= 1
    return out


def encode(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


SQRT_MINUS_1 = pow(2, (P - 1) // 4, P)


def decode_point(text):
    """The x and y of a point (section 5.1.3)."""
    number = int.from_bytes(text, "little")
    y, sign = number & (1 << 255) - 1, number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * SQRT_MINUS_1 % P
    assert (x * x - square) % P == 0
    return (P - x if x & 1 != sign else x), y


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


class Key:
    def __init__(self, seed):
        digest = hashlib.sha512(seed).digest()
        scalar = int.from_bytes(digest[:32], "little")
        self.seed = seed
        self.scalar = scalar & (1 << 254) - 8 | 1 << 254
        self.prefix = digest[32:]
        self.public = encode(multiply(self.scalar, BASE))

    def sign(self, message, prehash=False):
        """`prehash`: Ed25519ph, which is another scheme."""
        domain = b""
        if prehash:
            domain = b"SigEd25519 no Ed25519 collisions\x01\x00"
            message = hashlib.sha512(message).digest()
        r = int.from_bytes(hashlib.sha512(domain + self.prefix + message).digest(), "little") % ORDER
        point = encode(multiply(r, BASE))
        k = int.from_bytes(hashlib.sha512(domain + point + self.public + message).digest(), "little") % ORDER
        return point + ((r + k * self.scalar) % ORDER).to_bytes(32, "little")


SPKI_HEAD = bytes.fromhex("302a300506032b6570032100")
PKCS8_HEAD = bytes.fromhex("302e020100300506032b657004220420")
