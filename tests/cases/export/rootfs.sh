#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The files of an image as a tar: GNU tar and bsdtar extract what the mount shows, and importing it gives the tree again.
# NEEDS: root fuse bsdtar setfattr
# TIMEOUT: 120
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

make_rootfs tree
mkdir -p "tree/$(printf '%0120d/%0120d/%0120d' 1 2 3)"
: >"tree/$(printf '%0120d/%0120d/%0120d/%0120d' 1 2 3 4)"
ln -s link tree/etc/link2
ln tree/etc/link2 tree/etc/link3
ln tree/dev/null tree/dev/null2
digest=$(shale import -q -t app dir:tree)
mkdir mnt gnu bsd
shale mount app mnt

same "what is printed" "$(shale export app rootfs:app.tar)" "$digest"
shale export app rootfs:- | cmp - app.tar
tar -C gnu --numeric-owner --xattrs --xattrs-include='*' -xpf app.tar
bsdtar -C bsd --numeric-owner -xpf app.tar
same_trees mnt gnu
same_trees tree gnu
# bsdtar 3.6 leaves the time of "." alone, and takes -1.5 seconds for -0.5.
listing mnt | grep -v -e '^\.|' -e '^\./etc/nothing|' >want
listing bsd | grep -v -e '^\.|' -e '^\./etc/nothing|' >got
diff -u want got >&2 || fail "bsdtar extracts something else"
contents mnt >want
contents bsd >got
diff -u want got >&2 || fail "bsdtar extracts other content"
same "capabilities by bsdtar" "$(getfattr -n security.capability -e hex --only-values bsd/bin/tool | od -An -tx1)" \
  "$(getfattr -n security.capability -e hex --only-values tree/bin/tool | od -An -tx1)"

same "imported again" "$(shale import -q --store back -t app rootfs:app.tar)" "$digest"
shale export --store back app rootfs:- | cmp - app.tar

# Layers upon each other: what the upper one hides is not there.
rm tree/etc/passwd
printf 'FROM app\nCOPY new /etc/new\nCOPY new /bin/tool\n' >Shalefile
echo new >new
shale build -q -t upper . >/dev/null
shale umount mnt
wait_for is_unmounted mnt
shale mount upper mnt
rm -rf gnu
mkdir gnu
shale export upper rootfs:- | tar -C gnu --numeric-owner --xattrs --xattrs-include='*' -xpf -
same_trees mnt gnu
shale umount mnt
