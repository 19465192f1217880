#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The same archives as sources of ADD: what is refused as a layer is refused there, with the same status; what does not even
# begin as a tar is a file like others.
# NEEDS: time
# TIMEOUT: 180
# SANITIZERS: first
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/hostile.sh"

canary
python3 "$SHALE_SOURCE/tests/hostile/tars.py" tars >table
printf 'FROM scratch\nADD x.tar /\n' >manifest

added() {
  status=
  word=
  of_no_layer "$@"
  case $1 in
  # These are files like others.
  checksum-wrong | checksum-missing | no-bytes | is-*) status=0 word= ;;
  esac
  rm -rf context
  mkdir context
  mv "tars/$1.tar" context/x.tar
  bounded "$status" "*$word*" shale build -q -f manifest -t x context
  if [ "$status" -ne 0 ]; then
    same "names" "$(names)" ""
  else
    bounded 0 "*" shale ls -lR x
    case $1 in
    checksum-* | no-bytes | is-*) shale cat x /x.tar | cmp - context/x.tar ;;
    esac
    unwatched shale rm x >/dev/null
  fi
}

table added table
canary_is_alive
