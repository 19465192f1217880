#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An image of several layers with whiteouts, made by umoci repack, is for shale what umoci unpacks of it.
# NEEDS: root getfattr umoci
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

umoci init --layout layout
umoci new --image layout:x
umoci unpack --image layout:x bundle >/dev/null 2>&1
root=bundle/rootfs
make_rootfs "$root"
mkdir -p "$root/dir/sub" "$root/gone/deep"
echo b >"$root/dir/sub/b"
echo d >"$root/gone/deep/d"
ln "$root/dir/sub/b" "$root/gone/linked"
umoci repack --refresh-bundle --image layout:x bundle >/dev/null 2>&1
rm -r "$root/gone" "$root/bin/tool" "$root/home/user/tool3"
rm "$root/etc/link"
mkdir "$root/etc/link"
echo new >"$root/etc/link/file"
chmod 700 "$root/dir"
umoci repack --refresh-bundle --image layout:y bundle >/dev/null 2>&1
umoci unpack --image layout:y again >out 2>&1 || fail "umoci: $(cat out)"

shale import -q -t app oci:layout:y >/dev/null
same "layers" "$(layers app | wc -l)" 2
shale cp -a app:/ copy
same_trees again/rootfs copy
