#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Who is root in a user namespace alone mounts there without help; owners that it does not know are shown as nobody, and
# devices and setuid bits stay without effect.
# NEEDS: root fuse setpriv userns
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

open_fuse_device "$0"
mkdir -p tree user
echo mine >tree/mine
echo other >tree/other
cp "$(command -v id)" tree/id
mknod -m 666 tree/zero c 1 5
chown 0:0 tree/mine
chown 4242:4243 tree/other
chmod 4755 tree/id
chown 1000:1000 user
export SHALE_STORE="$PWD/user/store"
tar -C tree -cf tree.tar .
as_user shale import -q -t app rootfs:tree.tar >/dev/null
as_user mkdir user/mnt
cat >inside.sh <<'END'
. "$SHALE_CASES/lib.sh"
shale mount app "$PWD/user/mnt"
same "owner that is mapped" "$(stat -c %u:%g user/mnt/mine)" 0:0
same "owner that is not" "$(stat -c %u:%g user/mnt/other)" 65534:65534
same "content" "$(cat user/mnt/mine)" mine
# Of an inode without an owner that it knows, the kernel lets nobody write; reading is the server's matter.
same "content of nobody's" "$(cat user/mnt/other)" other
[ "$(status_of head -c 1 user/mnt/zero)" -ne 0 ] || fail "a device works"
same "in the image" "$(shale ls -l app /other | awk '{ print $3 ":" $4 }')" 4242:4243
grep " $PWD/user/mnt " /proc/self/mountinfo | grep -q nosuid.*nodev || fail "$(cat /proc/self/mountinfo)"
shale umount user/mnt
is_unmounted user/mnt || fail "still there"
END
as_user unshare -Urm sh inside.sh
