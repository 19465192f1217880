#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# podman takes an image from the store as it is, with layers of zstd or gzip, and runs it.
# NEEDS: root podman runc busybox
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/podman.sh"

mkdir context
cp "$(command -v busybox)" context/busybox
cat >manifest <<'END'
FROM scratch
COPY --chmod=755 busybox /bin/sh
ENV GREETING=hello
ENTRYPOINT ["/bin/sh", "-c"]
CMD ["echo $GREETING; ls -ln /bin/sh"]
END
for compression in zstd gzip; do
  shale build -q -f manifest -t "$compression" --compression "$compression" context >/dev/null
  id=$(run_podman pull -q "oci:$SHALE_STORE:localhost/$compression:latest")
  run_image "$id" >out
  size=$(wc -c <context/busybox)
  same "output, $compression" "$(tr -s ' ' <out)" "hello
-rwxr-xr-x 1 0 0 $size Jan 1 1980 /bin/sh"
  run_podman rmi "$id" >/dev/null
done
