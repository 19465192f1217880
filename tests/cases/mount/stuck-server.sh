#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Those who wait for a server that does not answer can be interrupted and killed, what the kernel knows stays readable,
# and a server that goes on serves as before.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context mnt
for name in warm cold1 cold2 cold3; do
  seq 100000 >"context/$name"
done
printf 'FROM scratch\nCOPY . /\n' | build_text app context >/dev/null
shale mount app "$PWD/mnt"
server=$(server_of mnt)
cmp mnt/warm context/warm

# A thread that still took a request would hold it, and who waits for it, until it goes on.
stop() {
  kill -STOP "$server"
  wait_for is_stopped "$server"
}

stop
for signal in INT TERM KILL; do
  # A shell that is not interactive has its background ignore SIGINT.
  env --default-signal=INT cat mnt/cold1 >/dev/null 2>&1 &
  reader=$!
  # It waits in the kernel.
  wait_for waits_for_server "$reader"
  kill "-$signal" "$reader"
  wait_for is_gone "$reader"
done
# The kernel may have given pages back meanwhile; not each time.
for round in 1 2 3 4 5; do
  ! timeout 3 cmp mnt/warm context/warm || break
  [ "$round" -lt 5 ] || fail "what was read before cannot be read again"
  kill -CONT "$server"
  cmp mnt/warm context/warm
  stop
done
kill -CONT "$server"
cmp mnt/cold1 context/cold1

# Killed while somebody waits, and nobody is left to replace it: he gets an error.
supervisor=$(supervisor_of mnt)
stop
status=0
cat mnt/cold2 >/dev/null 2>err &
reader=$!
wait_for waits_for_server "$reader"
kill -KILL "$supervisor"
wait_for is_gone "$supervisor"
kill -KILL "$server"
wait "$reader" || status=$?
same "status of a reader whose server dies" "$status" 1
grep -q 'connection abort\|not connected' err || fail "$(cat err)"
timeout 10 shale umount mnt
is_unmounted mnt || fail "still there"
