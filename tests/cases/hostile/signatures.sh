#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Forged, misspelt, moved and oversized signatures, and artifacts that hold something else: none verifies, none lets the
# image be mounted, and each ends within bounds.
# NEEDS: time fuse
# TIMEOUT: 120
# SANITIZERS: first
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/hostile.sh"

signatures=$SHALE_SOURCE/tests/hostile/signatures.py
canary
mkdir mnt
digest=$(small_image app:1)
"$signatures" key >team.pub
"$signatures" list >table

verified() {
  image=$("$signatures" put "$1" "$SHALE_STORE" "$digest")
  bounded "$2" "*$3*" shale verify -q --key team.pub app:1
  if [ "$2" -eq 0 ]; then
    same "what is printed" "$(cat expect.out)" "$image"
    return
  fi
  bounded "$2" "*$3*" shale mount --key team.pub app:1 mnt
  same "mounted" "$(ls mnt)" ""
}

table verified table
canary_is_alive
