#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Wherever a byte of a layer is flipped, a read gives the right bytes or EIO, never wrong ones; other files stay readable.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context mnt
for i in 1 2 3 4 5 6; do
  head -c 700000 /dev/urandom >"context/$i"
done
printf 'FROM scratch\nCOPY . /\n' | build_text app context >/dev/null
layer=$(blob "$(layers app)")
size=$(wc -c <"$layer")
errors=0
for at in 5 $((size / 3)) $((size / 2)) $((size - 500000)) -1 -40; do
  flip "$layer" "$at"
  shale mount app mnt
  bad=0
  for i in 1 2 3 4 5 6; do
    if cat "mnt/$i" >got 2>err; then
      cmp got "context/$i" || fail "wrong bytes after byte $at was flipped"
    else
      grep -q 'Input/output error' err || fail "$(cat err)"
      bad=$((bad + 1))
    fi
  done
  [ "$bad" -le 2 ] || fail "byte $at: $bad files cannot be read"
  errors=$((errors + bad))
  shale umount mnt
  wait_for is_unmounted mnt
  flip "$layer" "$at"
done
[ "$errors" -ge 3 ] || fail "only $errors errors: was anything flipped?"
