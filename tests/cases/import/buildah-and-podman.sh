#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What buildah pushes and podman saves, an index of two platforms among it; mounted, it is the tree that umoci unpacks.
# NEEDS: root fuse umoci skopeo buildah podman getfattr
# TIMEOUT: 180
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/podman.sh"

# shellcheck disable=SC2154 # of podman.sh
storage="--root $PWD/storage --runroot $podman_runroot --storage-driver vfs"
export REGISTRY_AUTH_FILE="$PWD/none.json"
echo "{}" >none.json
mkdir -p context/sub
echo hello >context/hello
ln context/hello context/sub/again
ln -s ../hello context/sub/link
chmod 2751 context/sub
setfattr -n user.comment -v 'a value' context/hello
touch -d '2001-02-03 04:05:06' context/hello
touch -h -d '2002-02-03 04:05:06' context/sub/link

# commit ARCH: an image localhost/app-ARCH.
commit() {
  # shellcheck disable=SC2086 # options
  container=$(buildah $storage from --arch "$1" scratch)
  # shellcheck disable=SC2086 # options
  buildah $storage copy -q "$container" context /srv >/dev/null
  # shellcheck disable=SC2086 # options
  buildah $storage config --arch "$1" --os linux --entrypoint '["/srv/hello"]' "$container"
  # shellcheck disable=SC2086 # options
  buildah $storage commit -q "$container" "localhost/app-$1" >/dev/null
}

commit amd64 2>err || skip "buildah does not work here: $(cat err)"
commit arm64
# shellcheck disable=SC2086 # options
buildah $storage push -q localhost/app-amd64 oci-archive:one.tar:app:1
# shellcheck disable=SC2086 # options
buildah $storage manifest create both localhost/app-amd64 localhost/app-arm64 >/dev/null
# shellcheck disable=SC2086 # options
buildah $storage manifest push -q --all both oci:both:app:2 >/dev/null
# shellcheck disable=SC2086 # options
podman $storage save -q --format docker-archive -o saved.tar localhost/app-amd64
# shellcheck disable=SC2086 # options
podman $storage save -q -m -o several.tar localhost/app-amd64 localhost/app-arm64

# mounted SOURCE NAME [ARCH]: what skopeo makes a layout of SOURCE, and umoci unpacks, is NAME's tree.
mkdir mnt
mounted() {
  rm -rf layout want
  skopeo --insecure-policy --override-arch "${3:-amd64}" copy --quiet "$1" oci:layout:app
  umoci unpack --image layout:app want >/dev/null
  shale mount --platform "linux/${3:-amd64}" "$2" mnt
  same_trees want/rootfs mnt
  shale umount mnt
}

shale import oci-archive:one.tar >/dev/null
mounted oci-archive:one.tar app:1
same "mode, links and time" "$(cd want/rootfs/srv && stat -c '%n %a %h %Y' hello sub/again sub/link | paste -sd,)" \
  "hello 644 2 981173106,sub/again 644 2 981173106,sub/link 777 1 1012709106"
same "the mode of a directory" "$(stat -c %a want/rootfs/srv/sub)" 2751
same "content" "$(shale cat app:1 /srv/sub/again)" hello
same "the entrypoint" "$(inspect app:1 "d['config']['config']['Entrypoint'][0]")" /srv/hello

shale import oci:both >/dev/null
for platform in linux/amd64 linux/arm64; do
  same "content for $platform" "$(shale cat --platform "$platform" app:2 /srv/hello)" hello
  mounted oci:both:app:2 app:2 "${platform#linux/}"
done
expect 8 "*linux/amd64*linux/arm64*" shale cat --platform linux/s390x app:2 /srv/hello

shale import docker-archive:saved.tar >/dev/null
same "content" "$(shale cat app-amd64 /srv/hello)" hello
mounted docker-archive:saved.tar app-amd64
expect 2 "*2 images*localhost/app-amd64:latest*localhost/app-arm64:latest*" shale import docker-archive:several.tar
shale import docker-archive:several.tar:localhost/app-arm64:latest -t arm >/dev/null
same "content" "$(shale cat --platform linux/arm64 arm /srv/hello)" hello
mounted docker-archive:several.tar:localhost/app-arm64:latest arm arm64

# An index of which somebody copied one platform only.
rm "both/blobs/sha256/$(json both/blobs/sha256/"$(json both/index.json "d['manifests'][0]['digest'][7:]")" \
  "[m['digest'][7:] for m in d['manifests'] if m['platform']['architecture'] == 'arm64'][0]")"
expect 3 "*manifest for linux/arm64*--platform*" shale import oci:both -t sparse
shale import --platform linux/amd64 oci:both -t sparse >/dev/null
same "content" "$(shale cat --platform linux/amd64 sparse /srv/hello)" hello
shale fsck --read-data >/dev/null
