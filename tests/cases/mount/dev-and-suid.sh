#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Device nodes and setuid bits of an image work only when root asks for it.
# NEEDS: root fuse setpriv busybox
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p tree mnt
mknod -m 666 tree/zero c 1 5
cp "$(command -v busybox)" tree/id
chmod 4755 tree/id
shale import -q -t app dir:tree >/dev/null
shale mount -o allow_other app mnt
[ "$(status_of head -c 1 mnt/zero)" -ne 0 ] || fail "a device works without -o dev"
same "setuid without -o suid" "$(as_user mnt/id id -u 2>/dev/null || as_user mnt/id -u)" 1000
shale umount mnt
shale mount -o allow_other,dev -o suid app mnt
# Where devices of such a file system are not allowed at all, there is nothing to see.
if head -c 1 mnt/zero >zero 2>/dev/null; then
  same "a device with -o dev" "$(wc -c <zero)" 1
fi
same "mount options" "$(grep " $PWD/mnt " /proc/self/mountinfo | cut -d' ' -f6 | grep -c 'nodev\|nosuid' || true)" 0
shale umount mnt
