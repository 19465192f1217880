#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# -o writeback: what the kernel keeps reaches the session by itself, by fsync, by a commit and by umount; a worker that is
# killed loses none of it, and times are as programs set them.
# NEEDS: root fuse
# TIMEOUT: 60
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image app >/dev/null
mkdir mnt
expect 2 "*'writeback' goes with '--edit'*" shale mount -o writeback app mnt
shale mount --edit --session work -o writeback app "$PWD/mnt" >/dev/null
head -c 300000 /dev/urandom >want
cp want mnt/copied
kill_server mnt
cmp want mnt/copied
dd if=want of=mnt/pieces bs=100 status=none
touch -d '2001-02-03 04:05:06.789' mnt/pieces
# Neither synced by anybody nor closed, which would write back.
exec 9>mnt/new
cat want >&9
shale commit -q -t app:2 "$PWD/mnt" >/dev/null
shale cat app:2 /new | cmp - want
exec 9>&-
dd if=want of=mnt/last bs=1000 status=none
shale umount mnt
shale mount --edit --session work "$PWD/mnt" >/dev/null
for name in copied pieces new last; do
  cmp want "mnt/$name"
done
same "its time" "$(date -u -r mnt/pieces +%FT%T.%N)" "$(date -u -d '2001-02-03 04:05:06.789' +%FT%T.%N)"
shale umount mnt
