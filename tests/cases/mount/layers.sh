#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A mount of several layers with whiteouts, some of them gzip, is what umoci unpacks of the image.
# NEEDS: root fuse getfattr umoci
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

umoci init --layout layout
umoci new --image layout:x
umoci unpack --image layout:x bundle >/dev/null 2>&1
root=bundle/rootfs
make_rootfs "$root"
mkdir -p "$root/dir/sub" "$root/gone"
seq 10000 >"$root/dir/sub/b"
umoci repack --refresh-bundle --image layout:x bundle >/dev/null 2>&1
rm -r "$root/gone" "$root/bin/tool"
ln "$root/dir/sub/b" "$root/dir/b2"
chmod 700 "$root/dir"
umoci repack --refresh-bundle --image layout:y bundle >/dev/null 2>&1
umoci unpack --image layout:y again >/dev/null 2>&1
shale import -q -t base oci:layout:y >/dev/null
mkdir context mnt
echo new >context/new
mkdir -p again/rootfs/dir/sub
cp context/new again/rootfs/etc/new
printf 'FROM base\nCOPY new /etc/\n' | SOURCE_DATE_EPOCH=1000000000 build_text app context >/dev/null
touch -d @1000000000 again/rootfs/etc/new
shale mount app mnt
# COPY leaves a directory's time alone.
touch -r mnt/etc again/rootfs/etc
same_trees again/rootfs mnt
shale umount mnt
