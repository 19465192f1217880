#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every manual page is formatted without a complaint, fits in 80 columns, and refers to pages that there are.
# NEEDS: man mandoc
# SANITIZERS: no
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

pages=$(cd "$SHALE_SOURCE/docs" && printf '%s\n' *.scd | sed 's/\.scd$//')
for page in $pages; do
  file=$SHALE_BUILD/docs/$page
  # scdoc begins each section with a paragraph, which is harmless.
  # shellcheck disable=SC2094 # two files
  mandoc -T lint -W warning "$file" >lint 2>&1 || true
  same "complaints about $page" "$(grep -v 'WARNING: skipping paragraph macro: PP' lint)" ""
  MANWIDTH=80 man --warnings -l "$file" >text 2>warnings || fail "$page: $(cat warnings)"
  same "warnings of $page" "$(cat warnings)" ""
  if grep '.\{81\}' text >&2; then
    fail "$page is wider than 80 columns"
  fi
  # "shale-build(1)" on its first line, and as its own name.
  name=${page%.*}
  same "title of $page" "$(sed 1q "$SHALE_SOURCE/docs/$page.scd")" "$name(${page##*.})"
  grep -q "^  *$name - ." text || fail "$page does not say what it is"
  sed -n 's/\*\(shale[a-z-]*\)\*(\([0-9]\))/\n\1.\2\n/gp' "$SHALE_SOURCE/docs/$page.scd" |
    grep '^shale[a-z-]*\.[0-9]$' >references || true
  while read -r reference; do
    [ -e "$SHALE_SOURCE/docs/$reference.scd" ] || fail "$page refers to $reference, which is not there"
  done <references
done
