#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Layers that are compression bombs, lie about their form, or hold garbage are refused in constant memory; odd
# but legal ones hold what they held.
# NEEDS: time
# TIMEOUT: 120
# SANITIZERS: first
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/hostile.sh"

canary
python3 "$SHALE_SOURCE/tests/hostile/blobs.py" layouts >table

imported() {
  bounded "$2" "*$3*" shale import -q -t x "oci:layouts/$1"
  if [ "$2" -ne 0 ]; then
    same "names" "$(names)" ""
  else
    same "content" "$(shale cat x /dir/file)" content
    shale rm x >/dev/null
  fi
  rm -rf "layouts/$1"
}

table imported table
canary_is_alive
shale gc >/dev/null
same "files after all refusals" "$(find store/blobs store/shale/layers store/shale/catalogs -type f | wc -l)" 0
