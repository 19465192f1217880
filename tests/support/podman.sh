# SPDX-License-Identifier: Apache-2.0
# podman with a storage of the case's own, for cases that need podman (and runc where they run something); after lib.sh:
# . "$SHALE_SOURCE/tests/support/podman.sh"
# shellcheck shell=sh

# podman refuses more than 50 bytes here: above the folder of the case, in that of all cases.
podman_runroot=$(mktemp -d "${PWD%/*}/run.XXXXXX")
trap 'rm -rf "$podman_runroot"' EXIT

# run_podman ARGUMENT...
run_podman() {
  podman --root "$PWD/podman" --runroot "$podman_runroot" --tmpdir "$PWD/podman-tmp" --cgroup-manager cgroupfs \
    --storage-driver vfs --events-backend file --runtime runc "$@"
}

# run_image IMAGE: a container of it, whose output this is.  The limits of the tests' own machine may be lower than podman's
# defaults.
run_image() {
  run_podman run --rm --network none --log-driver k8s-file --ulimit nofile=256:256 --ulimit nproc=256:256 "$1"
}
