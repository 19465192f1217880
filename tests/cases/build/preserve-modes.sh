#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --preserve-modes keeps every bit of what the context has, whatever the umask; without it there are two modes.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context/dir/sub
for mode in 0000 0400 0644 0666 0711 1755 2755 4755 7777; do
  echo "$mode" >"context/dir/$mode"
  chmod "$mode" "context/dir/$mode"
done
[ "$(id -u)" -eq 0 ] || rm -f context/dir/0000
chmod 1770 context/dir/sub
printf 'FROM scratch\nCOPY dir /d/\nCOPY <<EOF /d/text\nEOF\n' >context/Shalefile
for umask in 000 022 077; do
  (umask "$umask" && shale build -q --preserve-modes -t app context) >digest
  cat digest >>digests
done
same "digests" "$(sort -u digests | wc -l)" 1
files app | sed 's/ [-d]\([0-7]*\) .*/ \1/;s|^/d||' | grep -v -e text -e '^ ' >got
(cd context/dir && find . -mindepth 1 -printf '/%P %m\n' | while read -r name mode; do printf '%s %04d\n' "$name" "$mode"; done) |
  LC_ALL=C sort >want
diff -u want got >&2 || fail "modes differ"
same "what is not of the context" "$(files app | grep -e '^/d ' -e text)" "/d d0755 0:0
/d/text -0644 0:0 0"
shale build -q -t app context >/dev/null
same "without it" "$(files app | sed 's/.* [-d]\([0-7]*\) .*/\1/' | sort -u | paste -sd' ')" "0644 0755"
printf 'FROM scratch\nCOPY --chmod=a-st,o= dir/7777 /x\n' | shale build -q --preserve-modes -f - -t app context >/dev/null
same "with --chmod" "$(files app)" "/x -0770 0:0 5"
