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
supervisor=$(supervisor_of mnt)
same "who replaces the server" "$(cut -d' ' -f4 "/proc/$(server_of mnt)/stat")" "$supervisor"
for process in "$supervisor" "$(server_of mnt)"; do
  same "its directory" "$(readlink "/proc/$process/cwd")" /
  same "its session" "$(cut -d' ' -f6 "/proc/$process/stat")" "$supervisor"
  for fd in 0 1 2; do
    same "descriptor $fd" "$(readlink "/proc/$process/fd/$fd")" /dev/null
  done
  ls -l "/proc/$process/fd" >fds
  if grep 'pipe:\|held\|/dev/pts\|/tty' fds >&2; then
    fail "the server holds what is its caller's"
  fi
  # Of the sockets between caller, supervisor and server only that of the last two is left.
  same "sockets" "$(grep -c 'socket:' fds)" 1
done
shale umount mnt
