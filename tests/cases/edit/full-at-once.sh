#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Somebody else takes all the room of the disk in one moment, while many requests wait to become a transaction: what was
# answered is there, also after a kill, the next writer is told, something can be removed, and the session ends and begins.
# NEEDS: root fuse
# SANITIZERS: no
# TIMEOUT: 120
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir disk mnt kept
mount -t tmpfs -o size=80M none disk
export SHALE_STORE="$PWD/disk/store"
small_image app >/dev/null
shale mount --edit --session work app "$PWD/mnt" >/dev/null

# fill_up: by somebody else.
fill_up() {
  head -c 200000000 /dev/zero >disk/full 2>/dev/null && fail "the disk is larger than it should be"
  return 0
}

# make DIRECTORY: as much as one batch has, at most.
make() {
  mkdir "mnt/$1"
  for i in $(seq 150); do
    head -c $((i * 50)) /dev/urandom >"mnt/$1/$i"
  done
  cp -a "mnt/$1" kept/
}

# exhaust DIRECTORY: until it is told that there is no room.
exhaust() {
  python3 - "mnt/$1" <<'END_EXHAUST'
import errno, os, sys
try:
    for i in range(100000):
        os.mkdir(f"{sys.argv[1]}/{i}")
except OSError as e:
    assert e.errno == errno.ENOSPC, e
else:
    sys.exit("it never was full")
print(i)
END_EXHAUST
}

make first
mkdir mnt/many
fill_up
made=$(exhaust many) || fail "directories"
diff -r kept/first mnt/first || fail "first"
same "directories" "$(find mnt/many -mindepth 1 -maxdepth 1 | wc -l)" "$made"
rm mnt/first/1 kept/first/1
rm mnt/first/2 kept/first/2
# The worker ends with its supervisor.
server=$(server_of mnt)
kill -KILL "$(supervisor_of mnt)"
wait_for is_gone "$server"
same "its name" "$(shale mount --edit --session work "$PWD/mnt")" work
diff -r kept/first mnt/first || fail "first"
same "directories after a kill" "$(find mnt/many -mindepth 1 -maxdepth 1 | wc -l)" "$made"
rm mnt/first/3 kept/first/3
shale umount mnt
same "its name" "$(shale mount --edit --session work "$PWD/mnt")" work
diff -r kept/first mnt/first || fail "first"
rm -r mnt/many
rm disk/full

# A batch, and no room at its end.
make second
fill_up
shale umount mnt
same "its name" "$(shale mount --edit --session work "$PWD/mnt")" work
diff -r kept/second mnt/second || fail "second"
rm mnt/second/1 kept/second/1
rm disk/full
make third
diff -r kept/second mnt/second || fail "second"
diff -r kept/third mnt/third || fail "third"
shale umount mnt
expect 0 "*0 errors*" shale fsck --read-data
umount disk
