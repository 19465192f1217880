#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# podman loads and runs what was re-encoded: docker and OCI archives, gzip and zstd, under its name.
# NEEDS: root podman runc busybox
# TIMEOUT: 180
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/podman.sh"

mkdir context
cp "$(command -v busybox)" context/busybox
build_text app context >/dev/null <<'END_OF_FILE'
FROM scratch
COPY --chmod=755 busybox /bin/sh
ENTRYPOINT ["/bin/sh", "-c"]
CMD ["echo hello"]
END_OF_FILE

name=localhost/app:latest
for form in docker-archive oci-archive; do
  for compression in gzip zstd; do
    shale export --compression "$compression" app "$form:out.tar" >/dev/null
    run_podman load -q -i out.tar >loaded
    grep -q "$name" loaded || fail "podman load of $form, $compression, said: $(cat loaded)"
    same "what $form with $compression prints" \
      "$(run_image "$name")" hello
    run_podman rmi "$name" >/dev/null
  done
done
