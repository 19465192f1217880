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

# Linux has one mode for all links, whatever a layer says.
python3 - <<'END'
import tarfile
with tarfile.open("links.tar", "w") as tar:
    for mode in (0o644, 0, 0o4755):
        link = tarfile.TarInfo(f"mode-{mode:o}")
        link.type, link.linkname, link.mode = tarfile.SYMTYPE, "target", mode
        tar.addfile(link)
END
umoci raw add-layer --image layout:x --tag links links.tar
umoci unpack --image layout:links third >out 2>&1 || fail "umoci: $(cat out)"
shale import -q -t links oci:layout:links >/dev/null
for name in 644 0 4755; do
  same "the mode of a link" "$(shale ls -l links "/mode-$name" | cut -c 1-10)" \
    "$(stat -c %A "third/rootfs/mode-$name")"
done
