#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The whole way: an image is mounted, edited by ordinary programs, looked at, committed, and its session removed; the image
# that was edited stays as it was.
# NEEDS: root fuse getfattr
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

make_rootfs tree
digest=$(shale import -q -t app:1 dir:tree)
find store/blobs -type f -exec sha256sum {} + | sort >blobs
mkdir mnt mnt1 mnt2

same "the name is told" "$(shale mount --edit app:1 mnt)" app-1
same_trees tree mnt
same "what mount(8) shows" "$(findmnt -n -o FSTYPE,SOURCE "$PWD/mnt" | tr -s ' ')" "fuse.shale session/app-1@$(basename "$PWD"/store/shale/sessions/*)"
echo changed >>mnt/etc/passwd
mkdir mnt/new
cp -a tree/bin mnt/new/
rm -r mnt/home/user
mv mnt/etc mnt/conf
# While it is mounted and read-only elsewhere.
shale mount app:1 mnt1
same_trees tree mnt1
shale diff app-1 >mounted
shale commit -q -t app:1-mounted app-1 >mounted.digest
same "what is seen after it" "$(tail -1 mnt/conf/passwd)" changed
same "its mode" "$(stat -c %a mnt/new/bin/tool)" 4755
cp -a mnt want
shale umount mnt
is_unmounted mnt || fail "still mounted"
same "the mountpoint" "$(ls -A mnt)" ""

shale diff app-1 >changes
diff -u mounted changes >&2 || fail "diff tells other things of a mounted session"
for line in 'A /conf/passwd' 'A /new/bin/tool' 'D /home/user' 'D /etc' 'A /conf/link'; do
  grep -qxF "$line" changes || fail "diff has no line '$line': $(cat changes)"
done
shale commit -q -t app:2 app-1 >digest
same "the commit of the mounted session" "$(cat mounted.digest)" "$(cat digest)"
shale mount app:2 mnt2
same_trees want mnt2

# The one that was edited.
same "its digest" "$(inspect app:1 "d['digest']")" "$digest"
same_trees tree mnt1
sha256sum -c --quiet blobs >&2 || fail "a blob was changed"
shale umount mnt1
shale umount mnt2

shale session rm app-1 >/dev/null
same "sessions" "$(shale sessions -q)" ""
shale mount --edit --session fresh app:1 mnt >/dev/null
same_trees tree mnt
shale umount mnt
expect 0 "*0 errors*" shale fsck --read-data
same "processes" "$(pgrep -f "shale mount .*$PWD" || true)" ""
