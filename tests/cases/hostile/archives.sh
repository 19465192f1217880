#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Archives of images, and of root file systems, that lead out, lie, or blow up: refused, and nothing is unpacked.
# NEEDS: time
# TIMEOUT: 240
# SANITIZERS: first
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/hostile.sh"

canary
python3 "$SHALE_SOURCE/tests/hostile/archives.py" archives >table

imported() {
  # A store that has a blob already does not ask the archive for it.
  rm -rf store
  bounded "$2" "*$3*" shale import -q -t x "$1"
  if [ "$2" -eq 0 ]; then
    same "content" "$(shale cat x /dir/file)" content
  else
    same "names" "$(names)" ""
    unwatched shale gc >/dev/null
    same "files after a refusal" "$(find store/blobs store/shale/layers store/shale/catalogs -type f)" ""
  fi
  rm "${1#*:}"
}

table imported table
canary_is_alive
