#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --compression of images that other tools made: docker's types and lists, several members and frames in any order,
# annotations of other indexes, what is no image beside images.
# NEEDS: root skopeo umoci setfattr getfattr
# TIMEOUT: 120
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

# unpacked IMAGE: it is, unpacked, what the image of umoci was.
unpacked() {
  rm -rf unpacked
  umoci unpack --image "$1" unpacked >/dev/null
  same_trees want/rootfs unpacked/rootfs
}

umoci_layout
shale import -q -t app:1 oci:layout:app >/dev/null
for to in zstd gzip:9; do
  shale export --compression "$to" app:1 "oci:umoci-$to:x" >/dev/null
  skopeo --insecure-policy copy -q --dest-compress-format gzip "oci:umoci-$to:x" oci:plain-gzip:x
  unpacked plain-gzip:x
done
unpacked umoci-gzip:9:x
# And one that skopeo compressed.
skopeo --insecure-policy copy -q --dest-compress-format zstd oci:layout:app oci:skopeo:app
shale import -q -t skopeo:1 oci:skopeo:app >/dev/null
shale export --compression gzip:9 skopeo:1 oci:from-skopeo:x >/dev/null
same "the same layers whoever compressed them" \
  "$(skopeo inspect --raw oci:from-skopeo:x >m.json && json m.json "[l['digest'] for l in d['layers']]")" \
  "$(skopeo inspect --raw "oci:umoci-gzip:9:x" >m.json && json m.json "[l['digest'] for l in d['layers']]")"

# odd: a list of docker's with an image, an attestation of it and something unknown; the image has a layer in frames and
# one with annotations of an index, both of odd tars, one that may not be passed on, and one twice.
python3 - "$SHALE_SOURCE/tests/hostile" <<'END_OF_PYTHON'
import gzip, json, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from layout import REF_NAME, Layout, sha256, tar_of
DOCKER = "application/vnd.docker."
def padded(files, zeros):
    return tar_of(files) + bytes(zeros)
tars = [padded([("a", b"a" * 70000)], 3 << 20), tar_of([("b", b"b"), ("dir/", b"")]), tar_of([("c", b"c")]),
        tar_of([("b", b"b"), ("dir/", b"")])]
out = Layout("odd")
members = b"".join(gzip.compress(tars[0][i:i + 100000], mtime=7) for i in range(0, len(tars[0]), 100000))
layers = [
    out.descriptor(DOCKER + "image.rootfs.diff.tar.gzip", members, **{"x-kept": [1, None]}),
    out.descriptor(DOCKER + "image.rootfs.diff.tar.gzip", gzip.compress(tars[1]), annotations={
        "containerd.io/snapshot/stargz/toc.digest": sha256(b"x"), "org.example.kept": "yes"}),
    out.descriptor(DOCKER + "image.rootfs.foreign.diff.tar.gzip", gzip.compress(tars[2]), urls=["https://example.org/c"]),
    out.descriptor(DOCKER + "image.rootfs.diff.tar", tars[3]),
]
config = out.descriptor(DOCKER + "container.image.v1+json", out.config([sha256(t) for t in tars]))
manifest = {"schemaVersion": 2, "mediaType": DOCKER + "distribution.manifest.v2+json", "config": config,
            "layers": layers, "annotations": {"org.example.manifest": "kept"}}
image = out.descriptor(manifest["mediaType"], manifest, platform={"os": "linux", "architecture": "amd64"})
statement = out.descriptor("application/vnd.in-toto+json", {"subject": image["digest"]})
attestation = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
               "config": out.descriptor("application/vnd.oci.image.config.v1+json", out.config([])), "layers": [statement]}
entries = [image, out.descriptor(attestation["mediaType"], attestation, platform={"os": "unknown", "architecture": "unknown"},
                                 annotations={"vnd.docker.reference.digest": image["digest"]})]
many = {"schemaVersion": 2, "mediaType": DOCKER + "distribution.manifest.list.v2+json", "manifests": entries}
out.finish(None, index={"schemaVersion": 2, "manifests": [
    {**out.descriptor(many["mediaType"], many), "annotations": {REF_NAME: "odd"}}]})
END_OF_PYTHON
shale import -q -t odd:1 oci:odd >/dev/null
shale export --json --compression zstd odd:1 oci:odd-zstd:x >report.json 2>err
same "the report" "$(json report.json "[d[k] for k in ('layers', 'recoded', 'kept_layers', 'kept_images', 'kept_manifests')]")" \
  "[5, 3, 1, 0, 1]"
same "what is said of the rest" "$(grep -c . err)" 2
grep -q "^shale: warning: manifests that are no images: 1, kept as they are; the digests in attestations" err ||
  fail "attestations: $(cat err)"
grep -q "^shale: warning: layers that nobody may pass on: 1, kept as they are" err || fail "foreign layers: $(cat err)"
python3 - odd odd-zstd <<'END_OF_PYTHON'
import hashlib, json, sys
def blob(layout, d):
    data = open(f"{layout}/blobs/{d['digest'].replace(':', '/')}", "rb").read()
    assert "sha256:" + hashlib.sha256(data).hexdigest() == d["digest"] and len(data) == d["size"], d
    return data
old, new = ([json.load(open(f"{layout}/index.json"))["manifests"][0]] for layout in sys.argv[1:3])
for layout, tops in ((sys.argv[1], old), (sys.argv[2], new)):
    tops.append(json.loads(blob(layout, tops[0])))
    tops.append(json.loads(blob(layout, tops[1]["manifests"][0])))
    tops.append(blob(layout, tops[2]["config"]))
