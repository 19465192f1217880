#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --compression sets the level: another blob, the same content and diff_id; other values are wrong usage.
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
for wrong in '' xz zst ZSTD; do
  expect 2 "*'--compression': '$wrong' is not zstd\[:1-19\]" shale build --compression "$wrong" context
done
for wrong in zstd: zstd:0 zstd:20 zstd:x zstd:-1; do
  expect 2 "*'--compression': '$wrong': the levels of zstd are 1 to 19" shale build --compression "$wrong" context
done
for wrong in '' x -1 257; do
  expect 2 "*'--workers': '$wrong' is not a number up to 256" shale build --workers "$wrong" context
done
