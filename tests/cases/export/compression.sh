#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --compression re-encodes the layers of an image that shale made: into what an import with that compression makes, to the
# digest; tars, diff_ids and config stay.
# NEEDS: root skopeo umoci setfattr getfattr gzip zstd
# TIMEOUT: 180
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

make_rootfs tree
for compression in zstd:3 zstd:9 gzip:6 gzip:1; do
  shale import -q --store "store-$compression" -t app:1 --compression "$compression" dir:tree >"digest-$compression"
done
config=$(json "store-zstd:3/blobs/sha256/$(cut -d: -f2 digest-zstd:3)" "d['config']['digest']")

for from in zstd:3 gzip:1; do
  export SHALE_STORE="$PWD/store-$from"
  for to in zstd:3 zstd:9 gzip:6 gzip:1; do
    digest=$(cat "digest-$to")
    same "$from as $to" "$(shale export --compression "$to" app:1 oci-archive:got.tar)" "$digest"
    # The whole archive is that of the image which has this compression.
    shale export --store "$PWD/store-$to" app:1 oci-archive:- | cmp - got.tar
    for workers in 0 1 5; do
      shale export --compression "$to" --workers "$workers" app:1 oci-archive:- | cmp - got.tar
    done
  done
  same "the default of zstd" "$(shale export --compression zstd app:1 oci-archive:default.tar)" "$(cat digest-zstd:3)"
  same "the default of gzip" "$(shale export --compression=gzip app:1 oci-archive:default.tar)" "$(cat digest-gzip:6)"
done

export SHALE_STORE="$PWD/store-zstd:3"
mkdir before
cp -r "$SHALE_STORE" before
for to in zstd:9 gzip:6; do
  encoding=${to%:*}
  digest=$(cat "digest-$to")
  rm -rf "out-$encoding"
  same "a layout" "$(shale export --compression "$to" app:1 "oci:out-$encoding")" "$digest"
  # What it is, for others.
  layer=$(json "out-$encoding/blobs/sha256/${digest#sha256:}" "d['layers'][0]['digest'].split(':')[1]")
  "$encoding" -t -q <"out-$encoding/blobs/sha256/$layer"
  same "its tar" "sha256:$("$encoding" -dc <"out-$encoding/blobs/sha256/$layer" | sha256sum | cut -d' ' -f1)" \
    "$(json "out-$encoding/blobs/sha256/${config#sha256:}" "d['rootfs']['diff_ids'][0]")"
  same "skopeo" "$(skopeo inspect --raw "oci:out-$encoding" | sha256sum)" "${digest#sha256:}  -"
  same "the config" "$(skopeo inspect --config --raw "oci:out-$encoding" | sha256sum)" "${config#sha256:}  -"
  skopeo --insecure-policy copy -q "oci:out-$encoding" "oci:copy-$encoding:1"
  shale import -q --store back "oci:out-$encoding" | grep -qx "$digest" || fail "import of $to gives another digest"
  shale fsck -q --store back --read-data >fsck.out || fail "fsck: $(cat fsck.out)"
done
umoci unpack --image copy-gzip:1 got >/dev/null
same_trees tree got/rootfs
diff -r before/* "$SHALE_STORE" >&2 || fail "an export changed the store"

# A docker archive has the layers as they are compressed.
for to in zstd:9 gzip:6; do
  encoding=${to%:*}
  shale export --compression "$to" app:1 "docker-archive:docker-$encoding.tar" >/dev/null
  shale export --compression "$to" app:1 docker-archive:- | cmp - "docker-$encoding.tar"
  tar xOf "docker-$encoding.tar" manifest.json >m.json
  layer=$(json m.json "d[0]['Layers'][0]")
  tar xOf "docker-$encoding.tar" "$layer" >"layer-$encoding"
  "$encoding" -t -q <"layer-$encoding"
  same "the tar in it" "$("$encoding" -dc <"layer-$encoding" | sha256sum | cut -d' ' -f1)" "${layer%%.*}"
  same "the config in it" "$(skopeo inspect --config --raw "docker-archive:docker-$encoding.tar" | sha256sum)" "${config#sha256:}  -"
  skopeo --insecure-policy copy -q "docker-archive:docker-$encoding.tar" "oci:from-docker-$encoding:1"
  shale import -q --store "docker-$encoding" "docker-archive:docker-$encoding.tar" >/dev/null
  shale ls -R --json app:1 >files.here
  shale ls -R --json --store "docker-$encoding" app:1 >files.back
  cmp files.here files.back
done
umoci unpack --image from-docker-gzip:1 got-docker >/dev/null
same_trees tree got-docker/rootfs

# A report.
shale export --json --compression gzip app:1 oci:reported >report.json
same "the report" "$(json report.json "[d[k] for k in ('digest', 'layers', 'recoded', 'kept_layers', 'kept_images', 'kept_manifests', 'signatures_left')]")" \
  "['$(cat digest-gzip:6)', 1, 1, 0, 0, 0, 0]"
same "bytes" "$(json report.json "d['bytes']")" "$(cat reported/blobs/sha256/* | wc -c)"
shale export --json app:1 oci:plain >report.json
same "the report of a plain one" "$(json report.json "d['recoded']")" 0
shale export --compression gzip app:1 oci:said >/dev/null 2>err
[ ! -s err ] || fail "something was said: $(cat err)"

# What is no compression, and where there are no layers.
for wrong in '' none xz zstd:0 zstd:20 gzip:10 gzip: zstd:fast; do
  expect 2 "*option '--compression': *" shale export --compression "$wrong" app:1 oci:refused
done
for form in rootfs:refused rootfs:-; do
  expect 2 "*option '--compression': a tar of the files has no layers" shale export --compression gzip app:1 "$form"
done
[ ! -e refused ] || fail "a refused export made something"
