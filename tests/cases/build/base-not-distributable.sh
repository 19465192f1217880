#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A layer of the base that may not be passed on stays one in what is built upon it, with the places where others get it,
# whether the base has docker's types or OCI's; export --compression then leaves it alone.
# NEEDS: skopeo
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

# Two layouts of one layer each, and one that others may have.
python3 - "$SHALE_SOURCE/tests/hostile" <<'END_OF_PYTHON'
import gzip, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from layout import Layout, sha256, tar_of
OCI, DOCKER = "application/vnd.oci.image.", "application/vnd.docker."
tars = [tar_of([("a", b"a" * 70000)]), tar_of([("b", b"b")])]
urls = ["https://example.org/a", "https://example.com/a"]
for name, foreign, plain, config, manifest in (
        ("docker", DOCKER + "image.rootfs.foreign.diff.tar.gzip", DOCKER + "image.rootfs.diff.tar.gzip",
         DOCKER + "container.image.v1+json", DOCKER + "distribution.manifest.v2+json"),
        ("oci", OCI + "layer.nondistributable.v1.tar+gzip", OCI + "layer.v1.tar+gzip",
         OCI + "config.v1+json", OCI + "manifest.v1+json")):
    out = Layout(name)
    layers = [out.descriptor(foreign, gzip.compress(tars[0], mtime=0), urls=urls),
              out.descriptor(plain, gzip.compress(tars[1], mtime=0))]
    document = {"schemaVersion": 2, "mediaType": manifest, "layers": layers,
                "config": out.descriptor(config, out.config([sha256(t) for t in tars]))}
    out.finish(None, index={"schemaVersion": 2, "manifests": [out.descriptor(manifest, document)]})
END_OF_PYTHON

mkdir context
echo new >context/new
for base in docker oci; do
  shale import -q -t "$base" "oci:$base" >/dev/null
  printf 'FROM %s\nCOPY new /\n' "$base" | shale build -q -f - -t "on-$base" --platform linux/amd64 context >/dev/null
  skopeo inspect --raw "oci:$SHALE_STORE:localhost/on-$base:latest" >manifest
  same "types upon $base" "$(json manifest "[l['mediaType'].split('image.')[1] for l in d['layers']]")" \
    "['layer.nondistributable.v1.tar+gzip', 'layer.v1.tar+gzip', 'layer.v1.tar+zstd']"
  same "urls upon $base" "$(json manifest "[l.get('urls') for l in d['layers']]")" \
    "[['https://example.org/a', 'https://example.com/a'], None, None]"
  same "files upon $base" "$(shale ls "on-$base" / | paste -sd' ')" "a b new"

  # It is read as any other, and nobody's encoder makes another one of it.
  shale export --compression gzip "on-$base" "oci:out-$base:x" >/dev/null 2>err
  grep -q "^shale: warning: layers that nobody may pass on: 1, kept as they are" err || fail "upon $base: $(cat err)"
  skopeo inspect --raw "oci:out-$base:x" >exported
  same "the layer that leaves" "$(json exported "d['layers'][0]")" "$(json manifest "d['layers'][0]")"
done
same "one image" "$(inspect on-docker "d['digest']")" "$(inspect on-oci "d['digest']")"
shale fsck -q --read-data >/dev/null
