#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A flipped byte anywhere in a signed image is found by verify, with 5; one in its signatures is never let pass.
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
# check STATUS FILE OFFSET: verify ends with one of these.
check() {
  flip "$2" "$3"
  status=0
  shale verify --key team.pub app >out 2>&1 || status=$?
  case $1 in
  *"$status"*) ;;
  *) fail "byte $3 of $2: $status, $(cat out)" ;;
  esac
  flip "$2" "$3"
}
size=$(wc -c <"$layer")
for at in 0 20 $((size / 2)) $((size - 300)) -1 -9 -30; do
  check 5 "$layer" "$at"
done
check 5 "$config" 10
check 5 "$(blob "$digest")" 20
check "5 6" "$payload" 5
check "5 6" "$artifact" 30
same "whole again" "$(shale verify --key team.pub app)" "$digest"
chmod u+w "$layer"
truncate -s -1 "$layer"
expect 5 '*' shale verify --key team.pub app
rm "$layer"
status=0
shale verify --key team.pub app >out 2>&1 || status=$?
[ "$status" -eq 5 ] || [ "$status" -eq 8 ] || fail "without its layer: $status, $(cat out)"
