#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A gzip layer is, for gzip and tar, umoci, skopeo, and in a mount, the tree that was packed; with any number of threads.
# NEEDS: root fuse getfattr skopeo umoci
# TIMEOUT: 120
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

make_rootfs tree
digest=$(shale import -q -t app --compression gzip dir:tree)
layer=$(blob "$(layers app)")
same "media type" "$(inspect app "d['layers'][0]['media_type']")" application/vnd.oci.image.layer.v1.tar+gzip
gzip -t <"$layer"
gzip -dc <"$layer" >layer.tar
same "diff_id" "sha256:$(sha256sum <layer.tar | cut -d' ' -f1)" "$(inspect app "d['layers'][0]['diff_id']")"
shale import -q -t zstd dir:tree >/dev/null
same "diff_id of zstd" "$(inspect app "d['layers'][0]['diff_id']")" "$(inspect zstd "d['layers'][0]['diff_id']")"

# Members are cut where zstd frames are, each with the one header, and nothing is between them or behind.
python3 - "$layer" "$(blob "$(layers zstd)")" <<'END'
import subprocess, sys, zlib
data = open(sys.argv[1], "rb").read()
members = []
while data:
    assert data[:10] == bytes.fromhex("1f8b08000000000000ff"), data[:10]
    decoder = zlib.decompressobj(31)
    members.append(len(decoder.decompress(data)))
    assert decoder.eof
    data = decoder.unused_data
zstd = open(sys.argv[2], "rb").read()
count = int.from_bytes(zstd[-9:-5], "little")
frames = [int.from_bytes(zstd[at + 4 : at + 8], "little") for at in range(len(zstd) - 9 - 8 * count, len(zstd) - 9, 8)]
assert len(members) > 5 and members == frames[:-1], (members, frames)
END

mkdir gnu
# As `tar xz` reads it.
tar --numeric-owner --xattrs --xattrs-include='*' -xpzf "$layer" -C gnu 2>warnings
same_trees tree gnu
mkdir mnt
shale mount app mnt
same_trees tree mnt
shale umount mnt
shale cp -a app:/ copied
same_trees tree copied

umoci unpack --image "$SHALE_STORE:localhost/app:latest" bundle >out 2>&1 || fail "umoci: $(cat out)"
same_trees tree bundle/rootfs
skopeo copy -q "oci:$SHALE_STORE:localhost/app:latest" oci:copy:x
same "after skopeo" "$(shale import -q -t back oci:copy:x)" "$digest"
skopeo copy -q "oci:$SHALE_STORE:localhost/app:latest" docker-archive:docker.tar:app:latest
shale import -q -t docker docker-archive:docker.tar >/dev/null
shale mount docker mnt
same_trees tree mnt
shale umount mnt

for workers in 0 1 4; do
  same "with $workers workers" \
    "$(shale import -q --store other --workers $workers -t app --compression gzip dir:tree)" "$digest"
  rm -rf other
done
# A tar of the tree, itself gzip, is the same layer.
tar --format=posix --xattrs --xattrs-include='*' --numeric-owner -C tree -czf x.tar.gz .
same "from a tar" "$(shale import -q -t tar --compression gzip rootfs:x.tar.gz)" "$digest"
shale gc >/dev/null
shale fsck -q --read-data >fsck.out
same "fsck" "$(sed 's/.*: //' fsck.out)" "0 errors, 0 derived files to rebuild, 0 notes"
