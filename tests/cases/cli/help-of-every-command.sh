#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --help of every command goes to standard output, ends with 0, and fits in 80 columns.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

# check_help COMMAND...: runs it.
check_help() {
  "$@" >out 2>err || fail "'$*' ended with $?"
  [ ! -s err ] || fail "'$*' wrote to standard error"
  if grep -n '.\{81\}' out >&2; then
    fail "'$*' is wider than 80 columns"
  fi
  if LC_ALL=C grep -n '[^ -~]' out >&2; then
    fail "'$*' prints something else than plain text"
  fi
}

check_help shale --help
mv out commands
shale -h | cmp - commands
shale help | cmp - commands
sed -n 's/^  \([a-z]*\) .*/\1/p' commands >names
[ "$(wc -l <names)" -ge 16 ] || fail "commands are missing in shale --help"
while read -r name; do
  check_help shale "$name" --help
  same "usage" "$(head -n 1 out | cut -d' ' -f1-3)" "Usage: shale $name"
  shale "$name" -h | cmp - out
  shale help "$name" | cmp - out
done <names
