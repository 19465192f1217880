#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# -o noexec: nothing of the image can be run; -o rw is refused with its reason.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir mnt tree
printf '#!/bin/sh\necho ran\n' >tree/tool
chmod 755 tree/tool
shale import -q -t app dir:tree >/dev/null
expect 2 "shale: option '-o': no 'rw': --edit makes an image writable" shale mount -o rw app mnt
shale mount -o allow_other app mnt
expect 0 ran mnt/tool
shale umount mnt
shale mount -o ro,noexec app mnt
expect 126 '*' sh -c mnt/tool
same "read" "$(cat mnt/tool)" "$(cat tree/tool)"
shale umount mnt
