#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A private mount of a normal user shows him every file, also those of root and of mode 0000, and nobody else any.
# NEEDS: root fuse setpriv fusermount3
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

open_fuse_device "$0"
make_rootfs tree
tar -C tree --xattrs --xattrs-include='*' -cf tree.tar .
mkdir user
chown 1000:1000 user
export SHALE_STORE="$PWD/user/store"
as_user shale import -q -t app rootfs:tree.tar >/dev/null
as_user mkdir user/mnt
as_user shale mount app user/mnt
(cd tree && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum --) >want
as_user sh -c 'cd user/mnt && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum --' | diff -u want - >&2
listing tree >want
# shellcheck disable=SC2016 # for the other shell
as_user sh -c '. "$SHALE_CASES/lib.sh" && listing user/mnt' >got
diff -u want got >&2
expect 1 '*Permission denied*' cat user/mnt/etc/passwd
same "nosuid, nodev" "$(grep " $PWD/user/mnt " /proc/self/mountinfo | cut -d' ' -f6 | tr , '\n' | sort | paste -sd' ')" \
  "nodev nosuid relatime ro"
as_user shale umount user/mnt
wait_for is_unmounted user/mnt
# A caller that ignores the end of its children, as some supervisors do.
as_user env --ignore-signal=CHLD shale mount app user/mnt
as_user env --ignore-signal=CHLD shale umount user/mnt
wait_for is_unmounted user/mnt
expect 2 "*for root*" as_user shale mount -o dev app user/mnt
expect 8 '*' as_user shale umount user/mnt
