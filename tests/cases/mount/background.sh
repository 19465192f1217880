#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The server in the background keeps nothing of its caller: no descriptors, terminal or directory, so that $(...) returns.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image app >/dev/null
mkdir mnt
# shellcheck disable=SC2016 # for the other shell
timeout 20 sh -c 'exec 7>held && out=$(shale mount app "$PWD/mnt" 2>&1) && test -z "$out"' || fail "it ended with $?"
server=$(server_of mnt)
same "its directory" "$(readlink "/proc/$server/cwd")" /
same "its session" "$(cut -d' ' -f6 "/proc/$server/stat")" "$server"
for fd in 0 1 2; do
  same "descriptor $fd" "$(readlink "/proc/$server/fd/$fd")" /dev/null
done
ls -l "/proc/$server/fd" >fds
if grep 'pipe:\|held\|/dev/pts\|/tty' fds >&2; then
  fail "the server holds what is its caller's"
fi
shale umount mnt