assert new[0]["mediaType"] == new[1]["mediaType"] == "application/vnd.oci.image.index.v1+json", new[0]
# The attestation is what it was, and says what it said.
assert new[1]["manifests"][1] == old[1]["manifests"][1]
entry, was = new[1]["manifests"][0], old[1]["manifests"][0]
assert entry["platform"] == was["platform"] and entry["mediaType"] == new[2]["mediaType"], entry
manifest, before = new[2], old[2]
assert manifest["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
assert manifest["annotations"] == before["annotations"]
assert manifest["config"] == {**before["config"], "mediaType": "application/vnd.oci.image.config.v1+json"}
assert new[3] == old[3]
a, b, c, again = manifest["layers"]
zstd = "application/vnd.oci.image.layer.v1.tar+zstd"
assert a["mediaType"] == b["mediaType"] == again["mediaType"] == zstd
assert a["x-kept"] == [1, None] and b["annotations"].pop("org.example.kept") == "yes"
assert {k.rsplit(".", 1)[0] for k in b["annotations"]} == {"io.shale.layer-index"}, b
assert b["digest"] == again["digest"]
assert c == {**before["layers"][2], "mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"}, c
for layer in manifest["layers"]:
    blob(sys.argv[2], layer)
END_OF_PYTHON
top=$(json odd-zstd/index.json "d['manifests'][0]['digest']")
same "it comes back" "$(shale import -q --store back oci:odd-zstd)" "$top"
shale ls -R --json odd:1 >files.here
same "its name" "$(shale images --store back --names)" localhost/x:latest
shale ls -R --json --store back x >files.back
cmp files.here files.back
# Of one platform there is no index, and nothing to be said of what is beside the image.
same "one platform" "$(shale export --platform linux/amd64 --compression zstd odd:1 oci:one 2>err)" \
  "$(json "odd-zstd/blobs/sha256/${top#sha256:}" "d['manifests'][0]['digest']")"
! grep -q manifests err || fail "manifests of another platform: $(cat err)"
# Twice the same bytes.
for form in oci-archive docker-archive; do
  shale export -q --compression gzip odd:1 "$form:one.tar" >/dev/null 2>&1
  shale export -q --compression gzip odd:1 "$form:two.tar" >/dev/null 2>&1
  cmp one.tar two.tar
done

# An image beside others whose layers cannot be read is told from what is no image, and stays.  A layout of another tool
# is read as a store; import wants to read all layers.
python3 - "$SHALE_SOURCE/tests/hostile" <<'END_OF_PYTHON'
import gzip, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from layout import REF_NAME, Layout, sha256, tar_of
OCI = "application/vnd.oci.image."
out = Layout("locked")
entries = []
tar = tar_of([("a", b"a")])
for arch, layer in (("amd64", out.descriptor(OCI + "layer.v1.tar+gzip", gzip.compress(tar, mtime=0))),
                    ("arm64", out.descriptor(OCI + "layer.v1.tar+gzip+encrypted", b"secret"))):
    config = out.descriptor(OCI + "config.v1+json", out.config([sha256(tar)]))
    manifest = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": config, "layers": [layer]}
    entries.append(out.descriptor(manifest["mediaType"], manifest, platform={"os": "linux", "architecture": arch}))
many = {"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": entries}
out.finish(None, index={"schemaVersion": 2, "manifests": [
    {**out.descriptor(many["mediaType"], many), "annotations": {REF_NAME: "locked"}},
    {**entries[1], "annotations": {REF_NAME: "alone"}}]})
END_OF_PYTHON
shale export --store locked --json --compression zstd locked oci:locked-zstd >report.json 2>err
same "the report" "$(json report.json "[d[k] for k in ('layers', 'recoded', 'kept_layers', 'kept_images', 'kept_manifests')]")" \
  "[2, 1, 0, 1, 0]"
same "what is said of it" "$(cat err)" "shale: warning: images with layers of an unknown type: 1, kept as they are"
same "the entry of the one that stays" \
  "$(json "locked-zstd/blobs/sha256/$(json report.json "d['digest'][7:]")" "d['manifests'][1]['digest']")" \
  "$(json "locked/blobs/sha256/$(json locked/index.json "d['manifests'][0]['digest'][7:]")" "d['manifests'][1]['digest']")"
expect 3 "shale: image 'alone': 'alone': has a layer of an unknown type*" \
  shale export --store locked --compression zstd alone oci:alone
[ ! -e alone ] || fail "what is refused is there"

index=$(two_platforms both)
shale export --compression gzip both oci:all >all.digest
[ "$(cat all.digest)" != "$index" ] || fail "the index did not change"
for arch in amd64 arm64; do
  skopeo --insecure-policy --override-arch "$arch" copy -q oci:all "oci:copy:$arch"
  skopeo inspect --raw "oci:copy:$arch" >m.json
  same "$arch" "$(json m.json "[l['mediaType'] for l in d['layers']]")" "['application/vnd.oci.image.layer.v1.tar+gzip']"
done
# The index of the start was not canonical; the manifests are what they were.
shale import -q --store both-back -t both oci:all >/dev/null
again=$(shale export --store both-back --compression zstd both oci:again)
same "and back" "$(json "again/blobs/sha256/${again#sha256:}" "[m['digest'] for m in d['manifests']]")" \
  "$(json "$(blob "$index")" "[m['digest'] for m in d['manifests']]")"
