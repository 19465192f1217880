#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A store on a read-only file system can be looked at; what writes says so.
# NEEDS: root
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

digest=$(small_image app)
make_key team
sign app
mkdir ro
mount --bind "$SHALE_STORE" ro
mount -o remount,bind,ro ro
export SHALE_STORE="$PWD/ro"
same "images" "$(shale images --digests | sed -n 's/^localhost\/app[^ ]* *\([^ ]*\) .*/\1/p')" "$digest"
same "cat" "$(shale cat app /hello)" hello
same "ls" "$(shale ls app)" hello
same "verify" "$(shale verify --key team.pub app)" "$digest"
shale fsck -q --read-data >/dev/null
expect 7 '*' shale tag app other
expect 7 '*' shale rm app
expect 7 '*' shale gc
expect 7 '*cannot write to the store*Read-only file system*' shale fsck --repair
umount ro
