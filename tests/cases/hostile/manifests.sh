#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Build files that are no text, grow without end, or name what is not theirs: refused, within bounds, and nothing is built.
# NEEDS: time
# TIMEOUT: 120
# SANITIZERS: first
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/hostile.sh"

canary
mkdir context
echo x >context/x
"$SHALE_SOURCE/tests/hostile/manifests.py" manifests >table

built() {
  bounded "$2" "*$3*" shale build -q -f "manifests/$1" -t x context
  ! grep -q "$(printf '\033')" expect.out || fail "an escape sequence reached the terminal"
  if [ "$2" -ne 0 ]; then
    same "names" "$(names)" ""
  else
    unwatched shale rm x >/dev/null
  fi
}

shale images >/dev/null 2>&1 || :
table built table

# Files that never end, or are none.
truncate -s 1G huge
bounded 4 "*huge*" shale build -f huge context
bounded 4 "*" shale build -f - context </dev/zero
mkfifo fifo
mkdir directory
for file in fifo directory /dev/null /dev/zero; do
  bounded 3 "*$file*" shale build -f "$file" context
done
bounded 8 "*nothing*" shale build -f nothing context

# An ignore file with all that such files can have.
printf 'FROM scratch\nCOPY . /\n' >manifest
{ yes '**/a*b*c*d*e*f*g' | head -n 9000; } >context/.dockerignore
for depth in 1 2 3 4 5 6; do
  mkdir -p "context/$(printf 'aaaaaaaa/%.0s' $(seq "$depth"))"
done
bounded 0 "*" shale build -q -f manifest -t x context
yes '*' | head -n 20000 >context/.dockerignore
bounded 4 "*dockerignore*" shale build -f manifest context
truncate -s 2M context/.dockerignore
bounded 4 "*dockerignore*" shale build -f manifest context
printf 'a\0b\n' >context/.dockerignore
bounded 3 "*dockerignore*" shale build -f manifest context
canary_is_alive
