#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# After kill -9 of the server and its supervisor callers get ENOTCONN, not a hang, and shale umount cleans up.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mount_small
kill_mount mnt
expect 1 "*not connected*" timeout 10 cat mnt/hello
timeout 10 shale umount mnt
is_unmounted mnt || fail "still there"
shale mount app mnt
same "mounted again" "$(cat mnt/hello)" hello
shale umount mnt
