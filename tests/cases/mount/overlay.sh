#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The kernel's overlayfs takes a mount as its lower directory: what is written goes above it.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p tree/dir mnt upper work merged
echo lower >tree/dir/file
echo other >tree/dir/other
shale import -q -t app dir:tree >/dev/null
shale mount app mnt
# In a container the directories themselves may be overlayfs.
mount -t tmpfs none work
mkdir work/upper work/work
mount -t overlay -o lowerdir=mnt,upperdir=work/upper,workdir=work/work none merged 2>err || skip "no overlayfs: $(cat err)"
echo added >>merged/dir/file
rm merged/dir/other
same "above" "$(paste -sd' ' merged/dir/file) $(ls merged/dir)" "lower added file"
same "below" "$(cat mnt/dir/file mnt/dir/other | paste -sd' ')" "lower other"
umount merged
umount work
shale umount mnt
