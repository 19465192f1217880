#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes images whose layer is a hostile compressed stream: bombs, lies, garbage, odd but legal forms.

Usage: blobs.py DIR

DIR/CASE is an image layout for each case.  Prints a line "CASE STATUS WORD", with tabs, for each: what
`shale import` must end with, and a part of its message.
"""
import gzip
import os
import struct
import sys
import tarfile
import zlib

from layout import GOOD_TAR, LAYER, Layout

MALFORMED, LIMIT, DIGEST = 3, 4, 5
MIB = 1 << 20
END = bytes(1024)

GZIP = LAYER + "+gzip"
ZSTD = LAYER + "+zstd"
ZSTD_BLOCK = 128 * 1024
FRAME = MIB  # a longer gzip member is no frame


def gz(data, level=6):
    return gzip.compress(data, level, mtime=0)


def gz_with_fields(data, crc_error=0):
    """RFC 1952: FEXTRA, FNAME, FCOMMENT and FHCRC."""
    head = struct.pack("<BBBBIBB", 0x1F, 0x8B, 8, 0x1E, 0, 0, 3)
    head += struct.pack("<H", 8) + b"AB" + struct.pack("<H", 4) + b"\xff\xfe\x00\x01"
    head += b"../../etc/passwd\x00" + b"\x1b[2J\x00"
    head += struct.pack("<H", (zlib.crc32(head) ^ crc_error) & 0xFFFF)
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = deflate.compress(data) + deflate.flush()
    return head + body + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def zstd_header(content=None, window_log=17, dictionary=None, checksum=False):
    """RFC 8878, 3.1.1.1: a frame header with a window descriptor."""
    flags = (3 << 6 if content is not None else 0) | (4 if checksum else 0)
    flags |= 3 if dictionary is not None else 0
    out = b"\x28\xb5\x2f\xfd" + bytes([flags, (window_log - 10) << 3])
    if dictionary is not None:
        out += struct.pack("<I", dictionary)
    if content is not None:
        out += struct.pack("<Q", content)
    return out


def zstd_block(kind, size, data, last):
    return struct.pack("<I", size << 3 | kind << 1 | last)[:3] + data


def zstd_raw(data, **header):
    """A frame of stored blocks."""
    out = zstd_header(**header)
    for at in range(0, len(data), ZSTD_BLOCK) or [0]:
        piece = data[at : at + ZSTD_BLOCK]
        out += zstd_block(0, len(piece), piece, at + ZSTD_BLOCK >= len(data))
    return out


def zstd_zeros(size):
    """A frame of repeated zero bytes: four bytes for each 128 KiB."""
    count = size // ZSTD_BLOCK
    blocks = [zstd_block(1, ZSTD_BLOCK, b"\0", at == count - 1) for at in range(count)]
    return zstd_header() + b"".join(blocks)


def skippable(size, data=b"", magic=0x184D2A50):
    return struct.pack("<II", magic, size) + data


def file_header(size):
    """The header of a member of `size` bytes, in base-256 where octal does not reach."""
    member = tarfile.TarInfo("zeros")
    member.size = size
    return member.tobuf(tarfile.GNU_FORMAT)


ZEROS = bytes(64 * MIB)


def gzip_bomb(count):
    return gz(file_header(64 * MIB * count)) + gz(ZEROS, 9) * count + gz(END)


def zstd_bomb(count):
    return zstd_raw(file_header(1024 * MIB * count)) + zstd_zeros(1024 * MIB) * count + zstd_raw(END)


def cases():
    """(name, status, word, media type, blob, tar or None when nobody can know its digest)"""
    tar = GOOD_TAR
    good_gz = gz(tar)
    good_zst = zstd_raw(tar)

    # Legal, if odd: the content is there.
    yield "plain", 0, "", LAYER, tar, tar
    yield "gzip", 0, "", GZIP, good_gz, tar
    yield "gzip-members", 0, "", GZIP, gz(tar[:100]) + gz(b"") + gz(tar[100:]), tar
    yield "gzip-100000-empty-members", 0, "", GZIP, good_gz + gz(b"") * 100000, tar
    yield "gzip-all-fields", 0, "", GZIP, gz_with_fields(tar), tar
    yield "gzip-members-of-all-fields", 0, "", GZIP, gz_with_fields(tar[:100]) + gz_with_fields(tar[100:]), tar
    yield "gzip-nothing-first", 0, "", GZIP, gz(b"") + gz(tar), tar
    # A member that is too long for a frame, behind many that are not.
    zeros = bytes(FRAME + 1)
    yield "gzip-long-member-last", 0, "", GZIP, gz(tar) + gz(bytes(1)) * 1000 + gz(zeros), tar + bytes(1000) + zeros
    yield "gzip-longest-frame", 0, "", GZIP, gz(tar) + gz(zeros[1:]), tar + zeros[1:]
    yield "gzip-of-gzip-members-of-1", 0, "", GZIP, b"".join(gz(bytes([b])) for b in tar), tar
    yield "zstd", 0, "", ZSTD, good_zst, tar
    yield "zstd-frames", 0, "", ZSTD, zstd_raw(tar[:100]) + zstd_raw(b"") + zstd_raw(tar[100:]), tar
    yield "zstd-skippable", 0, "", ZSTD, skippable(5, b"hello") + good_zst + skippable(0), tar
    yield "zstd-100000-skippable", 0, "", ZSTD, skippable(0) * 100000 + good_zst, tar
    yield "zstd-window-128-mib", 0, "", ZSTD, zstd_raw(tar, window_log=27), tar
    yield "zstd-content-size", 0, "", ZSTD, zstd_raw(tar, content=len(tar)), tar

    # Not what the media type says.
    others = {"tar": tar, "gzip": good_gz, "zstd": good_zst, "xz": b"\xfd7zXZ\0" + bytes(100),
              "zip": b"PK\x03\x04" + bytes(600), "rar": b"Rar!\x1a\x07\x00" + bytes(600),
              "7z": b"7z\xbc\xaf\x27\x1c" + bytes(600), "cpio": b"070701" + b"0" * 1000,
              "iso": bytes(32768) + b"\x01CD001\x01" + bytes(4000), "text": b"#mtree\n" * 200,
              "html": b"<html>404 Not Found</html>"}
    # Of a tar no first bytes are sure.
    as_tar = {"rar": "bad checksum", "7z": "bad checksum", "cpio": "bad checksum", "text": "bad checksum",
              "iso": "data after the end", "html": "cut short"}
    for kind, media_type in (("tar", LAYER), ("gzip", GZIP), ("zstd", ZSTD)):
        odd_tars = as_tar if kind == "tar" else {}
        says = f"the media type says {kind}, but the bytes are"
        for other, data in others.items():
            if other != kind:
                yield f"{kind}-is-{other}", MALFORMED, odd_tars.get(other, says), media_type, data, tar
        yield f"{kind}-empty", MALFORMED, "the blob is empty", media_type, b"", b""
        yield f"{kind}-1-byte", MALFORMED, odd_tars.get("html", says), media_type, b"\0", b""
    yield "unknown-compression", MALFORMED, "no file system layer", LAYER + "+xz", tar, tar

    # A diff_id is that of every byte, also of those behind the end of the tar.
    for kind, media_type, pack in (("tar", LAYER, bytes), ("gzip", GZIP, gz), ("zstd", ZSTD, zstd_raw)):
        yield f"{kind}-zeros-behind-the-tar", 0, "", media_type, pack(tar + END), tar + END
        yield f"{kind}-zeros-of-no-diff-id", DIGEST, "another diff_id", media_type, pack(tar + END), tar

    # Lies and garbage.
    yield "gzip-garbage-behind", MALFORMED, "trailing garbage", GZIP, good_gz + b"garbage", tar
    yield "gzip-zeros-behind", MALFORMED, "trailing garbage", GZIP, good_gz + bytes(512), tar
    yield "gzip-half-header-behind", MALFORMED, "cut short", GZIP, good_gz + good_gz[:5], tar
    yield "gzip-cut", MALFORMED, "cut short", GZIP, good_gz[:-20], tar
    yield "gzip-no-trailer", MALFORMED, "cut short", GZIP, good_gz[:-8], tar
    yield "gzip-crc", MALFORMED, "incorrect data check", GZIP, good_gz[:-8] + bytes(4) + good_gz[-4:], tar
    yield "gzip-length", MALFORMED, "incorrect length check", GZIP, good_gz[:-4] + b"\xff\xff\xff\xff", tar
    yield "gzip-crc-of-the-second", MALFORMED, "incorrect data check", GZIP, good_gz + good_gz[:-8] + bytes(8), tar
    yield "gzip-crc-of-the-header", MALFORMED, "header crc mismatch", GZIP, gz_with_fields(tar, 1), tar
    yield "gzip-name-without-end", MALFORMED, "cut short", GZIP, b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 100000, tar
    yield "gzip-extra-beyond-the-end", MALFORMED, "cut short", GZIP, b"\x1f\x8b\x08\x04" + bytes(6) + b"\xff\xff" + tar[:1000], tar
    yield "gzip-nothing-but-empty-members", MALFORMED, "no blocks of zeros", GZIP, gz(b"") * 3, tar
    yield "gzip-method", MALFORMED, "the media type says gzip", GZIP, good_gz[:2] + b"\x07" + good_gz[3:], tar
    yield "gzip-reserved-flags", MALFORMED, "unknown header flags", GZIP, good_gz[:3] + b"\xe0" + good_gz[4:], tar
    yield "zstd-garbage-behind", MALFORMED, "trailing garbage", ZSTD, good_zst + b"garbage", tar
    yield "zstd-zeros-behind", MALFORMED, "trailing garbage", ZSTD, good_zst + bytes(512), tar
    yield "zstd-cut", MALFORMED, "cut short", ZSTD, good_zst[:-20], tar
    yield "zstd-header-only", MALFORMED, "cut short", ZSTD, good_zst[:6], tar
    yield "zstd-content-size-more", MALFORMED, "malformed zstd data", ZSTD, zstd_raw(tar, content=len(tar) + 1), tar
    yield "zstd-content-size-less", MALFORMED, "malformed zstd data", ZSTD, zstd_raw(tar, content=len(tar) - 1), tar
    yield "zstd-content-size-2^63", MALFORMED, "malformed zstd data", ZSTD, zstd_raw(tar, content=1 << 63), tar
    yield "zstd-dictionary", MALFORMED, "dictionary", ZSTD, zstd_raw(tar, dictionary=4711), tar
    yield "zstd-checksum", MALFORMED, "checksum", ZSTD, zstd_raw(tar, checksum=True) + bytes(4), tar
    yield "zstd-reserved-block", MALFORMED, "malformed zstd data", ZSTD, zstd_header() + zstd_block(3, 1, b"x", 1), tar
    yield "zstd-skippable-4-gib", MALFORMED, "cut short", ZSTD, good_zst + skippable(0xFFFFFFFF, b"x"), tar
    yield "zstd-legacy", MALFORMED, "the media type says zstd", ZSTD, b"\x27\xb5\x2f\xfd" + good_zst[4:], tar
    yield "zstd-window-2-gib", LIMIT, "window", ZSTD, zstd_raw(tar, window_log=31), tar
    yield "zstd-window-256-mib", LIMIT, "window", ZSTD, zstd_raw(tar, window_log=28), tar

    # Bombs.
    yield "gzip-bomb-4-gib", LIMIT, "expands", GZIP, gzip_bomb(64), None
    yield "gzip-bomb-64-gib", LIMIT, "expands", GZIP, gzip_bomb(1024), None
    yield "zstd-bomb-8-gib", LIMIT, "expands", ZSTD, zstd_bomb(8), None
    yield "zstd-bomb-1-tib", LIMIT, "1099511627776", ZSTD, zstd_bomb(1024), None
    # Zeros behind the end of a tar are legal, but not without end.
    yield "gzip-zeros-without-end", LIMIT, "expands", GZIP, good_gz + gz(ZEROS, 9) * 64, None
    yield "gzip-bomb-in-gzip", MALFORMED, "bad checksum", GZIP, gz(gzip_bomb(1)), None


def main():
    out = sys.argv[1]
    for name, status, word, media_type, blob, tar in cases():
        layout = Layout(os.path.join(out, name))
        layout.finish(layout.image([(media_type, blob, tar if tar is not None else b"?")]))
        print(f"{name}\t{status}\t{word}")


if __name__ == "__main__":
    main()
