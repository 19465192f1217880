#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A passphrase comes from a file or descriptor (less one newline), or from SHALE_PASSPHRASE; never from arguments.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image app >/dev/null
printf 'two\nlines \n' >file
shale keygen --passphrase-file file team >/dev/null
exact=$(printf 'two\nlines x')
exact=${exact%x}
shale sign --key team.key --passphrase-file file app >/dev/null
shale sign --key team.key --passphrase-fd 5 app 5<file >/dev/null
SHALE_PASSPHRASE=$exact shale sign --key team.key app >/dev/null
printf 'two\nlines \n\n' >file
expect 6 "*'team.key'*wrong passphrase*" shale sign --key team.key --passphrase-file file app
printf 'two\r\nlines \n' >file
expect 6 "*'team.key'*wrong passphrase*" shale sign --key team.key --passphrase-file file app

# The option wins over the environment.
SHALE_PASSPHRASE=$exact expect 6 "*'team.key'*wrong passphrase*" shale sign --key team.key --passphrase-file file app
SHALE_PASSPHRASE='' shale keygen empty >/dev/null
SHALE_PASSPHRASE='' shale sign --key empty.key app >/dev/null
expect 2 "*exclude each other*" shale sign --key team.key --passphrase-file file --passphrase-fd 0 app
expect 2 "*'x' is not a descriptor*" shale sign --key team.key --passphrase-fd x app
expect 8 "*'none'*" shale sign --key team.key --passphrase-file none app
head -c 4097 /dev/zero >file
expect 4 "*'file': the passphrase is longer than 4096 bytes" shale sign --key team.key --passphrase-file file app
# Nobody is asked for a passphrase, nor is one read, when the rest is wrong.
expect 2 "*'--identity'*'BAD NAME'*" shale sign --key team.key --identity 'BAD NAME' --passphrase-file none app
# No terminal, no passphrase.
expect 2 "*there is no terminal to ask*" setsid -w shale sign --key team.key app </dev/null
grep -q "the passphrase of key file 'team.key'" expect.out || fail "$(cat expect.out)"
expect 2 "shale: the passphrase of the new key is needed, and there is no terminal to ask for it: give a passphrase file, or \
set SHALE_PASSPHRASE" setsid -w shale keygen new </dev/null

# A prefix is part of a name: files that are hidden are not found again.
mkdir keys
for prefix in '' keys/; do
  expect 2 "shale: the prefix '$prefix' has no name for the key files" shale keygen --passphrase-file none "$prefix"
done
same "key files" "$(find . -name '.*.*')" ""
