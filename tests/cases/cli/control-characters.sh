#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Names from an image cannot move the cursor or begin a line: control characters and bad UTF-8 are escaped everywhere.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir tree
: >"tree/$(printf 'red\033[31m')"
: >"tree/$(printf 'new\nline')"
: >"tree/$(printf 'bad\377')"
: >"tree/$(printf 'bidi\342\200\256end')"
: >"tree/$(printf 'caf\303\251')"
ln -s "$(printf 'to\033]0;title\007')" tree/link
shale import -t app dir:tree >/dev/null

for options in '' -l -R; do
  # shellcheck disable=SC2086 # none or one
  shale ls $options app >out
  same "lines of ls $options" "$(wc -l <out)" 6
  if LC_ALL=C grep -n "$(printf '[\001-\037\177\377]')" out >&2; then
    fail "ls $options let a control character through"
  fi
  if LC_ALL=C grep -q "$(printf '\342\200\256')" out; then
    fail "ls $options let a change of direction through"
  fi
  grep -q "$(printf 'caf\303\251')$" out || fail "ls $options escaped a letter"
done
shale ls --json app >out.json
same "names in JSON" "$(json out.json "sorted(f['path'] for f in d)[0]")" '/bad\xff'
expect 8 "*no file '/x\\\\x1b\[31m' in the image" shale cat app "$(printf '/x\033[31m')"
