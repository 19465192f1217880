#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What fsck cannot read is an error, and no damage: 7, whichever look at a blob fails; with damage beside it 5.
# NEEDS: strace
# SANITIZERS: no
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

manifest=$(blob "$(small_image app:1)")
layer=$(blob "$(layers app:1)")
# broken STATUS CALL FILE TEXT: fsck, once for each of these calls on the file, while that one fails.
broken() {
  strace -f -y -o trace -e "trace=$2" shale fsck --read-data >/dev/null 2>&1 || true
  # Calls count from 1; a file is opened by its name, and read by a descriptor that strace names.
  calls=$(grep "$2(" trace | grep -n "${3##*/}" | cut -d : -f 1)
  [ -n "$calls" ] || fail "no $2 on $3"
  for number in $calls; do
    expect "$1" "*$4*" strace -f -o injected -e "trace=$2" -e "inject=$2:error=EIO:when=$number" shale fsck --read-data
    grep -q "Input/output error" expect.out || fail "no reason: $(cat expect.out)"
    grep -q INJECTED injected || fail "$2 $number was not called"
  done
}
for call in openat pread64; do
  broken 7 $call "$layer" "the store cannot be read: 1 error:"
done
broken 7 read "$manifest" "Input/output error"
expect 0 "*0 errors*" shale fsck --read-data
flip "$layer" 60
broken 5 read "$manifest" "the store is damaged: "
