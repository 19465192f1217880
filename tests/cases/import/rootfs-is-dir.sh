#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A directory and tars of it, whatever wrote and compressed them, are one image, and it is that tree.
# NEEDS: root getfattr
# TIMEOUT: 180
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

make_rootfs tree
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("tree/socket")'
want=$(shale import -q -t app dir:tree 2>warning)
same "the warning" "$(grep -c "'socket' is a socket" warning)" 1
rm tree/socket
touch -d '2020-02-02 02:02:02.020202020' tree
want=$(shale import -q -t app dir:tree)
shale cp -a app:/ got
same_trees tree got

tar --format=posix --xattrs --xattrs-include='*' --numeric-owner -C tree -cf x.tar .
same "a tar" "$(shale import -q -t tar rootfs:x.tar)" "$want"
same "a tar with names" "$(tar --format=posix --xattrs --xattrs-include='*' --sort=name -C tree -cf - . >y.tar &&
  shale import -q -t tar rootfs:y.tar)" "$want"
for tool in gzip zstd xz bzip2; do
  "$tool" -c x.tar >x.tar.compressed
  same "a tar compressed with $tool" "$(shale import -q -t "$tool" rootfs:x.tar.compressed)" "$want"
done
for format in gnu posix; do
  tar --format=$format -V label --numeric-owner -C tree -cf labelled.tar .
  tar --format=$format --numeric-owner -C tree -cf plain.tar .
  same "a tar with a label" "$(shale import -q -t label rootfs:labelled.tar)" "$(shale import -q -t plain rootfs:plain.tar)"
done
same "with threads" "$(shale import -q --workers 4 -t app dir:tree)" "$want"
same "elsewhere" "$(umask 077 && TZ=Asia/Tokyo LC_ALL=C shale import -q -t app dir:tree)" "$want"
same "created" "$(inspect app "d['config']['created']")" 1980-01-01T00:00:00Z
same "another epoch" "$(SOURCE_DATE_EPOCH=1700000000 shale import -q -t later dir:tree >/dev/null &&
  inspect later "d['config']['created']")" 2023-11-14T22:13:20Z
expect 2 "*SOURCE_DATE_EPOCH*" env SOURCE_DATE_EPOCH=now shale import -t app dir:tree

# OCI cannot say these names.
: >tree/etc/.wh.x
tar -C tree -cf wh.tar .
expect 3 "*etc/.wh.x*" shale import -t wh dir:tree
expect 3 "*etc/.wh.x*" shale import -t wh rootfs:wh.tar
expect 8 "*" shale inspect wh
