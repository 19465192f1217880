#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# podman takes the image of its platform, or of the one it is told, out of an index that was built and exported.
# NEEDS: root podman runc busybox skopeo
# TIMEOUT: 120
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/podman.sh"

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

id=$(run_podman pull -q oci:layout:app)
same "what runs" \
  "$(run_image "$id")" \
  "linux/$host"
run_podman rmi "$id" >/dev/null
id=$(run_podman pull -q --arch "$other" oci:layout:app)
same "the other" "$(run_podman image inspect --format '{{.Os}}/{{.Architecture}}' "$id")" "linux/$other"
run_podman rmi "$id" >/dev/null
