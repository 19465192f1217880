#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# After kill -9 of the process that answers another takes over: whoever waits for an answer gets it, and the right bytes;
# root and users, in the background and with -f, also when the mount hides its own store.
# NEEDS: root fuse setpriv fusermount3
# TIMEOUT: 120
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

open_fuse_device "$0"
mkdir -p context mnt
head -c 60000000 /dev/urandom >context/big
for name in one two three; do
  seq 100000 | sed "s/^/$name/" >"context/$name"
done
printf 'FROM scratch\nCOPY . /\n' | build_text app context >/dev/null

# Nobody has taken the request: a stopped server is asked, and dies.
shale mount --cache 4M app "$PWD/mnt"
supervisor=$(supervisor_of mnt)
for name in one two three; do
  server=$(server_of mnt)
  kill -STOP "$server"
  wait_for is_stopped "$server"
  cat "mnt/$name" >got 2>err &
  reader=$!
  wait_for waits_for_server "$reader"
  kill_server mnt
  wait "$reader" || fail "a reader of '$name': $(cat err)"
  cmp got "context/$name"
done
same "who replaces it" "$(supervisor_of mnt)" "$supervisor"

# Between any two pieces that somebody reads, and while they come.
mkfifo pipe
cat mnt/big >pipe 2>err &
reader=$!
exec 3<pipe
for _ in 1 2 3 4 5 6 7 8 9 10; do
  head -c 3000000 <&3
  kill_server mnt
done >got
cat <&3 >>got
exec 3<&-
wait "$reader" || fail "a reader of a big file: $(cat err)"
cmp got context/big
shale umount mnt
wait_for is_gone "$supervisor"
same "servers" "$(server_of mnt)" ""

# The worker has taken the request, and waits for its own store, which is in another mount whose server stands still.
mkdir outer inner
shale import -q -t outer dir:store >/dev/null
shale mount --cache 4M outer "$PWD/outer"
shale mount --store outer --cache 4M app "$PWD/inner"
outer=$(server_of outer)
supervisor=$(supervisor_of inner)
server=$(server_of inner)
cat inner/one >/dev/null
kill -STOP "$outer"
wait_for is_stopped "$outer"
cat inner/big >got 2>err &
reader=$!
wait_for waits_for_server "$server"
kill -KILL "$server"
wait_for has_new_server inner "$server"
kill -CONT "$outer"
wait "$reader" || fail "a reader whose request had been taken: $(cat err)"
cmp got context/big
shale umount inner
wait_for is_gone "$supervisor" # till then its store is in use
shale umount outer

# What has not been read yet is read by the successor alone; what gc would take away is kept for him.
mkdir top
mv store top/store
export SHALE_STORE="$PWD/top/store"
for where in top top/store top/store/blobs/sha256; do
  shale mount -o nonempty app "$PWD/$where"
  kill_server "$where"
  cmp "$where/two" context/two
  shale umount "$where"
  wait_for is_unmounted "$where"
done
shale mount app "$PWD/mnt"
supervisor=$(supervisor_of mnt)
server=$(server_of mnt)
kill -STOP "$supervisor"
kill -KILL "$server"
wait_for is_gone "$server"
shale rm app >/dev/null
shale gc --json >gc.json
kill -CONT "$supervisor"
timeout 10 cmp mnt/three context/three
shale umount mnt
same "what gc removed" "$(json gc.json "d['removed_blobs']")" 0

# A user's.
mkdir user
printf 'FROM scratch\nCOPY . /\n' | build_text app context >/dev/null
cp -r top/store user/store
mkdir user/mnt
chown -R 1000:1000 user
export SHALE_STORE="$PWD/user/store"
answers() {
  as_user test -e user/mnt/one
}
for option in '' -f; do
  if [ "$option" ]; then
    as_user shale mount "$option" app "$PWD/user/mnt" 2>messages &
    foreground=$!
  else
    as_user shale mount app "$PWD/user/mnt"
  fi
  wait_for answers
  kill_server user/mnt
  as_user cat user/mnt/two | cmp - context/two
  server=$(server_of user/mnt)
  same "whose server" "$(stat -c %u "/proc/$server")" 1000
  same "who may debug it" "$(stat -c %u "/proc/$server/mem")" 0
  as_user fusermount3 -u user/mnt
  wait_for is_gone "$server"
done
wait "$foreground"
grep -q "^shale: warning: the worker of the mount at '.*/user/mnt' died (killed by signal 9): another takes over$" messages ||
  fail "$(cat messages)"
