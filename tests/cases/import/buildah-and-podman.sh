#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What buildah pushes and podman saves, an index of two platforms among it.
# NEEDS: root buildah podman
# TIMEOUT: 180
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

# podman refuses more than 50 bytes here: above the folder of the case, in that of all cases.
run=$(mktemp -d "${PWD%/*}/run.XXXXXX")
trap 'rm -rf "$run"' EXIT
storage="--root $PWD/storage --runroot $run --storage-driver vfs"
export REGISTRY_AUTH_FILE="$PWD/none.json"
echo "{}" >none.json
mkdir -p context/sub
echo hello >context/hello
ln context/hello context/sub/again

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

shale import oci-archive:one.tar >/dev/null
same "content" "$(shale cat app:1 /srv/sub/again)" hello
same "the entrypoint" "$(inspect app:1 "d['config']['config']['Entrypoint'][0]")" /srv/hello

shale import oci:both >/dev/null
for platform in linux/amd64 linux/arm64; do
  same "content for $platform" "$(shale cat --platform "$platform" app:2 /srv/hello)" hello
done
expect 8 "*linux/amd64*linux/arm64*" shale cat --platform linux/s390x app:2 /srv/hello

shale import docker-archive:saved.tar >/dev/null
same "content" "$(shale cat app-amd64 /srv/hello)" hello
expect 2 "*2 images*localhost/app-amd64:latest*localhost/app-arm64:latest*" shale import docker-archive:several.tar
shale import docker-archive:several.tar:localhost/app-arm64:latest -t arm >/dev/null
same "content" "$(shale cat --platform linux/arm64 arm /srv/hello)" hello

# An index of which somebody copied one platform only.
rm "both/blobs/sha256/$(json both/blobs/sha256/"$(json both/index.json "d['manifests'][0]['digest'][7:]")" \
  "[m['digest'][7:] for m in d['manifests'] if m['platform']['architecture'] == 'arm64'][0]")"
expect 3 "*manifest for linux/arm64*--platform*" shale import oci:both -t sparse
shale import --platform linux/amd64 oci:both -t sparse >/dev/null
same "content" "$(shale cat --platform linux/amd64 sparse /srv/hello)" hello
shale fsck --read-data >/dev/null
