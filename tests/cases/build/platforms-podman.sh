#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# podman takes the image of its platform, or of the one it is told, out of an index that was built and exported.
# NEEDS: root podman runc busybox skopeo
# TIMEOUT: 120
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

case $(uname -m) in
x86_64) host=amd64 other=arm64 ;;
aarch64) host=arm64 other=amd64 ;;
*) skip "no busybox for this machine is known here" ;;
esac
mkdir context
cp "$(command -v busybox)" context/busybox
cat >manifest <<'END'
FROM scratch
ARG TARGETPLATFORM
COPY --chmod=755 busybox /bin/sh
ENV P=$TARGETPLATFORM
ENTRYPOINT ["/bin/sh", "-c"]
CMD ["echo $P"]
END
# The other one comes first: it is not the order that chooses.
shale build -q -f manifest --platform "linux/$other,linux/$host" --compression gzip -t app context >/dev/null
shale export app oci:layout:app >/dev/null
same "skopeo of all" "$(skopeo inspect --raw oci:layout:app | sha256sum | cut -d ' ' -f 1)" \
  "$(shale inspect --raw app | sha256sum | cut -d ' ' -f 1)"

# podman refuses more than 50 bytes here: above the folder of the case, in that of all cases.
run=$(mktemp -d "${PWD%/*}/run.XXXXXX")
trap 'rm -rf "$run"' EXIT
run_podman() {
  podman --root "$PWD/podman" --runroot "$run" --tmpdir "$PWD/podman-tmp" --cgroup-manager cgroupfs \
    --storage-driver vfs --events-backend file --runtime runc "$@"
}
id=$(run_podman pull -q oci:layout:app)
# The limits of the tests' own machine may be lower than podman's defaults.
same "what runs" \
  "$(run_podman run --rm --network none --log-driver k8s-file --ulimit nofile=256:256 --ulimit nproc=256:256 "$id")" \
  "linux/$host"
run_podman rmi "$id" >/dev/null
id=$(run_podman pull -q --arch "$other" oci:layout:app)
same "the other" "$(run_podman image inspect --format '{{.Os}}/{{.Architecture}}' "$id")" "linux/$other"
run_podman rmi "$id" >/dev/null
