#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A mount ends by shale umount, umount(8), fusermount3 -u, and SIGTERM, SIGINT or SIGHUP to either of its processes, which then
# go away; root's and a user's, in the background and with -f.
# NEEDS: root fuse setpriv fusermount3
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

open_fuse_device "$0"
mount_small
shale umount mnt
# The signal goes to the supervisor, with "server" to the server.
for how in 'shale umount mnt' "shale umount $PWD/mnt/" 'umount mnt' 'fusermount3 -u mnt' 'kill' 'kill -INT' 'kill -HUP' \
  'server kill' 'server kill -INT' 'server kill -HUP' 'shale umount --lazy mnt'; do
  # Signals that whoever runs the tests ignores (nohup) would stay ignored.
  env --default-signal=HUP,INT shale mount app "$PWD/mnt"
  supervisor=$(supervisor_of mnt)
  server=$(server_of mnt)
  same "content" "$(cat mnt/hello)" hello
  case $how in
  kill*) $how "$supervisor" ;;
  server*) ${how#server } "$server" ;;
  *) $how ;;
  esac
  wait_for is_unmounted mnt
  wait_for is_gone "$server"
  wait_for is_gone "$supervisor"
done
expect 8 "*no shale mount at 'mnt'*" shale umount mnt
expect 8 "*no shale mount at 'none'*" shale umount none
expect 8 "*no shale mount at '/proc'*" shale umount /proc
same "leases" "$(ls -A "$SHALE_STORE/shale/leases")" ""

# The same for a user, who has no umount(8).
mkdir user
cp -r store user/store
mkdir user/mnt
chown -R 1000:1000 user
SHALE_STORE=$PWD/user/store
is_mounted() {
  ! is_unmounted user/mnt
}
answers() {
  as_user test -e user/mnt/hello
}
as_him() {
  env --default-signal=HUP,INT setpriv --reuid 1000 --regid 1000 --clear-groups -- shale mount "$@" app "$PWD/user/mnt"
}
for how in 'as_user shale umount user/mnt' 'as_user fusermount3 -u user/mnt' 'as_user kill' 'as_user kill -INT'; do
  for where in background foreground; do
    if [ "$where" = background ]; then
      as_him
    else
      as_him -f &
      foreground=$!
      wait_for is_mounted
      wait_for answers
    fi
    server=$(server_of user/mnt)
    supervisor=$(supervisor_of user/mnt)
    same "whose server" "$(stat -c %u "/proc/$server")" 1000
    same "content" "$(as_user cat user/mnt/hello)" hello
    case $how in
    *kill*) $how "$supervisor" ;;
    *) $how ;;
    esac
    wait_for is_unmounted user/mnt
    wait_for is_gone "$server"
    wait_for is_gone "$supervisor"
    if [ "$where" = foreground ]; then
      status=0
      wait "$foreground" || status=$?
      same "how -f ends after '$how'" "$status" 0
    fi
  done
done
same "leases" "$(ls -A user/store/shale/leases)" ""
