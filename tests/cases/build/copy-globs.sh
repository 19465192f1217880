#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Sources of COPY may be patterns of Go's filepath.Match; a pattern without a match copies nothing, as with docker.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context/lib/x context/other
for file in a.txt b.txt c.md 1.log 2.log 33.log lib/x/p.so lib/x/q.so other/r.so '[z].txt' .hidden.txt; do
  : >"context/$file"
done
# copied SOURCE: the names that arrive.
copied() {
  printf 'FROM scratch\nCOPY %s /to/\n' "$1" | build_text app context >/dev/null
  files app | sed -n 's/^\/to\/\([^ ]*\) .*/\1/p' | paste -sd' '
}
same '*.txt' "$(copied '*.txt')" ".hidden.txt [z].txt a.txt b.txt"
same '[ab].txt' "$(copied '[ab].txt')" "a.txt b.txt"
same '[^a-b].*' "$(copied '[^a-b].[lm]*')" "1.log 2.log c.md"
same '?.log' "$(copied '?.log')" "1.log 2.log"
same '*/*/*.so' "$(copied '*/*/*.so')" "p.so q.so"
same '*/x' "$(copied 'l*/x')" "p.so q.so"
same '[[]z].txt' "$(copied '[[]z].txt')" "[z].txt"
printf 'FROM scratch\nCOPY [a /to/\n' | expect 3 "*<stdin>:2:6: *" shale build -f - context
same 'no match' "$(copied '*.none')" ""
