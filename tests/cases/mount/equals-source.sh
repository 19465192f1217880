#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A mount is the tree that was packed: names, owners, modes, times to the ns, xattrs, links, devices, content.
# NEEDS: root fuse getfattr
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

make_rootfs tree
shale import -q -t app dir:tree >/dev/null
mkdir mnt
shale mount app mnt
same_trees tree mnt
# Once more, from the kernel's caches, and by several readers at a time.
same_trees tree mnt
pids=
for _ in 1 2 3 4; do
  (contents mnt | cmp - trees.a) &
  pids="$pids $!"
done
for pid in $pids; do
  wait "$pid"
done
diff -r tree/bin mnt/bin
tar -C mnt --numeric-owner -cf - etc | tar -tvf - >/dev/null
shale umount mnt
wait_for is_unmounted mnt
same "the mountpoint" "$(ls -A mnt)" ""
