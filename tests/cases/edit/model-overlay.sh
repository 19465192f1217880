#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Random operations on an edit mount and on the kernel's overlayfs, over one lower tree: names that are made, moved, replaced
# and removed in merged directories have the same results, and the trees are the same.
# NEEDS: root fuse getfattr
# SANITIZERS: first
# TIMEOUT: 300
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

operations=2000
[ -z "${SHALE_FULL:-}" ] || operations=100000
seed=$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')
echo "seed $seed"

# overlayfs moves a merged directory by writing down where it came from, which can be no longer than this.
longest=/sys/module/overlay/parameters/redirect_max
before=$(cat "$longest")
trap 'echo "$before" >"$longest"' EXIT
echo 4096 >"$longest"

mkdir tree mnt upper work overlay
python3 "$SHALE_SOURCE/tests/support/model.py" --populate tree >/dev/null
shale import -q -t app dir:tree >/dev/null
for how in chmod chown touch; do
  "$how" --reference=tree upper
done
mount -t overlay -o lowerdir=tree,upperdir=upper,workdir=work,redirect_dir=on,index=on none overlay
shale mount --edit --session work -o dev,suid app "$PWD/mnt" >/dev/null

# Where overlayfs is no file system like others: a file that was open before it was copied up is another file; the numbers of
# readdir and stat differ; a device 0:0 is a whiteout of its own; what is allocated of a huge file is copied up whole; a copy-up
# may touch the time of the directory.
python3 "$SHALE_SOURCE/tests/support/model.py" overlay mnt --ops "$operations" --seed "$seed" \
  --compare-every $((operations / 4)) --no-dir-nlink --no-dir-mtime --no-ino --tolerate EOPNOTSUPP \
  --without chown_nothing,user_writes,open_file,tmpfile,mknod_zero,huge >out 2>&1 ||
  fail "status $?: $(cat out)"

listing overlay | cut -d '|' -f 1-3,5 | LC_ALL=C sort >want
shale umount mnt
shale mount --edit --session work -o dev,suid app "$PWD/mnt" >/dev/null
listing mnt | cut -d '|' -f 1-3,5 | LC_ALL=C sort >got
diff -u want got >&2 || fail "the trees differ after the session was resumed"
shale umount mnt
umount overlay
expect 0 "*0 errors*" shale fsck
