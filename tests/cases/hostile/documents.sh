#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Manifests, configs, indexes and descriptors that lie, overflow or are two things at once: each is refused with
# the status of its fault, within bounds of time and memory, and leaves no name behind.
# NEEDS: time
# TIMEOUT: 120
# SANITIZERS: first
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/hostile.sh"

canary
python3 "$SHALE_SOURCE/tests/hostile/documents.py" layouts >table

imported() {
  bounded "$2" "*$3*" shale import -q -t "x:$2" "oci:layouts/$1"
  if [ "$2" -ne 0 ]; then
    same "names" "$(names)" ""
  else
    case $1 in
    image-of-no-layers) same "its tree" "$(shale ls -R "x:$2")" "" ;;
    *) same "content" "$(shale cat "x:$2" /dir/file)" content ;;
    esac
    unwatched shale rm "x:$2" >/dev/null
  fi
  rm -rf "layouts/$1"
}

table imported table
canary_is_alive
shale fsck --read-data -q >/dev/null
shale gc >/dev/null
same "blobs after all refusals" "$(find store/blobs -type f | wc -l)" 0
