#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A mount whose server cannot be replaced, because there is nothing left to serve or each one dies at once, ends: those who
# wait get an error, syslog says why, and in the foreground the command fails.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

# A /dev of its own, with a log that can be read.
if [ -z "${CASE_HAS_LOG:-}" ]; then
  mkdir dev
  mknod -m 666 dev/null c 1 3
  mknod -m 666 dev/zero c 1 5
  mknod -m 666 dev/urandom c 1 9
  mknod -m 666 dev/fuse c 10 229
  ln -s /proc/self/fd dev/fd
  # shellcheck disable=SC2016 # for the other shell
  CASE_HAS_LOG=1 exec unshare -m sh -c 'mount --bind dev /dev && exec sh "$1"' - "$0"
fi
python3 - <<'END' &
import socket
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log, open("log", "wb", buffering=0) as f:
    log.bind("/dev/log")
    while True:
        f.write(log.recv(65536) + b"\n")
END
logger=$!
trap 'kill "$logger"' EXIT
wait_for test -S /dev/log

mkdir -p context mnt
for name in one two; do
  seq 100000 >"context/$name"
done
printf 'FROM scratch\nCOPY . /\n' | build_text app context >/dev/null
layer=$(blob "$(layers app)")

# Its layer is gone, and somebody waits.
shale mount app "$PWD/mnt"
supervisor=$(supervisor_of mnt)
server=$(server_of mnt)
cmp mnt/one context/one
mv "$layer" saved
kill -STOP "$server"
wait_for is_stopped "$server"
cat mnt/two >got 2>err &
reader=$!
wait_for waits_for_server "$reader"
kill -KILL "$server"
status=0
wait "$reader" || status=$?
same "status of who waited" "$status" 1
grep -q 'abort\|not connected' err || fail "$(cat err)"
wait_for is_unmounted mnt
wait_for is_gone "$supervisor"
same "servers" "$(server_of mnt)" ""
grep -q "shale\[$supervisor\]: .*the worker of the mount at '$PWD/mnt' died (killed by signal 9): another takes over" log ||
  fail "$(cat log)"
grep -q "shale\[$supervisor\]: .*the mount at '$PWD/mnt' ended: its worker died too often (7 times, the last: .*blob.* is not in the store)" \
  log || fail "$(cat log)"

# In the foreground, where somebody kills each one.
mv saved "$layer"
shale mount -f app "$PWD/mnt" 2>messages &
foreground=$!
wait_for test -e mnt/one
is_replaced() {
  is_gone "$foreground" || has_new_server mnt "$server"
}
kills=0
while server=$(server_of mnt) && [ -n "$server" ]; do
  kill -KILL "$server"
  kills=$((kills + 1))
  [ "$kills" -le 20 ] || fail "it survived $kills kills"
  wait_for is_gone "$server"
  wait_for is_replaced
done
status=0
wait "$foreground" || status=$?
same "status of the foreground" "$status" 1
is_unmounted mnt || fail "still mounted"
tail -n 1 messages | grep -q "^shale: the mount at '$PWD/mnt' ended: its worker died too often (.* times, the last: killed by signal 9): " ||
  fail "$(cat messages)"
same "warnings" "$(grep -c "^shale: warning: .*: another takes over$" messages)" $((kills - 1))
