#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A command's manual page has the usage line of --help as SYNOPSIS, the summary as NAME, and the same options with the same
# values in the same order.
# SANITIZERS: no
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

# in_help: the options of --help, "-k, --key FILE".
in_help() {
  sed -n 's/^ *\(\(-[A-Za-z], \)\{0,1\}--[a-z-]*\)\( [^ ][^ ]*\)\{0,1\}\(  .*\)\{0,1\}$/\1\3/p' help |
    grep -v -e '^--store DIR$' -e '^-h, --help$'
}

# in_page PAGE: those of its section OPTIONS.
in_page() {
  awk '/^# /{is_in = $0 == "# OPTIONS"} is_in && /^\*-/' "$1" | sed 's/[*_\\]//g' | grep -v '^--store DIR, -h, --help$'
}

shale --help | sed -n 's/^  \([a-z]*\) .*/\1/p' >names
while read -r name; do
  page="$SHALE_SOURCE/docs/shale-$name.1.scd"
  synopsis=$(sed -n '/^# SYNOPSIS/{n;n;p;}' "$page" | sed 's/[*_\\]//g')
  shale "$name" --help >help
  same "SYNOPSIS of $name" "Usage: $synopsis" "$(head -n 1 help)"
  # The summary may go on where the page has a whole section.
  what=$(sed -n "s/^shale-$name - //p" "$page")
  sed -n 3p help | sed 's/^./\l&/; s/[:;.].*//' >summary
  same "NAME of $name" "$what" "$(cat summary)"
  in_page "$page" >manual || true
  in_help >printed || true
  diff -u manual printed >&2 || fail "the options of $name differ in help and manual"
  [ "$(grep -c '^ *-' help)" -eq "$(($(wc -l <printed) + 2))" ] || fail "the options of $name cannot be read"
  grep -q '^\*--store\* _DIR_, \*-h\*, \*--help\*$' "$page" || fail "$name: no common options"
  grep -q "shale-$name\*(1)" "$SHALE_SOURCE/docs/shale.1.scd" || fail "$name is not in shale(1)"
done <names
