#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --compression sets encoding and level: another blob, the same content and diff_id; other values are wrong usage.
# NEEDS: zstd
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
seq 100000 >context/x
printf 'FROM scratch\nCOPY x /\n' >context/Shalefile
default=$(shale build -q context)
same "zstd" "$(shale build -q --compression zstd context)" "$default"
same "zstd:3" "$(shale build -q --compression zstd:3 context)" "$default"
[ "$(shale build -q -t small --compression=zstd:19 context)" != "$default" ] || fail "the level makes no difference"
same "diff_id" "$(inspect small "d['layers'][0]['diff_id']")" "$(inspect "$default" "d['layers'][0]['diff_id']")"
shale cat small /x | cmp - context/x
zstd -qdc "$(blob "$(layers small)")" | tar -xO x | cmp - context/x

gzip=$(shale build -q -t gzip --compression gzip context)
same "gzip:6" "$(shale build -q --compression gzip:6 context)" "$gzip"
[ "$(shale build -q -t best --compression gzip:9 context)" != "$gzip" ] || fail "the level of gzip makes no difference"
[ "$(shale build -q -t fast --compression gzip:1 context)" != "$gzip" ] || fail "the level of gzip makes no difference"
for image in gzip best fast; do
  same "media type of $image" "$(inspect $image "d['layers'][0]['media_type']")" application/vnd.oci.image.layer.v1.tar+gzip
  same "annotations of $image" "$(json "$(blob "$(inspect $image "d['digest']")")" "'annotations' in d['layers'][0]")" False
  same "diff_id of $image" "$(inspect $image "d['layers'][0]['diff_id']")" "$(inspect small "d['layers'][0]['diff_id']")"
  shale cat $image /x | cmp - context/x
  gzip -t <"$(blob "$(layers $image)")"
  gzip -dc <"$(blob "$(layers $image)")" | tar -xO x | cmp - context/x
  # gzip's header: no name, no time, no system.
  same "header of $image" "$(head -c 10 "$(blob "$(layers $image)")" | od -An -tx1)" " 1f 8b 08 00 00 00 00 00 00 ff"
done
for workers in 0 1 4; do
  rm -rf other
  same "with $workers workers" "$(shale build -q --store other --workers $workers --compression gzip context)" "$gzip"
done
shale fsck -q --read-data >/dev/null

# Layers upon each other, of both kinds.
echo new >context/y
printf 'FROM gzip\nCOPY y /\n' >context/Shalefile
for encoding in gzip zstd; do
  shale build -q -t "on-$encoding" --compression "$encoding" context >/dev/null
  same "files on $encoding" "$(shale ls "on-$encoding")" "x
y"
  shale cat "on-$encoding" /x /y | cmp - "$(cat context/x context/y >both && echo both)"
done
same "types" "$(inspect on-zstd "[l['media_type'][-4:] for l in d['layers']]")" "['gzip', 'zstd']"

for wrong in '' xz gz zst GZIP gzip6; do
  expect 2 "*'--compression': '$wrong' is not zstd\\[:1-19\\] or gzip\\[:1-9\\]" \
    shale build --compression "$wrong" context
done
for wrong in zstd: zstd:0 zstd:20 zstd:x zstd:-1; do
  expect 2 "*'--compression': '$wrong': the levels of zstd are 1 to 19" shale build --compression "$wrong" context
done
for wrong in gzip: gzip:0 gzip:10 gzip:x gzip:-1; do
  expect 2 "*'--compression': '$wrong': the levels of gzip are 1 to 9" shale build --compression "$wrong" context
done
for wrong in '' x -1 257; do
  expect 2 "*'--workers': '$wrong' is not a number up to 256" shale build --workers "$wrong" context
done
