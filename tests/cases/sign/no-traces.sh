#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# While shale holds a passphrase it leaves no core and nobody of the same user can look into it; neither passphrase nor key
# is printed, or left in a file.
# NEEDS: root setpriv prlimit
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir user
chown 1000:1000 user
mkfifo fifo
# Both ends are ours: the passphrase never ends, and its reader waits for more.
exec 3<>fifo
printf 'my little ' >fifo
prlimit --core=4096:4096 --pid $$
setpriv --reuid 1000 --regid 1000 --clear-groups -- shale keygen --passphrase-fd 3 user/team >out 2>&1 &
shale=$!
trap 'kill $shale 2>kill.out || true' EXIT
holds_no_core() {
  grep -q '^Max core file size  *0 ' "/proc/$shale/limits"
}
# /proc belongs to root when a process cannot be dumped.
is_root_s() {
  [ "$(stat -c %u "/proc/$shale/environ")" -eq 0 ]
}
wait_for holds_no_core
wait_for is_root_s
tr '\0' ' ' <"/proc/$shale/cmdline" | grep -q little && fail "on the command line"
kill -0 "$shale" || fail "it did not wait: $(cat out)"
kill "$shale"
wait "$shale" || true
exec 3>&-
same "nothing was made" "$(ls user)" ""

SHALE_PASSPHRASE='my little secret' as_user shale keygen user/team >out 2>&1
small_image app >/dev/null
SHALE_PASSPHRASE='my little secret' shale sign --json --key user/team.key app >>out 2>&1
SHALE_PASSPHRASE='my little mistake' expect 6 '*wrong passphrase*' shale sign --key user/team.key app
cat expect.out >>out
grep -q 'little' out && fail "printed: $(cat out)"
printf 'my little secret' >pass
seed=$(python3 "$SHALE_SOURCE/tests/support/keyfile.py" decrypt --passphrase-file pass user/team.key | tail -c 65)
grep -rlE "little|$seed" user store out && fail "written to a file"
true
