#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build prints the manifest's digest, which is the one of the store's index.json and of the blob itself.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context/etc
cp "$(command -v busybox)" context/busybox
printf 'root:x:0:0:root:/:/bin/sh\napp:x:100:101::/:/bin/sh\n' >context/etc/passwd
cat >context/Shalefile <<'END'
FROM scratch
COPY --chmod=755 busybox /bin/busybox
COPY etc/passwd /etc/
ENV GREETING=hello
USER app
ENTRYPOINT ["/bin/busybox"]
CMD ["echo", "hello"]
END

shale build -t app:1 --iidfile iid --metadata-file metadata.json context >out 2>err
digest=$(cat out)
manifest=$(blob "$digest")
same "digest of the manifest" "sha256:$(sha256sum <"$manifest" | cut -d' ' -f1)" "$digest"
index="$SHALE_STORE/index.json"
same "names in index.json" "$(json "$index" "[m['annotations']['org.opencontainers.image.ref.name'] for m in d['manifests']]")" \
  "['localhost/app:1']"
same "digest in index.json" "$(json "$index" "d['manifests'][0]['digest']")" "$digest"
same "size in index.json" "$(json "$index" "d['manifests'][0]['size']")" "$(wc -c <"$manifest")"
same "--iidfile" "$(cat iid)" "$digest"
same "--metadata-file" "$(json metadata.json "d['containerimage.digest'], d['image.name']")" \
  "('$digest', 'localhost/app:1')"
same "digest of the config" "$(json metadata.json "d['containerimage.config.digest']")" \
  "$(json "$manifest" "d['config']['digest']")"
same "steps" "$(cut -d' ' -f1-2 err | paste -sd' ')" "[1/6] COPY [2/6] COPY [3/6] ENV [4/6] USER [5/6] ENTRYPOINT [6/6] CMD"
same "files" "$(files app:1)" "/bin d0755 0:0
/bin/busybox -0755 0:0 $(wc -c <context/busybox)
/etc d0755 0:0
/etc/passwd -0644 0:0 $(wc -c <context/etc/passwd)"
shale cat app:1 /bin/busybox | cmp - context/busybox

shale build -q -t app:2 context >out 2>err
same "the same again, quiet" "$(cat out err)" "$digest"
same "blobs" "$(find "$SHALE_STORE/blobs" -type f | wc -l)" 4
