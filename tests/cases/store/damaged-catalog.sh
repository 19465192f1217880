#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A damaged catalog is a derived file: fsck says so, and the next use makes it again.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
seq 1000 >context/x
printf 'FROM scratch\nCOPY x /\n' | build_text app context >/dev/null
shale cat app /x | cmp - context/x
catalog=$(find "$SHALE_STORE/shale/catalogs" -type f)
cp "$catalog" saved
for at in 0 40 300 4100 4200 -1; do
  flip "$catalog" "$at"
  shale cat app /x | cmp - context/x || fail "byte $at"
  cmp -s "$catalog" saved || fail "the catalog was not made again after byte $at"
done
truncate -s 5000 "$catalog"
shale fsck --read-data >out
grep -q '^derived: ' out || fail "$(cat out)"
shale cat app /x | cmp - context/x
rm "$catalog"
shale ls app >/dev/null
cmp "$catalog" saved
