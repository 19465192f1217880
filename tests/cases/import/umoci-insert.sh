#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Before 0.4.8 `umoci insert` leaves out the end of a layer's tar, and the padding of its last file: no whole tar to GNU
# tar either.
# NEEDS: umoci
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

umoci init --layout layout
umoci new --image layout:app
mkdir tree
echo hello >tree/hello
umoci insert --image layout:app tree /tree
layer=layout/blobs/sha256/$(python3 - <<'END'
import json
read = lambda d: json.load(open("layout/blobs/sha256/" + d["digest"][7:]))
print(read(json.load(open("layout/index.json"))["manifests"][0])["layers"][0]["digest"][7:])
END
)
gzip -dc "$layer" >layer.tar
[ $(($(wc -c <layer.tar) % 512)) -ne 0 ] || skip "this umoci has mended it"

expect 2 "*Unexpected EOF*" tar -tf layer.tar
expect 3 "*layer 1*cut short*" shale import oci:layout:app
# What umoci makes of the same tree by unpacking and repacking is whole.
umoci unpack --rootless --image layout:app bundle >/dev/null
umoci new --image layout:again
umoci unpack --rootless --image layout:again empty >/dev/null
cp -r bundle/rootfs/tree empty/rootfs/
umoci repack --image layout:again empty >/dev/null
shale import -q oci:layout:again >/dev/null
same "content" "$(shale cat again /tree/hello)" hello
