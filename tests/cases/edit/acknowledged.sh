#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a call has returned for is there: after kill -9 of the process that answers, while programs go on and notice
# nothing, and after kill -9 of all processes of the mount, when the session is resumed.
# NEEDS: root fuse
# TIMEOUT: 240
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

runs=2
kills=10
ends=4
if [ -n "${SHALE_FULL:-}" ]; then
  runs=20
  kills=10
  ends=200
fi
seed=$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')
echo "seed $seed"
acked() {
  python3 "$SHALE_SOURCE/tests/support/acked.py" "$@"
}
# a_moment TURN: that many seconds have no pattern.
a_moment() {
  sleep "$(awk -v seed="$seed" -v turn="$1" 'BEGIN { srand(seed * 1000 + turn); printf "%.3f", 0.3 * rand() }')"
}

small_image app >/dev/null
mkdir mnt
shale mount --edit --session work app "$PWD/mnt" >/dev/null

# The worker alone.
for run in $(seq "$runs"); do
  mkdir mnt/acked
  acked write log mnt/acked --threads 4 --ops 1000000 --seconds 300 --seed "$((seed + run))" >out 2>&1 &
  writer=$!
  wait_for test -s log
  for kill in $(seq "$kills"); do
    a_moment "$((run * 100 + kill))"
    kill_server mnt
    is_gone "$writer" && fail "run $run: the programs have ended after kill $kill: $(cat out)"
  done
  # They end when the mount does.
  kill_mount mnt
  status=0
  wait "$writer" || status=$?
  same "how the programs ended ($(cat out))" "$status" 3
  shale umount mnt
  shale mount --edit --session work "$PWD/mnt" >/dev/null
  acked check log mnt/acked >out 2>&1 || fail "run $run, seed $seed: $(cat out)"
  rm -r mnt/acked log
done

# Everything.
for end in $(seq "$ends"); do
  mkdir mnt/acked
  acked write log mnt/acked --threads 2 --ops 1000000 --seconds 300 --seed "$((seed + 1000 + end))" >out 2>&1 &
  writer=$!
  wait_for test -s log
  a_moment "$((10000 + end))"
  kill_mount mnt
  status=0
  wait "$writer" || status=$?
  same "how the programs ended ($(cat out))" "$status" 3
  shale umount mnt
  shale mount --edit --session work "$PWD/mnt" >/dev/null
  acked check log mnt/acked >out 2>&1 || fail "end $end, seed $seed: $(cat out)"
  rm -r mnt/acked log
done
same "what is left" "$(ls mnt)" hello
same "what differs" "$(shale diff work)" ""
shale umount mnt
same "data" "$(find store/shale/sessions/*/data -type f)" ""
expect 0 "*0 errors*" shale fsck --read-data
