#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# commit and diff of a mounted session whose mount ends, or whose worker dies, while they read: they say so, and that they
# may be tried again, not that the session is damaged; no image is made.
# NEEDS: root fuse
# TIMEOUT: 120
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image app >/dev/null
mkdir mnt
mkfifo pipe
session=interrupted-$$
shale mount --edit --session "$session" app "$PWD/mnt" >/dev/null
# `a` is far more than a pipe holds, `b` takes long to pack; `z` comes last, and is too large to be kept in a row.
seq 2000000 >mnt/a
head -c 60000000 /dev/urandom >mnt/b
seq 100000 >mnt/z
shale umount mnt

# reads_data PROCESS: it has a data file open, so that the session is frozen for it; or it has ended.
reads_data() {
  find "/proc/$1/fd" -lname '*/data/*' 2>/dev/null | grep -q . || is_gone "$1"
}

begin_commit() {
  shale commit -q -t new "$session" >out 2>&1 &
  reader=$!
  wait_for reads_data "$reader"
  kill -STOP "$reader"
  wait_for is_stopped "$reader"
}

end_commit() {
  kill -CONT "$reader"
}

# It waits for who reads the pipe.
begin_diff() {
  shale diff --patch "$session" >pipe 2>out &
  reader=$!
  exec 8<pipe
  dd bs=1 count=1 status=none <&8 >/dev/null
}

end_diff() {
  cat <&8 >/dev/null
  exec 8<&-
}

# The former content of `z` goes away as soon as it is not frozen.
by_umount() {
  echo more >>mnt/z
  shale umount mnt
}

by_kill() {
  echo more >>mnt/z
  kill_server mnt
  rm mnt/z
  sync mnt/a
}

for what in commit diff; do
  for how in by_umount by_kill; do
    shale mount --edit --session "$session" "$PWD/mnt" >/dev/null
    seq 100000 >mnt/z
    "begin_$what"
    is_gone "$reader" && fail "$what has ended before: $(cat out)"
    "$how"
    "end_$what"
    status=0
    wait "$reader" || status=$?
    same "status of $what, $how: $(cat out)" "$status" 9
    grep -qx "shale: .*the session went on while it was read, .*; try again" out || fail "$what, $how: $(cat out)"
    is_unmounted mnt || shale umount mnt
    expect 8 "*" shale inspect new
  done
done

# And so it goes.
shale mount --edit --session "$session" "$PWD/mnt" >/dev/null
echo last >mnt/z
shale commit -q -t new "$session" >/dev/null
same "z" "$(shale cat new /z)" last
shale umount mnt
expect 0 "*0 errors*" shale fsck --read-data
