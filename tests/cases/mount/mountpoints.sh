#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A mountpoint is an empty directory; -o nonempty hides what it holds; failures leave no server and no mount.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image app >/dev/null
mkdir 'mnt full' linked
ln -s linked link
echo old >'mnt full/file'
expect 9 "*the mountpoint *mnt full' is not empty (-o nonempty *" shale mount app 'mnt full'
shale mount -o ro,nonempty app 'mnt full'
same "files" "$(ls 'mnt full')" hello
shale umount 'mnt full'
same "files" "$(ls 'mnt full')" file
shale mount app link
same "by a link" "$(cat linked/hello)" hello
shale umount linked
expect 8 "*'none'*" shale mount app none
expect 8 "*cannot mount at '*mnt full/file': Not a directory" shale mount app 'mnt full/file'
expect 8 "*localhost/none*" shale mount none linked
expect 2 "*unknown mount option 'bogus'" shale mount -o ro,bogus app linked
same "servers" "$(pgrep -f "shale mount .*$PWD" || true)" ""
same "mounts" "$(grep -c " $PWD/" /proc/self/mountinfo || true)" 0
