#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The index of a gzip layer is kept when the layer is written, and made again, equal, when it is lost or damaged; the
# frames are in the blob, whoever wrote it.
# NEEDS: pigz
# TIMEOUT: 120
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
seq 300000 >context/numbers
echo hello >context/hello
printf 'FROM scratch\nCOPY . /\n' >manifest
shale build -q -f manifest -t app --compression gzip context >/dev/null

# kept: what the store derived, besides the index of app.
kept() {
  (cd "$SHALE_STORE/shale/layers" && ls)
}

index=$SHALE_STORE/shale/layers/$(layers app | cut -d: -f2).index
same "kept by build" "$(kept)" "${index##*/}"
cp "$index" index
for how in flipped-0 flipped-100 flipped--1 cut empty gone fifo others-may-write; do
  chmod u+w "$index"
  case $how in
  flipped*) flip "$index" "${how#flipped-}" ;;
  cut) truncate -s -1 "$index" ;;
  empty) : >"$index" ;;
  gone) rm "$index" ;;
  fifo) rm "$index" && mkfifo "$index" ;;
  others-may-write) chmod o+w "$index" ;;
  esac
  rm -f "$SHALE_STORE"/shale/catalogs/*
  shale cat app /numbers | cmp - context/numbers
  cmp "$index" index || fail "another index: $how"
  same "kept: $how" "$(kept)" "${index##*/}"
  shale fsck -q --read-data >fsck.out
  same "fsck: $how" "$(sed 's/.*: //' fsck.out)" "0 errors, 0 derived files to rebuild, 0 notes"
done

# What is kept is used, and stays when the layer is made again.
before=$(stat -c %i "$index")
shale build -q -f manifest -t app --compression gzip context >/dev/null
same "the index after another build" "$(stat -c %i "$index")" "$before"

# An index of other frames, right in itself.
shale build -q -f manifest -t other --compression gzip:1 context >/dev/null
theirs=$SHALE_STORE/shale/layers/$(layers other | cut -d: -f2).index
chmod u+w "$index"
cat "$theirs" >"$index"
expect 0 "*derived index of layer*does not match its own digest*" shale fsck
rm -f "$SHALE_STORE"/shale/catalogs/*
shale cat app /numbers | cmp - context/numbers
cmp "$index" index
shale rm other >/dev/null
shale gc >/dev/null
same "kept after gc" "$(kept)" "${index##*/}"

# A store that cannot be written to needs none.
chmod u+w "$index"
rm -f "$index" "$SHALE_STORE"/shale/catalogs/*
mv "$SHALE_STORE/shale" away
shale cat app /hello | cmp - context/hello
same "what reading left" "$(ls "$SHALE_STORE")" "blobs
index.json
oci-layout"
mv away "$SHALE_STORE/shale"

# Members of other tools; pigz -i makes those of 128 KiB that need no other, in one member.
gzip -dc <"$(blob "$(layers app)")" >tar
[ "$(wc -c <tar)" -gt 1500000 ] || fail "the tar is too small"
mkdir layouts
# derived HOW REFRAMED: an image with the layer `blob.gz`.
derived() {
  python3 - "$SHALE_SOURCE/tests/hostile" "layouts/$1" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from layout import LAYER, write_image
write_image(sys.argv[2], [(LAYER + "+gzip", open("blob.gz", "rb").read(), open("tar", "rb").read())])
END
  shale import -q --json -t "$1" "oci:layouts/$1" >import.json
  same "framed anew: $1" "$(json import.json "d['reframed']")" "$2"
  shale cat "$1" /numbers | cmp - context/numbers
  shale fsck -q --read-data >/dev/null
}
gzip -c tar >blob.gz && derived gzip 1
pigz -c tar >blob.gz && derived pigz 1
split -b 100000 --filter='gzip -c' tar >blob.gz && derived members 0
split -b 1M --filter='gzip -c' tar >blob.gz && derived longest 0
split -b 1048577 --filter='pigz -c' tar >blob.gz && derived longer 1
