#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is no way to edit: wrong options, names that no image can hold, sessions that are damaged, or whose image is; each is
# refused with a reason, and nothing is left of it.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image app >/dev/null
mkdir mnt
expect 2 "shale: option '--session' goes with '--edit'" shale mount --session work app mnt
expect 2 "shale: IMAGE is needed, or --session to resume one" shale mount --edit mnt
expect 8 "*no session 'none' in the store*" shale mount --edit --session none mnt
expect 2 "*'../x' cannot be the name of a session*" shale mount --edit --session ../x app mnt
expect 2 "shale: option '-o': no 'rw': --edit makes an image writable" shale mount --edit -o rw app mnt
expect 2 "shale: option '-o': no 'ro' with '--edit'" shale mount --edit -o noexec,ro app mnt
expect 2 "shale: option '-o': unknown mount option 'sync'" shale mount --edit -o sync app mnt
expect 8 "*localhost/none*" shale mount --edit none mnt
expect 8 "*'none'*" shale mount --edit app none
expect 2 "*" shale mount --edit app mnt more
expect 2 "*'--identity' goes with '--key'*" shale mount --edit --identity x app mnt
same "sessions" "$(shale sessions -q)" ""
is_unmounted mnt || fail "it is mounted"
mkdir user
chown 1000:1000 user
as_user shale import -q --store user/store -t app "dir:$PWD/small" >/dev/null 2>&1 || cp -r store user/store
chown -R 1000:1000 user
mkdir user/mnt
chown 1000:1000 user/mnt
expect 1 "*only root can edit: as a user, mount inside of 'shale unshare'*" \
  as_user shale mount --edit --store user/store app user/mnt

# Names: whiteouts, and the longest.
shale mount --edit --session work -o noexec,dev,suid,allow_other app "$PWD/mnt" >/dev/null
for name in .wh.x .wh..wh..opq .wh.; do
  expect 1 "*Operation not permitted*" mkdir "mnt/$name"
  expect 1 "*Operation not permitted*" mv mnt/hello "mnt/$name"
  expect 1 "*Operation not permitted*" ln -s x "mnt/$name"
  expect 1 "*Operation not permitted*" ln mnt/hello "mnt/$name"
done
long=$(printf '%255s' '' | tr ' ' n)
echo long >"mnt/$long"
expect 1 "*File name too long*" mkdir "mnt/n$long"
expect 126 "*Permission denied*" sh -c 'cp /bin/true mnt/true && mnt/true'
# Deeper than any path that one call takes.
python3 - <<'END_DEEP'
import os
os.chdir("mnt")
for depth in range(40):
    os.mkdir("d" * 200)
    os.chdir("d" * 200)
with open("deep", "w") as f:
    f.write("deep")
os.rename("deep", "deepest")
for depth in range(40):
    os.chdir("..")
assert sorted(os.listdir("."))[:1] == ["d" * 200]
END_DEEP
shale umount mnt
expect 4 "*a path below '/*' is longer than 4095 bytes*" shale commit -q -t new work
expect 8 "*" shale inspect new
shale mount --edit --session work "$PWD/mnt" >/dev/null
same "the deepest" "$(find mnt -name deepest | wc -l)" 1
rm -r mnt/ddd*
shale umount mnt
shale commit -q -t new work >/dev/null
same "the long name" "$(shale cat new "/$long")" long

# As somebody's disk, or hand, may leave the database.
session=$(dirname "$(grep -l '"name":"work"' store/shale/sessions/*/session.json)")
cp "$session/meta.db" db
# refused STATUS GLOB: and the session stays.
refused() {
  expect "$1" "$2" shale mount --edit --session work "$PWD/mnt"
  is_unmounted mnt || fail "it is mounted"
  expect "$1" "$2" shale diff work
  expect "$1" "$2" shale commit work
  same "sessions" "$(shale sessions -q)" work
  cp db "$session/meta.db"
  rm -f "$session/meta.db-wal" "$session/meta.db-shm"
}
python3 -c 'import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute("PRAGMA user_version = 99"); c.commit()' \
  "$session/meta.db"
refused 3 "*the session's database has version 99, and this shale knows *"
python3 -c 'import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute("PRAGMA application_id = 1"); c.commit()' \
  "$session/meta.db"
refused 3 "*the session's database is none of shale*"
truncate -s 5000 "$session/meta.db"
refused 3 "*the session's database is damaged*"
head -c 100 /dev/urandom | dd of="$session/meta.db" conv=notrunc status=none
refused 3 "*the session's database is damaged*"
mv "$session/session.json" kept
expect 3 "*" shale mount --edit --session "${session##*/}" "$PWD/mnt"
mv kept "$session/session.json"
shale mount --edit --session work "$PWD/mnt" >/dev/null
same "it is whole again" "$(cat mnt/hello "mnt/$long" | paste -s -d ' ')" "hello long"
shale umount mnt

# The image's blobs: the layer, then the manifest.
layer=$(blob "$(layers app)")
manifest=$(blob "$(inspect app "d['digest']")")
for file in "$layer" "$manifest"; do
  mv "$file" kept
  expect 8 "*${file##*/}*" shale mount --edit --session work "$PWD/mnt"
  is_unmounted mnt || fail "it is mounted"
  mv kept "$file"
done
shale mount --edit --session work "$PWD/mnt" >/dev/null
same "it is whole again" "$(cat mnt/hello)" hello
shale umount mnt
