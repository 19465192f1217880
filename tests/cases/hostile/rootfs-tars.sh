#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The same archives as root file systems: what is refused as a layer is refused as a rootfs, with the same status.
# NEEDS: time
# TIMEOUT: 180
# SANITIZERS: first
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/hostile.sh"

canary
python3 "$SHALE_SOURCE/tests/hostile/tars.py" tars >table

imported() {
  status=
  word=
  of_no_layer "$@"
  case $1 in
  # Its bytes say how it is compressed, where a layer has its media type.
  is-gzip) word="trailing garbage" ;;
  esac
  bounded "$status" "*$word*" shale import -q -t x "rootfs:tars/$1.tar"
  if [ "$status" -ne 0 ]; then
    same "names" "$(names)" ""
  else
    bounded 0 "*" shale ls -lR x
    unwatched shale rm x >/dev/null
  fi
  rm "tars/$1.tar"
}

table imported table
canary_is_alive
