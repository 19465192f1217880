#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What odd but legal layers show: links are never followed by entries or whiteouts, whiteouts hide lower layers only, and
# devices and attributes that mean something to other file systems are data.
# NEEDS: root fuse getfattr
# TIMEOUT: 120
# SANITIZERS: first
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/hostile.sh"

canary
python3 "$SHALE_SOURCE/tests/hostile/tars.py" --layouts layouts >/dev/null

# shows CASE LINE...: exactly these files ("/path type and mode owner and what it holds").
shows() {
  shows_case=$1
  shift
  shale import -q -t x "oci:layouts/$shows_case" >/dev/null
  files x | sed '/^\/ /d' >got
  printf '%s\n' "$@" >want
  diff -u want got >&2 || fail "the tree of $shows_case"
  for shows_file in $(files x | sed -n 's/ -[0-7]* .*//p' | grep -v "[^a-zA-Z0-9/.]"); do
    shale cat x "$shows_file" >/dev/null || fail "$shows_case: $shows_file"
  done
}

# content CASE PATH TEXT: of the image that was shown last.
content() {
  same "content of $1" "$(shale cat x "$1")" "$2"
}

d=d0755
shows symlink-to-root-then-beneath "/d $d 0:0" "/d/etc $d 0:0" "/d/etc/x -0644 0:0 7"
content /d/etc/x inside
shows symlink-up-then-beneath "/d $d 0:0" "/d/canary $d 0:0" "/d/canary/victim -0644 0:0 7"
shows symlink-then-whiteout "/d l0777 0:0 -> ../../.."
shows symlink-anywhere "/a l0777 0:0 -> ../../../etc/passwd" "/b l0777 0:0 -> /" "/c l0777 0:0 -> \\x1b[2J" \
  "/loop l0777 0:0 -> loop"
expect 8 "*" shale cat x /a
expect 3 "*more than 40 symlinks*" shale cat x /loop
shows absolute "/etc $d 0:0" "/etc/passwd -0644 0:0 2"
content /etc/passwd x
shows slashes "/a $d 0:0" "/a/b $d 0:0" "/a/b/c -0644 0:0 1" "/x -0644 0:0 1" "/y -0644 0:0 1"
shows hardlink-to-lower "/a -0644 0:0 6" "/b -0644 0:0 6"
content /b lower
shows hardlink-to-symlink "/a l0777 0:0 -> /etc/passwd" "/b l0777 0:0 -> /etc/passwd"

lower="/d/b"
shows whiteout-of-nothing "/d $d 0:0" "/d/a -0644 0:0 1" "$lower -0644 0:0 1" "/f -0644 0:0 1"
shows whiteout-parent-then-child "/f -0644 0:0 1"
shows whiteout-child-then-parent "/f -0644 0:0 1"
shows whiteout-beside-its-file "/d $d 0:0" "/d/a -0644 0:0 1" "$lower -0644 0:0 1" "/f -0644 0:0 3"
content /f new
shows opaque-root "/own -0644 0:0 1"
shows opaque-after-siblings "/d $d 0:0" "/d/c -0644 0:0 1" "/f -0644 0:0 1"
shows aufs-names "/d $d 0:0" "/d/a -0644 0:0 1" "$lower -0644 0:0 1" "/f -0644 0:0 1"

shows file-then-file "/x -0644 0:0 2"
content /x 22
shows directory-then-file "/x -0644 0:0 1"
shows file-then-directory "/x $d 0:0" "/x/y -0644 0:0 0"
shows symlink-then-directory "/x $d 0:0" "/x/y -0644 0:0 0"
shows file-then-beneath "/x $d 0:0" "/x/y -0644 0:0 0"
# What one reader takes for data must not be a member for another.
shows pax-size-over-header "/after -0644 0:0 0" "/outer -0644 0:0 1024"
shows biggest-ids "/x -0644 4294967294:4294967294 0"

# Devices and attributes, in a mount: nodev and nosuid, a device 0:0 and overlay's marks hide nothing.
mkdir mnt
shale import -q -t x oci:layouts/devices >/dev/null
shale mount x mnt
same "devices" "$(cd mnt && stat -c '%n %F %t:%T' -- *)" "fifo fifo 0:0
mem character special file 1:1
sda block special file 8:0
zero character special file 0:0"
same "reading a device" "$(head -c 1 mnt/mem 2>&1 | grep -c 'Permission denied')" 1
shale umount mnt
shale import -q -t x oci:layouts/overlay-attributes >/dev/null
shale mount x mnt
same "attributes" "$(getfattr --absolute-names -d -m - mnt/d | grep -c overlay)" 4
shale umount mnt
shale import -q -t x oci:layouts/setuid-and-capability >/dev/null
shale mount x mnt
same "bits" "$(stat -c %a mnt/x)" 6755
same "capability" "$(getfattr --absolute-names -n security.capability --only-values mnt/x | wc -c)" 20
grep " $PWD/mnt " /proc/self/mountinfo | grep -q 'nosuid,nodev' || fail "neither nosuid nor nodev"
shale umount mnt
canary_is_alive
