#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A session is as it was left when it is mounted again: after umount, after all processes of the mount were killed, when
# its image lost its name, or the name is another image's.
# NEEDS: root fuse getfattr
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

make_rootfs tree
digest=$(shale import -q -t app dir:tree)
mkdir mnt
shale mount --edit --session work app "$PWD/mnt" >/dev/null
echo one >mnt/one
printf tail >>mnt/bin/tool
ln mnt/etc/passwd mnt/passwd
cp -a mnt want
inode=$(stat -c %i mnt/one mnt/bin/tool mnt/etc)
shale umount mnt

# By its name alone.
same "its name" "$(shale mount --edit --session work "$PWD/mnt")" work
same_trees want mnt
same "inode numbers" "$(stat -c %i mnt/one mnt/bin/tool mnt/etc)" "$inode"

# Nothing is synced, and both processes are killed.  A file is open, another open and gone.
exec 8>>mnt/open 9<>mnt/gone
rm mnt/gone
mv mnt/etc mnt/moved
head -c 5000000 /dev/urandom >mnt/moved/random
echo open >&8
head -c 100000 /dev/urandom >&9
chmod 700 mnt/home
rm mnt/bin/tool2
cp -a mnt want2
kill_mount mnt
expect 1 "*Transport endpoint is not connected*" touch mnt/none
expect 1 "*" sh -c 'echo more >&8'
exec 8>&- 9>&-
shale umount mnt
is_unmounted mnt || fail "still mounted"
same "it is idle" "$(shale sessions | awk '$1 == "work" { print $NF }')" idle
data=$(find store/shale/sessions/*/data -type f | wc -l)
shale mount --edit --session work app "$PWD/mnt" >/dev/null
same_trees want2 mnt
sync mnt/home
[ "$(find store/shale/sessions/*/data -type f | wc -l)" -lt "$data" ] || fail "the data of a file that is gone are kept"
shale umount mnt

# The supervisor alone: the worker takes the mount away.
shale mount --edit --session work app "$PWD/mnt" >/dev/null
echo two >mnt/two
cp -a mnt want3
server=$(server_of mnt)
kill -KILL "$(supervisor_of mnt)"
wait_for is_gone "$server"
is_unmounted mnt || fail "still mounted"

# Its image has no name any more, then the name is another's.
shale rm app >/dev/null
expect 0 "removed 0 blobs*" shale gc
shale mount --edit --session work "$PWD/mnt" >/dev/null
same_trees want3 mnt
shale umount mnt
small_image app other >/dev/null
# As the manual page has it: the image may be left out; who names one means what has the session's name for it, or its digest.
shale mount --edit --session work "$digest" "$PWD/mnt" >/dev/null
same_trees want3 mnt
shale umount mnt
small_image other >/dev/null
expect 9 "*session 'work' is there, and edits 'localhost/app:latest', not 'other'*" \
  shale mount --edit --session work other "$PWD/mnt"
expect 0 "*0 errors*" shale fsck --read-data
shale session rm work >/dev/null
shale gc >/dev/null
expect 8 "*" shale ls "$digest"
