#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# With -o allow_other others look by the image's owners and modes, without it not at all.
# NEEDS: root fuse setpriv getfattr setfattr
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p tree/closed tree/open mnt
echo all >tree/open/all
echo root >tree/open/root
echo mine >tree/open/mine
echo group >tree/open/group
echo hidden >tree/closed/file
echo none >tree/open/none
chmod 600 tree/open/root tree/open/mine
chmod 640 tree/open/group
chmod 700 tree/closed
chmod 0000 tree/open/none
chown 1000:1000 tree/open/mine
chown 0:1000 tree/open/group
setfattr -n trusted.note -v x tree/open/all
setfattr -n user.note -v y tree/open/all
shale import -q -t app dir:tree >/dev/null
shale mount app mnt
same "without" "$(status_of as_user cat mnt/open/all)" 1
grep -q 'Permission denied' expect.out
shale umount mnt
shale mount -o allow_other app mnt
same "all" "$(as_user cat mnt/open/all mnt/open/mine mnt/open/group | paste -sd' ')" "all mine group"
same "root's" "$(status_of as_user cat mnt/open/root)" 1
same "mode 0000" "$(status_of as_user cat mnt/open/none)" 1
grep -q 'Permission denied' expect.out
same "default_permissions" "$(grep " $PWD/mnt " /proc/self/mountinfo | grep -c 'default_permissions,allow_other')" 1
same "in a closed directory" "$(status_of as_user cat mnt/closed/file)" 1
# As on any file system of Linux, names under "trusted." are for root.
same "names of xattrs, as a user" "$(as_user getfattr -m - mnt/open/all 2>/dev/null | grep -v '^#\|^$' | paste -sd' ')" "user.note"
same "as root" "$(getfattr -m - mnt/open/all 2>/dev/null | grep -v '^#\|^$' | paste -sd' ')" "trusted.note user.note"
same "root" "$(cat mnt/open/root mnt/closed/file mnt/open/none | paste -sd' ')" "root hidden none"
shale umount mnt
