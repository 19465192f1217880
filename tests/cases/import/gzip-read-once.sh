#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is derived from a gzip layer takes one look at its blob; from one whose member turns out to be too long for a
# frame, one more at what was read until then.
# NEEDS: strace
# TIMEOUT: 120
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir layouts
python3 - "$SHALE_SOURCE/tests/hostile" <<'END'
import gzip, random, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from layout import LAYER, tar_of, write_image
MIB = 1 << 20
tar = tar_of([("noise", random.Random(5).randbytes(20 * MIB))])

def write(name, lengths):
    blob, at = b"", 0
    for length in [*lengths, len(tar)]:
        blob += gzip.compress(tar[at : at + length], 1, mtime=0)
        at += length
        if at >= len(tar):
            break
    write_image("layouts/" + name, [(LAYER + "+gzip", blob, tar)])

write("one-long", [])
write("short", [MIB] * 30)
write("little-longer", [MIB] * 3 + [MIB + 1])
write("long-third", [MIB, MIB])
END

# read_of NAME FRAMES MORE: who looks at the layer first reads its blob once, and at most MORE MiB again.
read_of() {
  shale import -q -t "$1" "oci:layouts/$1" >/dev/null
  rm -f "$SHALE_STORE"/shale/layers/* "$SHALE_STORE"/shale/catalogs/*
  strace -f -y -s 0 -o log -e trace=read,pread64,mmap shale ls "$1" >/dev/null
  layer=$(layers "$1" | cut -d: -f2)
  python3 - "$(blob "$(layers "$1")")" "$3" <<'END' || fail "$1"
import os, re, sys
size = os.path.getsize(sys.argv[1])
blob = os.path.basename(sys.argv[1])
read = 0
for line in open("log", errors="surrogateescape"):
    m = re.search(r"(read|pread64|mmap)\((\d+)<[^>]*/" + blob + r">.* = (\d+)$", line)
    if m and m[1] == "mmap":
        sys.exit(f"another way of reading: {line}")
    read += int(m[3]) if m else 0
more = int(sys.argv[2]) << 20
if not size <= read <= size + more:
    sys.exit(f"{read} bytes read of {size}")
END
  same "frames of $1" "$(find "$SHALE_STORE/shale/layers" -name "$layer.frames" | wc -l)" "$2"
}
read_of short 0 0
read_of one-long 1 4
read_of long-third 1 7
read_of little-longer 1 8
