#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A server that ends late leaves alone what has been mounted at its mountpoint since.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mount_small
former=$(server_of mnt)
kill -STOP "$former"
shale umount mnt
# The kernel gives the number of the former mount's device to the next one.
shale mount app mnt
kill -CONT "$former"
wait_for is_gone "$former"
same "the new mount" "$(cat mnt/hello)" hello
shale umount mnt
