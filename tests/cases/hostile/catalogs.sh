#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Catalogs that are damaged, forged under right digests, of another image, or cut short under a mount: everybody sees the
# image's tree, or an error, and nobody crashes, hangs, or writes where he should not.
# NEEDS: root fuse time getfattr
# TIMEOUT: 400
# SANITIZERS: first
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/hostile.sh"

canary
full=${SHALE_FULL:-}
make_rootfs tree
mkdir tree/many mnt
seq 300 | while read -r i; do
  echo "$i" >"tree/many/file$i"
done
# What an image does not keep.
touch -d '2020-02-02' tree/many
shale import -q -t app dir:tree >/dev/null
shale ls -R --json app >ls.right
catalog=$(echo "$SHALE_STORE"/shale/catalogs/*)
cp "$catalog" pristine
listing tree >listing.right
xattrs tree >xattrs.right
contents tree >contents.right
(cd tree && find . -type f | LC_ALL=C sort | cut -c 2-) >files
(cd tree && find . -type f | LC_ALL=C sort | tr '\n' '\0' | xargs -0 cat) >cat.right

put() {
  rm -f "$catalog"
  cp "$1" "$catalog"
}

# right TREE: it is the image's.
right() {
  for what in listing xattrs contents; do
    "$what" "$1" >right.got
    diff -u "$what.right" right.got >&2 || fail "the $what of $1"
  done
}

# noticed CASE LIE TEXT: fsck tells of it, and, unless it is a lie, all others see the image's tree; nobody
# hangs.  A copy and a mount are compared as a whole for one of each kind ("+").
noticed() {
  ls_status=${2% *}
  cp_status=${2#* }
  case $2 in - | +) ls_status=0 cp_status=0 ;; esac
  put "$folder/$1"
  bounded 0 "derived: catalog *$3*" shale fsck --read-data
  put "$folder/$1"
  bounded "$ls_status" '*' shale ls -R --json app
  put "$folder/$1"
  if [ "$2" = - ] || [ "$2" = + ]; then
    shale ls -R --json app 2>err | cmp - ls.right || fail "$(cat err)"
    put "$folder/$1"
    xargs -d '\n' -a files shale cat app 2>err | cmp - cat.right || fail "$(cat err)"
    # These take longer.
    [ -n "$full" ] || [ "$2" = + ] || return 0
    put "$folder/$1"
  fi
  rm -rf copy
  bounded "$cp_status" '*' shale cp -q -a app:/. copy
  case $2 in - | +) right copy ;; esac
  put "$folder/$1"
  # Of a line that failed before.
  is_unmounted mnt || umount -l mnt
  shale mount app mnt
  if [ "$2" = - ] || [ "$2" = + ]; then
    right mnt
  else
    same "find in a mount ends" "$(timeout -s KILL 60 find mnt -ls >found 2>&1 || [ $? -eq 1 ] || echo no)" ""
  fi
  shale umount mnt
}

for folder in rotten forged; do
  python3 "$SHALE_SOURCE/tests/hostile/catalogs.py" "$folder" pristine "$folder" >"$folder.table"
  # One of each kind and some others; all take minutes.
  [ -n "$full" ] || {
    if has_sanitizers; then some='NR % 8 == 2'; else some='NR % 4 == 0'; fi
    awk -F '\t' "\$2 == \"+\" || $some" "$folder.table" >chosen
    mv chosen "$folder.table"
  }
  table noticed "$folder.table"
done

# Made again under a mount, whatever part of the file is lost.
for length in 0 1 4096 9000 $(($(wc -c <pristine) / 2)) $(($(wc -c <pristine) - 1)); do
  put pristine
  shale mount app mnt
  same "before" "$(cat mnt/many/file1)" 1
  truncate -s "$length" "$catalog"
  right mnt
  shale umount mnt
  wait_for is_unmounted mnt
done

# A file that is replaced is not the one that is mapped.
put pristine
shale mount app mnt
put forged/names-out-of-order
right mnt
shale umount mnt

# The catalog of other layers, whole, in the place of this one's.
small_image other >/dev/null
shale ls other >/dev/null
for file in "$SHALE_STORE"/shale/catalogs/*; do
  [ "$file" = "$catalog" ] || theirs=$file
done
cp "$theirs" other
put other
cp pristine "$theirs.new"
mv "$theirs.new" "$theirs"
bounded 0 '*made from other layers*made from other layers*' shale fsck
shale ls -R --json app | cmp - ls.right
same "the other image" "$(shale ls other)" hello
shale rm other >/dev/null
shale gc >/dev/null

# A mount that trusts a key alone does not look at it, not even at one that is possible.
make_key team
sign app
put forged/names-out-of-order
shale mount --key team.pub app mnt
right mnt
shale umount mnt

put pristine
random=60
! has_sanitizers || random=20
[ -z "$full" ] || random=10000
"$SHALE_SOURCE/tests/hostile/catalogs.py" random "$catalog" "$SHALE_STORE" app "$random" 20240302
canary_is_alive
