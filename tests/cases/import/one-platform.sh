#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Of an index, --platform takes one manifest; without it an index of which somebody left manifests out is refused, with
# the platform that is missing.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

two_platforms both >/dev/null
layout=platforms/store
name=localhost/both:latest
shale images --json >images.json
index=$(json images.json "[i['digest'] for i in d if i['name'] == '$name'][0]")
amd64=$(json "$(blob "$index")" "d['manifests'][0]['digest']")
arm64=$(json "$(blob "$index")" "d['manifests'][1]['digest']")
make_key team
sign -r both

export SHALE_STORE="$PWD/other"
from=oci:$PWD/store:$name
same "one of two" "$(shale import -q --platform linux/arm64 "$from")" "$arm64"
same "its content" "$(shale cat --platform linux/arm64 both /arch)" arm64
expect 8 "*linux/arm64*" shale cat --platform linux/amd64 both /arch
mkdir mnt
shale mount --platform linux/arm64 both mnt
same "its content, mounted" "$(cat mnt/arch)" arm64
shale umount mnt
expect 8 "*has nothing for the platform 'linux/amd64', only: linux/arm64" shale mount --platform linux/amd64 both mnt
same "nothing of the other" "$(shale gc >/dev/null && test -e "$(blob "$amd64")" || echo gone)" gone
expect 0 "*" shale verify --key team.pub --platform linux/arm64 both
expect 8 "*is for 'linux/arm64', not 'linux/amd64'*" shale import --platform linux/amd64 -t x "oci:$SHALE_STORE:$name"
same "the whole" "$(shale import -q "$from")" "$index"
expect 8 "*nothing for 'linux/s390x', only: linux/amd64, linux/arm64*" shale import --platform linux/s390x -t x "$from"
expect 2 "*platform*" shale import --platform linux -t x "$from"
for platform in amd64 arm64; do
  shale mount --platform "linux/$platform" both mnt
  same "the content for $platform, mounted" "$(cat mnt/arch)" "$platform"
  shale umount mnt
done
expect 8 "*nothing for the platform 'linux/s390x', only: linux/amd64, linux/arm64" \
  shale mount --platform linux/s390x both mnt
expect 2 "*platform 'linux' is not OS/ARCHITECTURE*" shale mount --platform linux both mnt
wait_for is_unmounted mnt

# A copy of one platform.
SHALE_STORE=$PWD/third
cp -r "$layout" sparse
rm "sparse/blobs/sha256/${arm64#*:}"
for source in oci:sparse:both oci-archive:sparse.tar:both; do
  tar -C sparse -cf sparse.tar .
  expect 3 "*manifest for linux/arm64: *${arm64#*:}* is not in the *--platform*" shale import -t x "$source"
  expect 3 "*${arm64#*:}* is not in the *" shale import --platform linux/arm64 -t x "$source"
  expect 8 "*" shale inspect x
  same "the one that is there" "$(shale import -q --platform linux/amd64 -t x "$source")" "$amd64"
  same "its content" "$(shale cat --platform linux/amd64 x /arch)" amd64
  shale fsck --read-data -q
  rm -rf third
done
