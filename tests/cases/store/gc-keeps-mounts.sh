#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# gc keeps what a mount uses, though its name is gone, and removes it when the mount is.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

has_no_leases() {
  [ -z "$(ls -A "$SHALE_STORE/shale/leases")" ]
}

mkdir mnt context
seq 500000 >context/x
printf 'FROM scratch\nCOPY x /\n' | build_text app context >/dev/null
shale mount app "$PWD/mnt"
shale rm app >/dev/null
shale gc --json >gc.json
same "removed" "$(json gc.json "d['removed_blobs'], d['kept_blobs']")" "(0, 3)"
cmp mnt/x context/x
shale umount mnt
wait_for is_unmounted mnt
wait_for has_no_leases
shale gc --json >gc.json
same "removed" "$(json gc.json "d['removed_blobs']")" 3

# The lease of a server that was killed holds nothing.
printf 'FROM scratch\nCOPY x /\n' | build_text app context >/dev/null
shale mount app "$PWD/mnt"
shale rm app >/dev/null
kill_mount mnt
shale umount mnt
wait_for sh -c 'shale gc --json >gc.json && grep -q "\"removed_blobs\": 3" gc.json'
