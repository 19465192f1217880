#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes tests/data/blobs/: one tar, compressed by the tools that people make layers with; and
# tests/fuzz/corpus/codec/, small blobs of the same kinds.
# Needs GNU tar, gzip, pigz, zstd with pzstd, python3.  Run it in tests/data.
set -eu
export LC_ALL=C TZ=UTC
umask 022

out=$PWD/blobs
corpus=$PWD/../fuzz/corpus/codec
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$out"
mkdir -p "$out" "$work/tree/etc" "$work/tree/usr/share"

cd "$work"
printf 'hello\n' >tree/etc/motd
: >tree/etc/empty
seq 1 4000 >tree/usr/share/numbers
head -c 80000 /dev/zero >tree/usr/share/zeros
printf 'tail\n' >>tree/usr/share/zeros
ln -s ../etc/motd tree/usr/link
tar --sort=name --format=gnu --owner=0 --group=0 --numeric-owner --mtime=@315532800 \
	-cf plain.tar -C tree .
cp plain.tar "$out/plain.tar"

gzip -9n <plain.tar >"$out/gzip.gz"
pigz -11 -b 128 -p 2 -n <plain.tar >"$out/pigz.gz"
pigz -i -b 128 -p 2 -n <plain.tar >"$out/pigz-independent.gz"
# A header with all that RFC 1952 allows: extra field, name, comment, and its own CRC.
python3 - plain.tar "$out" <<'PY'
import struct, sys, zlib
data = open(sys.argv[1], "rb").read()
out = sys.argv[2]

def member(part, header=b"\x1f\x8b\x08\x00\0\0\0\0\x00\xff"):
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = c.compress(part) + c.flush()
    return header + body + struct.pack("<II", zlib.crc32(part), len(part))

header = b"\x1f\x8b\x08\x1e\0\0\0\0\x00\x03" + b"\x06\x00XX\x02\x00ab" + b"name\0" + b"comment\0"
header += struct.pack("<H", zlib.crc32(header) & 0xffff)
open(out + "/gzip-header.gz", "wb").write(member(data, header))
# Members cut anywhere, one of them empty, as eStargz has them.
parts = [data[:100], b"", data[100:50000], data[50000:]]
open(out + "/gzip-members.gz", "wb").write(b"".join(member(p) for p in parts))
PY

zstd -q --ultra -22 --no-check <plain.tar >"$out/zstd-ultra.zst"
zstd -q -3 --check --no-content-size <plain.tar >"$out/zstd-stream.zst"
zstd -q -3 --long=27 <plain.tar >"$out/zstd-long27.zst"
zstd -q -3 --long=28 <plain.tar >"$out/zstd-window28.zst"
head -c 40000 plain.tar >first
tail -c +40001 plain.tar >second
# pzstd puts a skippable frame with the size in front of each frame.
pzstd -q -p 2 -3 -c <first >"$out/pzstd.zst"
pzstd -q -p 2 -3 -c <second >>"$out/pzstd.zst"
zstd -q <first >"$out/zstd-frames.zst"
zstd -q <second >>"$out/zstd-frames.zst"
# A frame that was made with a dictionary names it.
split -b 1000 tree/usr/share/numbers piece.
zstd -q --train piece.* -o dictionary --maxdict=1024 --dictID=77
zstd -q -D dictionary <plain.tar >"$out/zstd-dictionary.zst"

rm -rf "$corpus"
mkdir -p "$corpus"
seq 1 300 >text
cp text "$corpus/stored"
gzip -9n <text >"$corpus/gzip"
head -c 500 text | gzip -1n >"$corpus/gzip-members"
tail -c 500 text | gzip -n >>"$corpus/gzip-members"
zstd -q --no-check text -o "$corpus/zstd"
zstd -q -19 --check <text >"$corpus/zstd-stream"
head -c 100000 /dev/zero | zstd -q --no-check >"$corpus/zstd-zeros"
pzstd -q -p 2 -c text >"$corpus/pzstd"
zstd -q <text >>"$corpus/pzstd"
zstd -q -D dictionary <text >"$corpus/zstd-dictionary"
