#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A disk without room: 7, nothing left behind, and what was there is as it was.
# NEEDS: root
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context disk
head -c 900000 /dev/urandom >context/big
printf 'FROM scratch\nCOPY big /\n' | build_text app context >/dev/null
other=$(small_image other)

for kib in 8 64 400 800 870; do
  mount -t tmpfs -o "size=${kib}k,nr_inodes=100" tmpfs disk
  echo old >disk/file
  for form in oci:disk/new oci-archive:disk/new docker-archive:disk/new rootfs:disk/new oci-archive:disk/file docker-archive:disk/file rootfs:disk/file; do
    expect 7 "shale: *No space left on device" shale export app "$form"
    same "what is left in $kib KiB by $form" "$(find disk -mindepth 1)" disk/file
    same "the file" "$(cat disk/file)" old
  done
  umount disk
done

# A layout that is there, whose next image has no room.
mount -t tmpfs -o size=600k tmpfs disk
shale export other oci:disk/layout >/dev/null
cp -r disk/layout before
expect 7 "shale: *No space left on device" shale export app oci:disk/layout
diff -r before disk/layout
same "it is still good" "$(shale import -q --store back oci:disk/layout)" "$other"
umount disk
# No inode.
mount -t tmpfs -o size=8m,nr_inodes=8 tmpfs disk
expect 7 "shale: *No space left on device" shale export app oci:disk/layout
same "what is left without inodes" "$(find disk -mindepth 1)" ""
umount disk
