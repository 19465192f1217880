#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fsck says nothing of a whole store; it finds what is missing, cut or, with --read-data, flipped, and ends with 5.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
seq 100000 >context/x
digest=$(printf 'FROM scratch\nCOPY x /\n' | build_text app context)
shale ls app >/dev/null
same "a whole store" "$(shale fsck --read-data)" \
  "1 image, 3 blobs: 0 errors, 0 derived files to rebuild, 0 notes"
layer=$(blob "$(layers app)")
config=$(blob "$(json "$(blob "$digest")" "d['config']['digest']")")
cp "$layer" saved
# broken OPTION...: fsck ends with 5, and names the file.
broken() {
  name=$(basename "$1")
  shift
  expect 5 "*error: *$name*" shale fsck "$@"
  grep -q '^shale: the store is damaged: [0-9]* error' expect.out || fail "$(cat expect.out)"
  shale fsck --json "$@" >fsck.json 2>/dev/null || true
  [ "$(json fsck.json "d['errors']")" -gt 0 ] || fail "no error in JSON"
}
flip "$layer" 1000
shale fsck -q >/dev/null
broken "$layer" --read-data
cp saved "$layer"
truncate -s -1 "$layer"
broken "$layer"
rm "$layer"
broken "$layer"
cp saved "$layer"
shale fsck --read-data >/dev/null
flip "$config" 5
broken "$config"
flip "$config" 5
shale fsck --read-data >/dev/null
cp "$SHALE_STORE/index.json" index
echo '{' >"$SHALE_STORE/index.json"
expect 5 "*error: index.json: *'index.json': image index: *unexpected end*" shale fsck
cp index "$SHALE_STORE/index.json"
# Damage of what is derived is no error, and the JSON tells of it as the text does.
flip "$(find "$SHALE_STORE/shale/catalogs" -type f)" 40
shale fsck >out
grep -q '^derived: catalog of manifest ' out || fail "$(cat out)"
counts="(d['errors'], d['derived'], d['notes'], [f['severity'] + ' ' + f['subject'] for f in d['findings']])"
shale fsck --json >fsck.json
same "a damaged catalog" "$(json fsck.json "$counts")" "(0, 1, 0, ['derived catalog of manifest $digest'])"
# What gc would remove is a note, and no error.
shale rm app >/dev/null
shale fsck >out
grep -q '^note: ' out || fail "$(cat out)"
shale fsck --json >fsck.json
same "notes" "$(json fsck.json "(d['errors'], d['derived'], d['notes'])")" "(0, 0, $(grep -c '^note: ' out))"
