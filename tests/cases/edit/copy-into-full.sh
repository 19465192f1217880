#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The disk of the store is full: cp names the file that has no room, what it would have replaced is whole, and nothing half
# is left.
# NEEDS: root fuse unshare
# TIMEOUT: 120
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_CASES/edit-command/lib.sh"

TMPDIR=$PWD/tmp
export TMPDIR
mkdir disk mnt tmp more
mount -t tmpfs -o size=16M none disk
export SHALE_STORE="$PWD/disk/store"
small_image app >/dev/null
make_session app w >/dev/null
head -c 30000000 /dev/urandom >more/large
printf before >before
shale cp before w:/large

# names: in the root of the session.
names() {
  find mnt -mindepth 1 -maxdepth 1 -printf '%P\n' | LC_ALL=C sort | paste -s -d ' '
}

no_room="shale: 'large': cannot write: No space left on device"
expect 7 "$no_room" shale cp more/large w:/
is_clean || fail "left: $(ls -A tmp)"
shale mount -q --edit --session w mnt >/dev/null
same "what was there" "$(cat mnt/large)" before
same "names" "$(names)" "hello large"
expect 7 "$no_room" shale cp more/large w:/
expect 7 "shale: 'more/large': cannot write: No space left on device" shale cp more w:/
same "what was there" "$(cat mnt/large)" before
same "names" "$(names)" "hello large more"
same "half files" "$(ls -A mnt/more)" ""
# There is room again.
shale cp before w:/more/small
same "a file after it" "$(cat mnt/more/small)" before
shale umount mnt
umount disk
