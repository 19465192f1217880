#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# When the supervisor of a mount is killed the server ends the mount: nobody hangs, and nothing is left of it; root's and a
# user's, in the background and with -f, also while a server takes over.
# NEEDS: root fuse setpriv fusermount3 flock
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

open_fuse_device "$0"
mkdir -p context mnt
head -c 30000000 /dev/urandom >context/big
printf 'FROM scratch\nCOPY . /\n' | build_text app context >/dev/null

# Somebody reads: he gets all, or an error.
shale mount app "$PWD/mnt"
server=$(server_of mnt)
mkfifo pipe
cat mnt/big >pipe 2>err &
reader=$!
exec 3<pipe
head -c 1000000 <&3 >got
kill -KILL "$(supervisor_of mnt)"
wait_for is_gone "$server"
is_unmounted mnt || fail "still mounted"
timeout 20 cat <&3 >>got || fail "the reader hangs"
exec 3<&-
status=0
wait "$reader" || status=$?
if [ "$status" -eq 0 ]; then
  cmp got context/big
else
  grep -q 'abort\|not connected' err || fail "$(cat err)"
fi

mkdir user
cp -r store user/store
mkdir user/mnt
chown -R 1000:1000 user
answers() {
  as_user test -e user/mnt/big
}
for option in '' -f; do
  if [ "$option" ]; then
    as_user shale mount --store user/store "$option" app "$PWD/user/mnt" &
  else
    as_user shale mount --store user/store app "$PWD/user/mnt"
  fi
  wait_for answers
  server=$(server_of user/mnt)
  as_user kill -KILL "$(supervisor_of user/mnt)"
  wait_for is_gone "$server"
  is_unmounted user/mnt || fail "a user's is still mounted"
done

# While a successor opens its view: it waits, as for a gc that runs.
for how in KILL TERM; do
  shale mount app "$PWD/mnt"
  supervisor=$(supervisor_of mnt)
  former=$(server_of mnt)
  exec 9<store/shale/gc.lock
  flock 9
  kill -KILL "$former"
  wait_for has_new_server mnt "$former"
  server=$(server_of mnt)
  kill "-$how" "$supervisor"
  wait_for is_gone "$supervisor"
  # Nobody is left who could end it before it has what it waits for; who asks for the end does not wait for that.
  [ "$how" = TERM ] || exec 9<&-
  wait_for is_gone "$server"
  exec 9<&-
  is_unmounted mnt || fail "still mounted after SIG$how while another took over"
done
