#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The disk of the store is full: who writes is told (ENOSPC), what was written before is there, the mount goes on, and when
# something is removed there is room again; the session can be unmounted on a full disk, and is resumed.
# NEEDS: root fuse unshare
# SANITIZERS: no
# TIMEOUT: 120
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir disk mnt kept
mount -t tmpfs -o size=24M none disk
export SHALE_STORE="$PWD/disk/store"
small_image app >/dev/null
shale mount --edit --session work app "$PWD/mnt" >/dev/null

# What there was before: large and small.
mkdir mnt/before
head -c 3000000 /dev/urandom >mnt/before/large
for i in $(seq 50); do
  head -c $((i * 97)) /dev/urandom >"mnt/before/$i"
done
cp -a mnt/before kept/
server=$(server_of mnt)

# has_room: some seconds after something was removed, when neither kernel nor session need it any more.
has_room() {
  [ "$(df --output=avail "$PWD/disk" | tail -n 1)" -gt 7000 ]
}

# fill NAME: a file, until the disk is full.
fill() {
  expect 1 "*No space left on device*" dd if=/dev/zero of="mnt/$1" bs=64k
}
# As many files as there is room for.
cat >small.py <<'END_SMALL'
import errno, os, sys
made = 0
try:
    while made < 100000:
        with open(f"mnt/{sys.argv[1]}/{made}", "xb") as f:
            f.write(b"%06d" % made * 100)
        made += 1
except OSError as e:
    assert e.errno == errno.ENOSPC, e
else:
    sys.exit("it never was full")
print(made)
END_SMALL

for turn in 1 2; do
  fill "large-$turn"
  mkdir "mnt/small-$turn" 2>/dev/null || true
  same_trees kept/before mnt/before
  # A file that is there can be read, and looked for, whatever the disk holds.
  [ "$(stat -c %s "mnt/large-$turn")" -gt 5000000 ] || fail "only $(stat -c %s "mnt/large-$turn") bytes could be written"
  cmp -n "$(stat -c %s "mnt/large-$turn")" "mnt/large-$turn" /dev/zero
  rm "mnt/large-$turn"
  wait_for has_room
  head -c 5000000 /dev/urandom >mnt/between
  rm mnt/between
  sync mnt
done

# copy_file_range(2) says how much it copied before there was no room.
fill large
truncate -s -2500000 mnt/large
sync mnt
cat >copied.py <<'END_COPIED'
import errno, os
told, calls = 0, 0
with open("mnt/before/large", "rb") as source, open("mnt/copied", "wb") as copy:
    try:
        while calls < 20:
            told += os.copy_file_range(source.fileno(), copy.fileno(), 3000000, 0, told)
            calls += 1
    except OSError as e:
        assert e.errno == errno.ENOSPC, e
    else:
        raise SystemExit("it never was full")
    size = os.fstat(copy.fileno()).st_size
    assert size == told, f"{size} bytes were copied, and {told} told"
    assert calls, "nothing was copied"
END_COPIED
python3 copied.py || fail "copy_file_range"
rm mnt/large mnt/copied
sync mnt
wait_for has_room
mkdir -p mnt/small
made=$(python3 small.py small) || fail "small files"
[ "$made" -gt 100 ] || fail "only $made small files"
for i in 0 $((made / 2)) $((made - 1)); do
  same "small file $i" "$(head -c 6 "mnt/small/$i")" "$(printf %06d "$i")"
done
same "the process that answers" "$(server_of mnt)" "$server"

# It ends, and begins, on a full disk.
kill_server mnt
same_trees kept/before mnt/before
head -c 100000000 /dev/zero >disk/full 2>/dev/null && fail "the disk is larger than it should be"
shale umount mnt
same "its name" "$(shale mount --edit --session work "$PWD/mnt")" work
same_trees kept/before mnt/before
same "small files" "$(find mnt/small -type f -size +0 | wc -l)" "$made"
# Attributes and directories do not take the room that removals need.
python3 - <<'END_TAKE'
import os
for i in range(3000):
    try:
        os.mkdir(f"mnt/taken-{i}")
        os.setxattr(f"mnt/taken-{i}", "user.x", b"x" * 500)
    except OSError:
        pass
END_TAKE
rm mnt/small/0 mnt/before/large
rm -r mnt/taken-* 2>/dev/null || true
rm disk/full
shale umount mnt
expect 0 "*0 errors*" shale fsck --read-data
umount disk
