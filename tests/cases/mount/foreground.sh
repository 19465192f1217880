#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mount -f stays in the foreground and ends, with 0 and the mount gone, by SIGINT or SIGTERM, also by that of a terminal, which
# reaches both of its processes.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image app >/dev/null
mkdir mnt
for how in '-INT ' '-TERM ' '-INT -' '-TERM -' '-HUP -'; do
  # A shell that is not interactive has its background ignore SIGINT.
  env --default-signal=INT,HUP setsid shale mount -f app "$PWD/mnt" >out 2>&1 &
  supervisor=$!
  wait_for test -e mnt/hello
  server=$(server_of mnt)
  # A process, or with the dash its group.
  kill "${how% *}" "${how#* }$supervisor"
  status=0
  wait "$supervisor" || status=$?
  same "exit status after kill $how" "$status" 0
  is_unmounted mnt || fail "still mounted"
  is_gone "$server" || fail "the server is still there"
  same "output" "$(cat out)" ""
done
