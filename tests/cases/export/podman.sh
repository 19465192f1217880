#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# podman loads what was exported, under its name, and runs it: a docker archive, an OCI archive, one with signatures, and
# one from a pipe.
# NEEDS: root podman runc busybox
# TIMEOUT: 120
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/podman.sh"

mkdir context
cp "$(command -v busybox)" context/busybox
build_text app context >/dev/null <<'END_OF_FILE'
FROM scratch
COPY --chmod=755 busybox /bin/sh
ENV GREETING=hello
ENTRYPOINT ["/bin/sh", "-c"]
CMD ["echo $GREETING"]
END_OF_FILE
shale export app docker-archive:docker.tar >/dev/null
shale export app oci-archive:oci.tar >/dev/null
shale export app docker-archive:named.tar:docker.io/library/named:3 >/dev/null
make_key team
sign app
shale export app oci-archive:signed.tar >/dev/null

for archive in docker oci signed named; do
  name=localhost/app:latest
  [ "$archive" != named ] || name=docker.io/library/named:3
  run_podman load -q -i "$archive.tar" >loaded
  grep -q "$name" loaded || fail "podman load of $archive.tar said: $(cat loaded)"
  same "what $archive.tar prints" \
    "$(run_image "$name")" hello
  run_podman rmi "$name" >/dev/null
done
shale export app docker-archive:- | run_podman load -q >loaded
grep -q localhost/app:latest loaded || fail "podman load of a pipe said: $(cat loaded)"
run_podman rmi localhost/app:latest >/dev/null
