#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Key files that are weak, forged, misspelt or too big are refused, before they cost time or memory; so are files that are
# none.
# NEEDS: time
# TIMEOUT: 120
# SANITIZERS: first
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/hostile.sh"

small_image app >/dev/null
make_key team
sign app
"$SHALE_SOURCE/tests/hostile/keys.py" keys pass team.pub >table

# The word has to stand behind the name of the file, which may hold it, too.
used() {
  word="*'$1'*$3*"
  [ "$2" -ne 0 ] || word='*'
  case $1 in
  *.pub) bounded "$2" "$word" shale verify -q --key "$1" app ;;
  *) bounded "$2" "$word" shale sign --key "$1" --passphrase-file pass app ;;
  esac
}

table used table

mkfifo fifo
mkdir directory
for file in fifo directory /dev/zero /dev/null; do
  bounded 3 "*'$file'*" shale verify -q --key "$file" app
  bounded 3 "*'$file'*" shale sign --key "$file" --passphrase-file pass app
done
bounded 8 "*'nothing'*" shale verify -q --key nothing app
# A passphrase that never ends, and one that never comes.
bounded 4 "*passphrase*" shale sign --key team.key --passphrase-file /dev/zero app
head -c 1048576 /dev/zero >long
bounded 4 "*passphrase*" shale sign --key team.key --passphrase-file long app
# A key is never written through a link.
ln -s victim new.key
bounded 9 "*new*" shale keygen --passphrase-file pass new
[ ! -e victim ] || fail "a key was written through a link"
