#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Layers whose tar tries to get out, to lie, or to cost too much: each is refused with the status of its fault, or is
# odd and fine; nothing outside the store changes, and copying out of what was taken stays inside of the copy.
# NEEDS: time
# TIMEOUT: 180
# SANITIZERS: first
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/hostile.sh"

canary
python3 "$SHALE_SOURCE/tests/hostile/tars.py" --layouts layouts >table

imported() {
  bounded "$2" "*$3*" shale import -q -t x "oci:layouts/$1"
  if [ "$2" -ne 0 ]; then
    same "names" "$(names)" ""
    rm -rf "layouts/$1"
    return
  fi
  bounded 0 "*" shale ls -lR x
  case $1 in
  # The year 10^9 is one that there is; what is outside of 2^62 seconds is that.
  mtime-far)
    shale ls -R --json x >times.json
    same "the times" "$(json times.json "' '.join(str(f['mtime']) for f in d)")" \
      "31556952000000000 4611686018427387904 -4611686018427387904 4611686018427387904 -4611686018427387904"
    ;;
  esac
  case $1 in
  # A file of a pebibyte, and 100000 links.
  sparse-one-* | sparse-nothing-* | hardlink-chain) ;;
  *)
    mkdir -p inside/a/b/c
    bounded 0 "*" shale cp -q x:/. inside/a/b/c/copy
    # Nothing beside the copy, whatever its names and links say.
    same "files beside the copy" "$(find inside -path inside/a/b/c/copy -prune -o -print | LC_ALL=C sort | xargs echo)" \
      "inside inside/a inside/a/b inside/a/b/c"
    chmod -R u+rwx inside
    rm -rf inside
    ;;
  esac
  unwatched shale rm x >/dev/null
  rm -rf "layouts/$1"
}

table imported table
shale fsck --read-data -q >/dev/null
canary_is_alive
