#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A mount that hides its own store, or the directory it was made from, never waits for itself.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context top
seq 200000 >context/numbers
export SHALE_STORE="$PWD/top/store"
printf 'FROM scratch\nCOPY numbers /\n' | build_text app context >/dev/null
for where in top top/store top/store/blobs/sha256; do
  timeout 20 shale mount -o nonempty app "$PWD/$where"
  server=$(server_of "$where")
  timeout 20 cmp "$where/numbers" context/numbers
  [ "$where" = top ] || timeout 20 ls top/store >/dev/null
  timeout 20 shale umount "$where"
  wait_for is_gone "$server"
  same "leases" "$(ls -A top/store/shale/leases)" ""
done
# It serves a directory below its own mount's.
mkdir -p tree/in/side
shale import -q -t nest dir:tree >/dev/null
mkdir mnt
timeout 20 shale mount nest "$PWD/mnt"
(cd mnt/in && timeout 20 shale mount app side && timeout 20 cmp side/numbers "$OLDPWD/context/numbers")
timeout 20 shale umount mnt/in/side
timeout 20 shale umount mnt
timeout 20 shale fsck >/dev/null
