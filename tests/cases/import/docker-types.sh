#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Layouts and archives whose documents and layers have docker's media types (schema 2 manifests, manifest lists,
# layer.tar.gzip) are, mounted, the tree that umoci unpacks of OCI's form.
# NEEDS: root fuse umoci skopeo getfattr
# TIMEOUT: 120
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

umoci_layout

# docker: the image with docker's types, and it and one of arm64 in a manifest list; no byte of them says OCI.
python3 - "$SHALE_SOURCE/tests/hostile" <<'END'
import json, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from layout import REF_NAME, Layout
DOCKER = "application/vnd.docker."
def blob(digest):
    return open("layout/blobs/" + digest.replace(":", "/"), "rb").read()
top = next(m for m in json.load(open("layout/index.json"))["manifests"] if m["annotations"][REF_NAME] == "app")
image = json.loads(blob(top["digest"]))
config = json.loads(blob(image["config"]["digest"]))
out = Layout("docker")
layers = [out.descriptor(DOCKER + "image.rootfs.diff.tar.gzip", blob(l["digest"])) for l in image["layers"]]
tops = []
for architecture in ("amd64", "arm64"):
    named = out.descriptor(DOCKER + "container.image.v1+json", {**config, "architecture": architecture})
    manifest = {"schemaVersion": 2, "mediaType": DOCKER + "distribution.manifest.v2+json", "config": named,
                "layers": layers}
    tops.append(out.descriptor(manifest["mediaType"], manifest, platform={"os": "linux", "architecture": architecture}))
many = {"schemaVersion": 2, "mediaType": DOCKER + "distribution.manifest.list.v2+json", "manifests": tops}
both = out.descriptor(many["mediaType"], many)
tops[0].pop("platform")
out.finish(None, index={"schemaVersion": 2, "manifests": [
    {**tops[0], "annotations": {REF_NAME: "app"}}, {**both, "annotations": {REF_NAME: "both"}}]})
END
! grep -rl 'vnd.oci.image' docker || fail "a document of docker's form says OCI"
tar -C docker -cf docker.tar .

mkdir mnt
# mounted NAME [OPTION]...
mounted() {
  shale mount "$@" mnt
  same_trees want/rootfs mnt
  shale umount mnt
}
for source in oci:docker oci-archive:docker.tar; do
  digest=$(shale import -q -t app "$source:app")
  same "the digest is kept" "$digest" "$(json docker/index.json "d['manifests'][0]['digest']")"
  same "its type" "$(inspect app "d['media_type']")" application/vnd.docker.distribution.manifest.v2+json
  mounted app
  digest=$(shale import -q -t both "$source:both")
  same "the digest is kept" "$digest" "$(json docker/index.json "d['manifests'][1]['digest']")"
  same "its type" "$(inspect both "d['media_type']")" application/vnd.docker.distribution.manifest.list.v2+json
  for platform in linux/amd64 linux/arm64; do
    mounted --platform "$platform" both
  done
  expect 8 "*only: linux/amd64, linux/arm64" shale mount --platform linux/s390x both mnt
  shale fsck --read-data -q >fsck.out
  same "errors" "$(grep -c error: fsck.out || true)" 0
  rm -rf store
done

# Out again as it came, which shale reads and others do not: a warning tells, and what to do.
shale import -q -t app oci:docker:app >imported
shale import -q -t both oci:docker:both >imported
for line in "app oci:out" "both oci-archive:out.tar"; do
  name=${line% *} form=${line#* }
  shale export -q "$name" "$form:$name" >exported 2>warning
  grep -q "docker's type 'application/vnd.docker.distribution.manifest.*--compression zstd or gzip" warning ||
    fail "$name to $form: $(cat warning)"
  same "it comes back" "$(shale import -q --store back "$form:$name")" "$(cat exported)"
  if skopeo inspect --raw "$form:$name" >raw 2>&1; then
    fail "skopeo reads $name in $form: the warning is wrong"
  fi
  rm -rf out out.tar
  same "with --compression" "$(shale export -q --compression gzip "$name" "$form:$name" 2>&1 >exported)" ""
  skopeo inspect --raw "$form:$name" >raw
  if grep -q vnd.docker raw; then
    fail "--compression leaves docker's types"
  fi
done
same "a docker archive" "$(shale export -q app docker-archive:out.docker 2>&1 >exported)" ""
