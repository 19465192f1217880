#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One image in the forms that skopeo writes: layouts and archives, gzip and zstd, OCI's and docker's types.  Each is,
# copied out and mounted, the tree that umoci unpacks.
# NEEDS: root fuse umoci skopeo getfattr
# TIMEOUT: 180
# SANITIZERS: no
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

umoci_layout
copy="skopeo --insecure-policy copy --quiet"

mkdir mnt
# taken SOURCE NAME LAYERS REFRAMED: imported under NAME, it is the same tree.
taken() {
  shale import -q --json "$1" >import.json
  same "the name" "$(json import.json "d['name']")" "$2"
  same "layers and those framed anew" "$(json import.json "'%d %d' % (d['layers'], d['reframed'])")" "$3 $4"
  rm -rf got
  shale cp -a "$2:/" got
  same_trees want/rootfs got
  shale mount "$2" mnt
  same_trees want/rootfs mnt
  shale umount mnt
}

# unpacked LAYOUT: umoci unpacks what skopeo made to the same tree, so that it is this image that is compared.
unpacked() {
  rm -rf again
  umoci unpack --image "$1" again >/dev/null
  same_trees want/rootfs again/rootfs
}

# The second layer is one short gzip member, which can be sought in as it is.
$copy oci:layout:app oci:gzip:registry.example/team/gzip:1
unpacked gzip:registry.example/team/gzip:1
taken oci:gzip registry.example/team/gzip:1 2 1
$copy --dest-compress --dest-compress-format zstd oci:layout:app oci:zstd:zstd:1
taken oci:zstd localhost/zstd:1 2 2
$copy oci:layout:app oci-archive:oci.tar:archive:1
taken oci-archive:oci.tar localhost/archive:1 2 1
gzip -k oci.tar
taken oci-archive:oci.tar.gz:archive:1 localhost/archive:1 2 1
# docker's archives have plain tars, and so can these.
$copy oci:layout:app docker-archive:docker.tar:docker/app:1
taken docker-archive:docker.tar docker.io/docker/app:1 2 0
$copy docker-archive:docker.tar oci:docker:app
unpacked docker:app
xz -k docker.tar
taken docker-archive:docker.tar.xz:docker/app:1 docker.io/docker/app:1 2 0
zstd -q docker.tar
taken docker-archive:docker.tar.zst docker.io/docker/app:1 2 0
expect 8 "*no image 'other'*" shale import docker-archive:docker.tar:other
# As docker load, all of the names.
$copy --additional-tag registry.example/second:2 oci:layout:app docker-archive:names.tar:first:1
taken docker-archive:names.tar docker.io/library/first:1 2 0
expect 0 '*' shale inspect registry.example/second:2
shale fsck --read-data >/dev/null
