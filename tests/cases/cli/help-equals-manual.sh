#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A command's manual page has the usage line of --help as SYNOPSIS, and the same options.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

# The options that the text on standard input begins lines with: "-k --key".
options_of() {
  sed -n 's/^[ *]*\(-[A-Za-z]\)\{0,1\}[*, ]*\(--[a-z-]*\).*/\1 \2/p' | sort
}

shale --help | sed -n 's/^  \([a-z]*\) .*/\1/p' >names
while read -r name; do
  page="$SHALE_SOURCE/docs/shale-$name.1.scd"
  synopsis=$(sed -n '/^# SYNOPSIS/{n;n;p;}' "$page" | sed 's/[*_\\]//g')
  shale "$name" --help >help
  same "SYNOPSIS of $name" "Usage: $synopsis" "$(head -n 1 help)"
  sed -n '/^# OPTIONS/,/^# [^O]/p' "$page" | grep -v '^\*--store\* _DIR_, ' | options_of >manual
  grep -v -e '--store DIR ' -e '--help ' help | options_of >printed
  diff -u manual printed >&2 || fail "the options of $name differ in help and manual"
  grep -q '^\*--store\* _DIR_, \*-h\*, \*--help\*$' "$page" || fail "$name: no common options"
  grep -q "shale-$name\*(1)" "$SHALE_SOURCE/docs/shale.1.scd" || fail "$name is not in shale(1)"
done <names
