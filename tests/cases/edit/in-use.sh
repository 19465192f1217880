#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A session is mounted once at a time; who is refused is told who has it, also while a worker is being replaced.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image app >/dev/null
mkdir mnt mnt2
same "the name is told" "$(shale mount --edit app "$PWD/mnt")" app-1
supervisor=$(supervisor_of mnt)

refused() {
  expect 9 "shale: session 'app-1' is in use by process [0-9]* (mounted at $PWD/mnt)" "$@"
}
refused shale mount --edit --session app-1 app "$PWD/mnt2"
refused shale mount --edit --session app-1 "$PWD/mnt2"
refused shale session rm app-1
refused shale session rm -f app-1
is_unmounted mnt2 || fail "a second mount is there"
same "the process" "$(sed 's/.*process \([0-9]*\) .*/\1/' expect.out)" "$supervisor"
same "sessions" "$(shale sessions | sed -n 's/  */ /g; s/^app-1 localhost\/app:latest [^ ]* [^ ]* [^ ]* //p')" \
  "mounted at $PWD/mnt (process $supervisor)"

# Workers come and go, the session is never free.
for _ in 1 2 3; do
  former=$(server_of mnt)
  kill -KILL "$former"
  refused shale mount --edit --session app-1 "$PWD/mnt2"
  wait_for has_serving_server mnt "$former"
done
same "a file" "$(cat mnt/hello)" hello

# Another session of the image is another thing.
same "the name is told" "$(shale mount --edit app "$PWD/mnt2")" app-2
echo one >mnt/hello
echo two >mnt2/hello
same "files" "$(cat mnt/hello mnt2/hello | paste -s)" "one	two"
shale umount mnt2
shale umount mnt
same "free again" "$(shale sessions | awk 'NR > 1 { print $NF }' | paste -s -d ' ')" "idle idle"
shale mount --edit --session app-1 "$PWD/mnt2" >/dev/null
same "its file" "$(cat mnt2/hello)" one
shale umount mnt2

# Where it is, by whatever path it was named; also from the foreground.
shale mount --edit --session app-2 mnt >/dev/null
grep -q "^[0-9]* mounted at $PWD/mnt\$" store/shale/sessions/*/lock || fail "who has it is not said: $(cat store/shale/sessions/*/lock)"
shale umount mnt

# A mount that fails leaves no new session, and a session that was there as it was.
mkdir full
: >full/file
expect 9 "*is not empty*" shale mount --edit app full
expect 9 "*is not empty*" shale mount --edit --session app-1 full
expect 9 "*is not empty*" shale mount -f --edit app full
expect 9 "*is not empty*" shale mount -f --edit --session app-1 full
expect 8 "*'none'*" shale mount -f --edit app none
expect 7 "*" sh -c "shale mount -f --edit app '$PWD/mnt' >/dev/full"
is_unmounted mnt || fail "it is mounted"
same "sessions" "$(shale sessions -q | paste -s -d ' ')" "app-1 app-2"

# One in the foreground that fails after it was used leaves all that was done: here no worker can go on without the image.
shale mount -f --edit --session app-3 app "$PWD/mnt" >name 2>err &
mount=$!
wait_for test -e mnt/hello
same "its name, at once" "$(cat name)" app-3
echo kept >mnt/hello
layer=$(blob "$(layers app)")
mv "$layer" layer
kill -KILL "$(server_of mnt)"
status=0
wait "$mount" || status=$?
same "its status ($(cat err))" "$status" 1
same "its name, once" "$(cat name)" app-3
mv layer "$layer"
same "sessions" "$(shale sessions -q | paste -s -d ' ')" "app-1 app-2 app-3"
shale mount --edit --session app-3 "$PWD/mnt" >/dev/null
same "its file" "$(cat mnt/hello)" kept
shale umount mnt
