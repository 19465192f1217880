#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# umount takes a link to the mountpoint, also to one whose server is dead or stuck, and through links in its path.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image app >/dev/null
mkdir -p real/mnt none
ln -s real/mnt relative
ln -s "$PWD/real/mnt" absolute
ln -s real parent
ln -s ../relative real/chain
ln -s loop loop
ln -s missing dangling
ln -s none elsewhere
for name in relative relative/ absolute parent/mnt real/chain parent/chain; do
  shale mount app real/mnt
  shale umount "$name"
  is_unmounted real/mnt || fail "still there after 'umount $name'"
done
for name in loop dangling elsewhere; do
  expect 8 "shale: no shale mount at '$name'" shale umount "$name"
done

shale mount app "$PWD/real/mnt"
server=$(server_of real/mnt)
kill -STOP "$server"
timeout 10 shale umount -l relative
kill -CONT "$server"
is_unmounted real/mnt || fail "a mount with a stuck server is still there"
wait_for is_gone "$server"
shale mount app "$PWD/real/mnt"
kill_mount real/mnt
timeout 10 shale umount real/chain
is_unmounted real/mnt || fail "a dead mount is still there"
