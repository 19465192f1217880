#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --cache takes sizes from 4M on; the smallest still reads everything, and is kept to.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context mnt
for i in 1 2 3 4 5 6 7 8; do
  head -c 4000000 /dev/urandom >"context/$i"
done
printf 'FROM scratch\nCOPY . /\n' | build_text app context >/dev/null
for wrong in 0 1 4095K 3M x 4Mx ''; do
  expect 2 "*'--cache'*" shale mount --cache "$wrong" app mnt
done
shale mount --cache 4M app "$PWD/mnt"
pids=
for i in 1 2 3 4 5 6 7 8; do
  cmp "mnt/$i" "context/$i" &
  pids="$pids $!"
done
for pid in $pids; do
  wait "$pid"
done
rss=$(awk '/^VmRSS:/ { print $2 }' "/proc/$(server_of mnt)/status")
# Sanitizers have memory of their own.
grep -q __asan_init "$(command -v shale)" || [ "$rss" -lt 65536 ] || fail "the server takes $rss KiB"
shale umount mnt
