#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mount -f stays in the foreground and ends, with 0 and the mount gone, by SIGINT or SIGTERM.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image app >/dev/null
mkdir mnt
for signal in INT TERM; do
  # A shell that is not interactive has its background ignore SIGINT.
  env --default-signal=INT shale mount -f app mnt >out 2>&1 &
  server=$!
  wait_for test -e mnt/hello
  kill "-$signal" "$server"
  status=0
  wait "$server" || status=$?
  same "exit status after SIG$signal" "$status" 0
  is_unmounted mnt || fail "still mounted"
  same "output" "$(cat out)" ""
done
