#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An image that umoci made, with whiteouts in its upper layers, is the tree that umoci unpacks.
# NEEDS: root umoci skopeo getfattr
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

umoci init --layout layout
umoci new --image layout:base
umoci unpack --image layout:base one >/dev/null
make_rootfs one/rootfs
umoci repack --image layout:one one >/dev/null
umoci unpack --image layout:one two >/dev/null
rm -r two/rootfs/etc/empty two/rootfs/etc/passwd
mv two/rootfs/home two/rootfs/moved
chmod 4711 two/rootfs/bin/tool
echo new >two/rootfs/etc/new
rm -r two/rootfs/tmp
echo "a file now" >two/rootfs/tmp
umoci repack --image layout:two two >/dev/null
umoci config --image layout:two --config.env A=b --config.user 1000:1000 --config.cmd run
umoci unpack --image layout:two want >/dev/null

expect 2 "*several images*'base', 'one', 'two'*" shale import oci:layout
digest=$(shale import oci:layout:two -t app)
same "the manifest's digest" "$digest" \
  "$(json layout/index.json "[m['digest'] for m in d['manifests'] if m['annotations']['org.opencontainers.image.ref.name'] == 'two'][0]")"
shale cp -a app:/ got
same_trees want/rootfs got
same "the user" "$(inspect app "d['config']['config']['User']")" 1000:1000
# Blobs are kept as they are.
skopeo --insecure-policy copy "oci:$SHALE_STORE:localhost/app:latest" oci:back:two >/dev/null
(cd back/blobs/sha256 && sha256sum -- *) | while read -r hash name; do
  same "a blob" "$hash" "$name"
  cmp "back/blobs/sha256/$name" "layout/blobs/sha256/$name"
done
shale fsck --read-data >/dev/null
