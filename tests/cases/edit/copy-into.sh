#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cp puts files of the host into an edit session as docker cp does into a container, be it mounted or not; nothing stays
# mounted; a commit has what was copied.
# NEEDS: root fuse setpriv
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_CASES/edit-command/lib.sh"

edit_image
mkdir -p mnt more/sub
printf one >one
chown 1234:1234 one
chmod 4750 one
touch -d '2001-02-03 04:05:06.789 UTC' one
printf two >more/sub/two
ln -s sub more/link

# copies: each form once, into the session w.
copies() {
  shale cp one w:/etc
  shale cp one w:/name
  shale cp one w:/etc/conf
  shale cp more w:/etc
  shale cp more w:/tree/
  shale cp more/. w:/etc
  shale cp more/link w:/etc/more
  shale cp more/link/ w:/by-link
}

# What differs then.
cat >changes <<'END'
A /by-link
A /by-link/two
A /etc/link
A /etc/more
A /etc/more/link
A /etc/more/sub
A /etc/more/sub/two
A /etc/one
A /etc/sub
A /etc/sub/two
A /name
A /tree
A /tree/link
A /tree/sub
A /tree/sub/two
C /etc
C /etc/conf
END

# check_copies: they are at `mnt`, with their metadata.
check_copies() {
  for copied in etc/one name etc/conf; do
    same "$copied" "$(cat "mnt/$copied") $(stat -c '%a %u:%g %y' "mnt/$copied")" \
      "one 750 0:0 $(stat -c %y one)"
  done
  for copied in etc/more tree; do
    diff -r --no-dereference more "mnt/$copied"
  done
  same "the content of a directory" "$(cat mnt/etc/sub/two) $(readlink mnt/etc/link)" "two sub"
  same "what a link leads to" "$(cat mnt/by-link/two)" two
}

# Not mounted.
make_session app w >/dev/null
copies
is_clean || fail "left: $(ls -A tmp)"
same "the state" "$(shale sessions | awk 'NR > 1 { print $NF }')" idle
shale diff w | LC_ALL=C sort >got
diff -u changes got >&2 || fail "other changes"
shale mount -q --edit --session w mnt >/dev/null
check_copies
shale umount mnt
shale commit -q -t copied w >/dev/null
same "a file of the commit" "$(shale cat copied /etc/more/sub/two)" two
shale diff app copied | LC_ALL=C sort | diff -u changes - >&2 || fail "the commit has other changes"

# By its id.
id=$(shale sessions --json >sessions.json && json sessions.json 'd[0]["id"]')
shale cp one "$(printf %.6s "$id"):/by-id"
shale diff w | grep -qx 'A /by-id' || fail "nothing was copied by the id"
shale session rm w

# Mounted: what the kernel knew of a name or a file counts no more.
make_session app w >/dev/null
shale mount -q --edit --session w mnt >/dev/null
[ ! -e mnt/name ] || fail "a name was there"
same "the file before" "$(cat mnt/etc/conf)" old
exec 3<mnt/etc/conf
copies
same "a file that was open" "$(cat <&3)" old
exec 3<&-
check_copies
shale diff w | LC_ALL=C sort >got
diff -u changes got >&2 || fail "other changes"
is_clean || fail "mounted again: $(ls -A tmp)"
# A file of the mount itself, but no directory into itself.
shale cp mnt/name w:/again
same "a copy within the session" "$(cat mnt/again)" one
expect 2 "shale: 'mnt/etc' is a directory of the session itself *" shale cp mnt/etc w:/etc
expect 2 "shale: 'mnt/.' is a directory of the session itself *" shale cp mnt/. w:/etc
# What is above it is copied without it.
mkdir above
mount --bind mnt above
mkdir all
mkdir all/mnt
umount above
mount --bind mnt all/mnt
printf beside >all/beside
expect 0 "shale: warning: 'mnt' is another file system: what it holds is left out" shale cp all w:/
umount all/mnt
same "what was copied of it" "$(cd mnt/all && find . | LC_ALL=C sort | paste -s -d ' ')" ". ./beside ./mnt"
shale umount mnt

# What is in the image's place.
mkdir other
shale mount -q --edit --session w mnt >/dev/null
mount -t tmpfs none mnt/etc
expect 9 "shale: '/etc' is on something else that is mounted there*" shale cp one w:/etc
expect 9 "shale: '/etc/x' is on something else that is mounted there*" shale cp one w:/etc/x
expect 9 "shale: 'etc': something else is mounted there*" shale cp tree/. w:/
same "files beside the image" "$(ls -A mnt/etc)" ""
umount mnt/etc
mount -t tmpfs none mnt
expect 9 "shale: session 'w' is in use by *; something else is mounted over '$PWD/mnt': *" shale cp one w:/x
umount mnt
shale umount mnt

# Mounted where it cannot be seen.
mkfifo go
unshare -m sh -c "read -r word <go; shale cp one w:/x" 2>errors &
apart=$!
shale mount -q --edit --session w mnt >/dev/null
echo now >go
wait "$apart" && fail "it copied into a mount that it does not see"
grep -q "^shale: session 'w' is in use by process [0-9]* (mounted at $PWD/mnt); no mount of 'session/w@.*' is to be seen: " \
  errors || fail "it said: $(cat errors)"
shale umount mnt

# Refused.
expect 8 "shale: there is no 'none'" shale cp none w:/x
expect 8 "shale: no session 'wx' in the store*" shale cp one wx:/x
expect 8 "shale: there is no directory '/none' in the image" shale cp one w:/none/x
expect 9 "shale: '/etc/conf' is a file, and the source a directory" shale cp more w:/etc/conf
expect 3 "shale: '.wh.x': no image can hold a name that starts with '.wh.'" shale cp one w:/.wh.x
expect 2 "shale: 'app:/etc' is in an image, and 'w:/x' in a session: *'./w:/x')" shale cp app:/etc w:/x
expect 2 "shale: 'one' is not IMAGE:/PATH, and 'x' not SESSION:/PATH" shale cp one x
expect 2 "shale: 'one' is not IMAGE:/PATH, and './w:/x' not SESSION:/PATH" shale cp one ./w:/x
expect 2 "shale: '-' is no source: *" shale cp - w:/x
expect 2 "shale: option '--platform' *" shale cp --platform linux/arm64 one w:/x
expect 1 "shale: only root can edit: *" as_user shale cp one w:/x
is_clean || fail "left: $(ls -A tmp)"
use_session app used "looks at it"
expect 9 "shale: session 'used' is in use by process *" shale cp one used:/x
end_session

# Names of the host that look like others.
mkdir app: w:
printf host >app:/file
shale cp app:/file w:/from-host
shale cp app:/etc/conf ./w:/to-host
same "a file of the host" "$(cat w:/to-host)" old
shale mount -q --edit --session w mnt >/dev/null
same "from a file of the host" "$(cat mnt/from-host)" host
shale umount mnt
