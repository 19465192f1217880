# SPDX-License-Identifier: Apache-2.0
"""Bytes to write, by a seed: random ones, text that compresses, and zeros; and what a file holds, whatever its holes."""
import hashlib
import os
import random

PAGE = 4096
CHUNK = 64 << 10  # bytes that are looked at together
ZEROS = bytes(CHUNK)
RANDOM = random.Random(1).randbytes((1 << 20) + 4096)
TEXT = b"".join(b"line %07d of a file that compresses\n" % i for i in range(30_000))


def content(seed, length):
    kind = seed % 8
    if kind == 0:
        return bytes(length)
    source = TEXT if kind < 3 else RANDOM
    start = seed % 4093
    if start + length > len(source):
        source *= length // len(source) + 2
    return source[start : start + length]


def segments(fd, size):
    """Where the file has data, as SEEK_DATA and SEEK_HOLE say: pairs of start and end."""
    at = 0
    while at < size:
        try:
            start = os.lseek(fd, at, os.SEEK_DATA)
        except OSError:
            return
        end = os.lseek(fd, start, os.SEEK_HOLE)
        yield start, end
        at = end


def digest(fd):
    """Of all bytes of a file that are not in a chunk of zeros, and where they are: holes or none, it is the same."""
    size = os.fstat(fd).st_size
    h = hashlib.sha256()
    done = 0
    for start, end in segments(fd, size):
        for at in range(max(done, start - start % CHUNK), min(end, size), CHUNK):
            chunk = os.pread(fd, CHUNK, at)
            if chunk != ZEROS[: len(chunk)]:
                h.update(b"%d:" % at)
                h.update(chunk)
            done = at + CHUNK
    return h.hexdigest()
