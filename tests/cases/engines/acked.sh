#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tests/support/acked.py finds all that it was told is there, whenever its writers are killed, and each loss that is planted.
# NEEDS: root
# SANITIZERS: no
# TIMEOUT: 300
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
acked="$SHALE_SOURCE/tests/support/acked.py"

mkdir mnt
mount -t tmpfs none mnt

# start SEED OPTION...: a log of operations in an empty directory.
start() {
  rm -rf mnt/* log
  start_seed=$1
  shift
  "$acked" write log mnt --seed "$start_seed" --ops 700 "$@"
}

# a_file OPTION...: the first that find knows.
a_file() {
  find mnt -type f -links 1 "$@" | LC_ALL=C sort | head -n 1
}

# no_zeros SIZE: a file of at least so many bytes, none of which is zero.
no_zeros() {
  find mnt -type f -links 1 -size "+$1c" | LC_ALL=C sort | while read -r file; do
    if [ "$(tr -d '\0' <"$file" | wc -c)" -eq "$(wc -c <"$file")" ]; then
      echo "$file"
      break
    fi
  done
}

# What is done to it.
lose() { rm "$(a_file -size +0)"; }
add() { touch mnt/p2/more; }
change_mode() { chmod 600 "$(a_file -perm 644)"; }
append() { printf x >>"$(no_zeros 9000)"; }
change_target() { ln -sfn other "$(find mnt -type l -links 1 | head -n 1)"; }
add_link() { ln "$(no_zeros 9000)" mnt/p0/more; }
empty() { : >"$(no_zeros 20000)"; }
zero_block() { dd if=/dev/zero of="$(no_zeros 20000)" bs=4096 seek=1 count=1 conv=notrunc status=none; }

start 1
expect 0 "acked: 2800 acknowledged operations, 0 complaints" "$acked" check log mnt

# One operation of each process may be there that was not acknowledged, and no two.
sed -i '/^1 700 /d' log
expect 0 "*2799 acknowledged*0 complaints" "$acked" check log mnt
sed -i '/^1 69[0-9] /d' log
expect 1 "process 1, after operation 689:*" "$acked" check log mnt

# planted GLOB COMMAND...: the exact check tells what COMMAND did.
planted() {
  planted_glob=$1
  shift
  start 2
  "$@"
  expect 1 "process *: $planted_glob*" "$acked" check log mnt
}
planted "* is missing" lose
planted "* is there, and should not be" add
planted "*: mode is 0600, not 0644" change_mode
planted "* bytes, not *" append
planted "*target is 'other', not " change_target
planted "* links, not *" add_link

# A call that fails is no crash: something has been done twice.
rm -rf mnt/*
rm log
mkdir mnt/p2
touch mnt/p2/n1
expect 1 "*" "$acked" write log mnt --ops 10

# Killed at any time, after so many operations at least.
for seed in 11 12 13 14 15; do
  rm -rf mnt/* log
  "$acked" write log mnt --seed "$seed" --ops 100000 &
  writer=$!
  until [ -e log ] && [ "$(wc -l <log)" -gt $((seed * 20)) ]; do
    sleep 0.01
  done
  # shellcheck disable=SC2046 # several numbers
  kill -9 $(pgrep -P "$writer")
  wait "$writer" || :
  expect 0 "*, 0 complaints" "$acked" check log mnt
done

# synced GLOB COMMAND...: what COMMAND did is told of what was synced.
synced() {
  synced_glob=$1
  shift
  start 3 --fsync 1
  "$@"
  expect 1 "process *: $synced_glob*" "$acked" check log mnt --synced
}
start 3 --fsync 4
expect 0 "acked: * synced files, 0 complaints" "$acked" check log mnt --synced
synced "file * is at none of *" lose
synced "*: block 1 is zeros, which it never was" zero_block
synced "* bytes, which it never had" empty
# What was not synced may be gone, but is not zeros.
start 4
lose
expect 0 "acked: 0 synced files, 0 complaints" "$acked" check log mnt --synced
zero_block
expect 1 "process *: *: block 1 is zeros, which it never was*" "$acked" check log mnt --synced
umount mnt
