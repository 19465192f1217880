#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A changed or missing byte of a signed image ends verify with 5 or 8; whatever happens to its signatures is 6, as if there
# were none.  Each message says once what it is about.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
seq 100000 >context/x
digest=$(printf 'FROM scratch\nCOPY x /\n' | build_text app context)
make_key team
sign app
signature app
layer=$(blob "$(layers app)")
config=$(blob "$(json "$(blob "$digest")" "d['config']['digest']")")
payload=$(blob "sha256:$(sha256sum <payload | cut -d' ' -f1)")
artifact=$(blob "$(shale images -a --digests | sed -n 's/^[^ ]*\.sig *\([^ ]*\) .*/\1/p')")
# check STATUS STEP: how verify ends now, and mount --key, which leaves the layers' content for later.
check() {
  expect "$1" "shale: image 'localhost/app:latest': *" shale verify -q --key team.pub app
  for word in "image '" "layer '" "signature"; do
    [ "$(grep -o "$word" expect.out | wc -l)" -le 1 ] || fail "$word more than once: $(cat expect.out)"
  done
  digests=$(grep -o 'sha256[:-][0-9a-f]*' expect.out | tr : - | sort)
  same "digests more than once" "$(echo "$digests" | uniq -d)" ""
  shale verify --json --key team.pub app >report.json 2>/dev/null && fail "verified with --json"
  same "failed step" "$(json report.json "d['verified'], d['failed_step']")" "(False, '$2')"
  [ "$2" = layers ] || expect "$1" '*' shale mount --key team.pub app mnt
}
# damaged STATUS STEP FILE OFFSET: with that byte inverted.
damaged() {
  flip "$3" "$4"
  check "$1" "$2"
  flip "$3" "$4"
}
# lost STATUS STEP FILE: without it, with another length, with another file in its place.
lost() {
  mv "$3" away
  check "$1" "$2"
  mkdir "$3"
  check "${4:-$1}" "$2"
  rmdir "$3"
  head -c -1 away >"$3"
  check "${5:-$1}" "$2"
  rm "$3"
  mv away "$3"
}

mkdir mnt
size=$(wc -c <"$layer")
for at in 0 20 $((size / 2)) $((size - 300)) -1 -9 -30; do
  damaged 5 layers "$layer" "$at"
done
damaged 5 config "$config" 10
damaged 5 manifest "$(blob "$digest")" 20
damaged 6 "form of the signatures" "$payload" 5
damaged 6 "signature artifact" "$artifact" 30
lost 6 "form of the signatures" "$payload"
lost 6 "signature artifact" "$artifact"
# Not a file is malformed, a shorter one damaged.
lost 8 manifest "$(blob "$digest")" 3 5
lost 8 config "$config" 3 5
lost 8 layers "$layer" 3 5
same "mounted" "$(ls mnt)" ""
same "whole again" "$(shale verify --key team.pub app)" "$digest"
