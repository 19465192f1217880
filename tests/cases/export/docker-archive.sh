#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A docker archive holds what docker load reads: manifest.json, the config, and the layers as plain tars under their
# diff_ids; whatever the layers are in the store.
# NEEDS: root skopeo umoci setfattr
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

umoci_layout
shale import -q -t gzip:1 oci:layout:app >/dev/null
make_rootfs tree
shale import -q -t zstd:1 dir:tree >/dev/null
skopeo --insecure-policy copy -q oci:layout:app docker-archive:plain.tar:plain:1
shale import -q -t plain:1 docker-archive:plain.tar >/dev/null

for image in gzip zstd plain; do
  digest=$(inspect "$image:1" "d['digest']")
  same "what is printed, $image" "$(shale export "$image:1" "docker-archive:$image.tar")" "$digest"
  shale export "$image:1" docker-archive:- | cmp - "$image.tar"
  rm -rf parts
  mkdir parts
  tar xf "$image.tar" -C parts
  config=$(json parts/manifest.json "d[0]['Config']")
  same "images, $image" "$(json parts/manifest.json "len(d), d[0]['RepoTags']")" "(1, ['localhost/$image:1'])"
  same "the config, $image" "$(sha256sum <"parts/$config")" "${config%.json}  -"
  same "the layers, $image" "$(json parts/manifest.json "['sha256:' + l.split('.')[0] for l in d[0]['Layers']]")" \
    "$(json "parts/$config" "d['rootfs']['diff_ids']")"
  for layer in $(json parts/manifest.json "' '.join(d[0]['Layers'])"); do
    same "a layer, $image" "$(sha256sum <"parts/$layer")" "${layer%.tar}  -"
  done
  same "members, $image" "$(find parts -type f | wc -l)" "$((2 + $(json parts/manifest.json "len(set(d[0]['Layers']))")))"
  same "skopeo, $image" "$(skopeo inspect --config --raw "docker-archive:$image.tar" | sha256sum)" "${config%.json}  -"
  skopeo --insecure-policy copy -q "docker-archive:$image.tar" "oci:copy-$image:1"
  # Its manifest is new; the files are not.
  shale import -q --store back "docker-archive:$image.tar" >/dev/null
  shale ls -R --json "$image:1" >files.here
  shale ls -R --json --store back "$image:1" >files.back
  cmp files.here files.back
done
umoci unpack --image copy-gzip:1 got >/dev/null
same_trees want/rootfs got/rootfs
umoci unpack --image copy-zstd:1 got-tree >/dev/null
same_trees tree got-tree/rootfs

# One layer that is in an image twice is one file.
python3 - "$SHALE_SOURCE/tests/hostile" <<'END_OF_PYTHON'
import gzip, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from layout import LAYER, tar_of, write_image
tar, other = tar_of([("a", b"a" * 3000)]), tar_of([("b", b"b")])
write_image("double", [(LAYER, tar, tar), (LAYER, other, other), (LAYER + "+gzip", gzip.compress(tar, mtime=0), tar)])
END_OF_PYTHON
shale import -q -t twice oci:double >/dev/null
shale export twice docker-archive:twice.tar >/dev/null
same "layers" "$(tar xOf twice.tar manifest.json >m.json && json m.json "len(d[0]['Layers']), len(set(d[0]['Layers']))")" "(3, 2)"
same "files" "$(tar tf twice.tar | wc -l) $(tar tf twice.tar | sort | uniq -d)" "4 "
shale import -q --store back -t twice docker-archive:twice.tar >/dev/null
skopeo --insecure-policy copy -q docker-archive:twice.tar oci:copy-twice:1

# Names.
# tags DEST: what the archive calls the image.
tags() {
  shale export -q gzip:1 "docker-archive:named.tar$1" >/dev/null
  tar xOf named.tar manifest.json >m.json
  json m.json "d[0]['RepoTags']"
}
same "a name" "$(tags :other)" "['localhost/other:latest']"
same "a tag" "$(tags :other:2)" "['localhost/other:2']"
same "a host" "$(tags :registry.example:5000/team/app:2)" "['registry.example:5000/team/app:2']"
same "docker's own" "$(tags :docker.io/library/debian:12)" "['docker.io/library/debian:12']"
same "skopeo" "$(skopeo inspect docker-archive:named.tar:docker.io/library/debian:12 >/dev/null && echo taken)" taken
digest=$(inspect gzip:1 "d['digest']")
shale export "$digest" docker-archive:nameless.tar >/dev/null
same "a digest has no name" "$(tar xOf nameless.tar manifest.json >m.json && json m.json "d[0]['RepoTags']")" "[]"
skopeo inspect docker-archive:nameless.tar >/dev/null
for name in Upper a//b 'a b' -x a:b:c "app@$digest" "app:1@$digest"; do
  expect 2 "*" shale export gzip:1 "docker-archive:refused.tar:$name"
done
[ ! -e refused.tar ] || fail "a refused name made a file"
