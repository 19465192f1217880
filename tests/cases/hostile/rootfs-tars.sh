#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The same archives as root file systems: what is refused as a layer is refused as a rootfs, with the same status.
# NEEDS: time
# TIMEOUT: 180
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/hostile.sh"

canary
python3 "$SHALE_SOURCE/tests/hostile/tars.py" tars >table

imported() {
  status=$2
  word=$3
  case $1 in
  # A root file system has no layer below, and whiteouts mean nothing in it.
  hardlink-to-lower) status=3 word=hardlink ;;
  symlink-then-whiteout | whiteout-* | opaque-* | aufs-*) status=3 word=".wh." ;;
  # Its layer is written anew, with the holes as zeros.
  sparse-one-pebibyte* | sparse-nothing-but-hole) status=4 word=content ;;
  # Its bytes say how it is compressed, where a layer has its media type.
  is-gzip) word="trailing garbage" ;;
  esac
  bounded "$status" "*$word*" shale import -q -t x "rootfs:tars/$1.tar"
  if [ "$status" -ne 0 ]; then
    same "names" "$(names)" ""
  else
    bounded 0 "*" shale ls -lR x
    shale rm x >/dev/null
  fi
  rm "tars/$1.tar"
}

table imported table
canary_is_alive
