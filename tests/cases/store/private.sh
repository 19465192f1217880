#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A store is its owner's, whatever the umask: nobody else may write any of it.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

(umask 0 && small_image app >/dev/null && shale ls app >/dev/null)
same "what others may write" "$(find "$SHALE_STORE" ! -type l -perm /022)" ""
same "modes of blobs" "$(find "$SHALE_STORE/blobs" -type f -printf '%m\n' | sort -u)" 444
same "oci-layout" "$(cat "$SHALE_STORE/oci-layout")" '{"imageLayoutVersion":"1.0.0"}'

# Who can write a file that says what the store holds decides what an image is: it is refused, and told how to mend.
for file in index.json oci-layout shale/version shale/lock shale/gc.lock; do
  path=$SHALE_STORE/$file
  # Reading takes the other locks only.
  command='shale cat app /hello'
  [ "$file" != shale/lock ] || command='shale tag app other'
  before=$(stat -c %a "$path")
  for mode in g+w o+w; do
    chmod "$mode" "$path"
    # shellcheck disable=SC2086 # a command and its arguments
    expect 6 "*'${file#shale/}' may be written by other users (mode 0*): chmod go-w makes it safe*" $command
    expect 6 "*'${file#shale/}'*chmod go-w*" shale gc
    chmod go-w "$path"
  done
  if [ "$(id -u)" -eq 0 ]; then
    chown 1000 "$path"
    # shellcheck disable=SC2086
    expect 6 "*'${file#shale/}' belongs to user 1000, not to user 0: chown*" $command
    chown 0 "$path"
  fi
  chmod "$before" "$path"
done
shale tag app other

# What can be made again is made again.
chmod g+w "$SHALE_STORE"/shale/catalogs/*
expect 0 "*derived: catalog*may be written by other users*" shale fsck
shale ls app >/dev/null
same "modes of catalogs" "$(find "$SHALE_STORE/shale/catalogs" -type f -printf '%m\n')" 444

# A layout that is only read from is no store.
cp -a "$SHALE_STORE" theirs
rm -r theirs/shale
chmod -R a+rwX theirs
shale import -q -t again oci:theirs:localhost/app:latest >/dev/null
if [ "$(id -u)" -eq 0 ]; then
  chown -R 1000 theirs
  shale import -q -t again oci:theirs:localhost/app:latest >/dev/null
  expect 6 "*belongs to user 1000, not to user 0*" shale ls --store theirs app

  printf 'FROM scratch\nCOPY hello /\n' >small.shale
  # Everybody trusts root, and may read what root lets them read.
  chmod -R a+rX "$SHALE_STORE"
  chmod a+x .
  as_user shale ls app >/dev/null
  same "cat of root's store" "$(as_user shale cat app /hello)" hello
  as_user shale fsck >/dev/null
  theirs="*the store '*/store' belongs to root (uid 0), and you (uid 1000) may only read it*"
  expect 1 "$theirs" as_user shale tag app mine
  expect 1 "$theirs" as_user shale rm app
  expect 1 "$theirs" as_user shale gc
  expect 1 "$theirs" as_user shale fsck --repair
  expect 1 "$theirs" as_user shale build -q -f small.shale -t mine small
  expect 0 "would remove *" as_user shale gc --dry-run
  # The layout of another tool that is root's.
  mkdir -m 1777 tmp
  shale export -q app oci:plain >/dev/null
  expect 1 "*the store '*/plain' belongs to root*" as_user shale tag --store plain app mine
  same "cat of root's layout" "$(TMPDIR=$PWD/tmp as_user shale cat --store plain app /hello)" hello
  chown 2000 "$SHALE_STORE/index.json"
  expect 6 "*'index.json' belongs to user 2000, not to user 1000 or root*" as_user shale ls app
fi
