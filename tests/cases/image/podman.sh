#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# podman takes an image from the store as it is, with layers of zstd or gzip, and runs it.
# NEEDS: root podman runc busybox
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
cp "$(command -v busybox)" context/busybox
cat >manifest <<'END'
FROM scratch
COPY --chmod=755 busybox /bin/sh
ENV GREETING=hello
ENTRYPOINT ["/bin/sh", "-c"]
CMD ["echo $GREETING; ls -ln /bin/sh"]
END
# podman refuses more than 50 bytes here: above the folder of the case, in that of all cases.
run=$(mktemp -d "${PWD%/*}/run.XXXXXX")
trap 'rm -rf "$run"' EXIT
run_podman() {
  podman --root "$PWD/podman" --runroot "$run" --tmpdir "$PWD/podman-tmp" --cgroup-manager cgroupfs \
    --storage-driver vfs --events-backend file --runtime runc "$@"
}
for compression in zstd gzip; do
  shale build -q -f manifest -t "$compression" --compression "$compression" context >/dev/null
  id=$(run_podman pull -q "oci:$SHALE_STORE:localhost/$compression:latest")
  # The limits of the tests' own machine may be lower than podman's defaults.
  run_podman run --rm --network none --log-driver k8s-file --ulimit nofile=256:256 --ulimit nproc=256:256 "$id" >out
  size=$(wc -c <context/busybox)
  same "output, $compression" "$(tr -s ' ' <out)" "hello
-rwxr-xr-x 1 0 0 $size Jan 1 1980 /bin/sh"
  run_podman rmi "$id" >/dev/null
done
