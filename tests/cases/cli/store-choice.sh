#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The store is that of --store, else $SHALE_STORE, else $XDG_DATA_HOME/shale, else ~/.local/share/shale.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir tree home data
# check PLACE OPTION...: import puts the store there.
check() {
  place=$1
  shift
  shale import "$@" -t app dir:tree >/dev/null
  [ -f "$place/oci-layout" ] || fail "no store at $place"
  rm -r "$place"
}

export HOME="$PWD/home" XDG_DATA_HOME="$PWD/data"
check other --store other
check "$SHALE_STORE"
unset SHALE_STORE
check data/shale
unset XDG_DATA_HOME
check home/.local/share/shale
