#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A mount ends by shale umount, umount(8), fusermount3 -u, and SIGTERM or SIGINT to the server, which then goes away.
# NEEDS: root fuse fusermount3
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mount_small
shale umount mnt
for how in 'shale umount mnt' "shale umount $PWD/mnt/" 'umount mnt' 'fusermount3 -u mnt' 'kill' 'kill -INT' 'kill -HUP' \
  'shale umount --lazy mnt'; do
  # Signals that whoever runs the tests ignores (nohup) would stay ignored.
  env --default-signal=HUP,INT shale mount app "$PWD/mnt"
  server=$(server_of mnt)
  same "content" "$(cat mnt/hello)" hello
  case $how in
  kill*) $how "$server" ;;
  *) $how ;;
  esac
  wait_for is_unmounted mnt
  wait_for is_gone "$server"
done
expect 8 "*no shale mount at 'mnt'*" shale umount mnt
expect 8 '*' shale umount none
expect 8 '*' shale umount /proc
same "leases" "$(ls -A "$SHALE_STORE/shale/leases")" ""
