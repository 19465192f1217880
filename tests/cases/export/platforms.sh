#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An index goes out whole where the form can hold it, else one platform of it; what the store lacks of it is said.
# NEEDS: skopeo
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

index=$(two_platforms both)
arm=$(json "$(blob "$index")" "[m['digest'] for m in d['manifests'] if m['platform']['architecture'] == 'arm64'][0]")

same "an index" "$(shale export both oci:all)" "$index"
same "blobs" "$(find all/blobs -type f | wc -l)" 7
same "an index in an archive" "$(shale export both oci-archive:all.tar)" "$index"
for arch in amd64 arm64; do
  skopeo --insecure-policy --override-arch "$arch" copy -q oci:all "oci:copy:$arch"
  skopeo --insecure-policy --override-arch "$arch" copy -q oci-archive:all.tar "oci:copy:$arch"
done
same "it comes back" "$(shale import -q --store back oci-archive:all.tar)" "$index"

for form in oci:one oci-archive:one.tar docker-archive:one-docker.tar rootfs:one-files.tar; do
  same "one platform, $form" "$(shale export --platform linux/arm64 both "$form")" "$arm"
done
same "blobs of one" "$(find one/blobs -type f | wc -l)" 3
same "the right one" "$(tar xOf one-files.tar arch)" arm64
same "it comes back" "$(shale import -q --store one-back oci:one)" "$arm"
skopeo inspect --config docker-archive:one-docker.tar >config.json
same "the platform" "$(json config.json "d['architecture']")" arm64
for form in oci:no oci-archive:no docker-archive:no rootfs:no; do
  expect 8 "*has nothing for the platform 'linux/s390x', only: linux/amd64, linux/arm64" \
    shale export --platform linux/s390x both "$form"
  [ ! -e no ] || fail "$form made something"
done
expect 2 "*option '--platform'*" shale export --platform nonsense both oci:no

# An index inside of an index, which a store of another tool may have.
cp -r all nested
python3 - <<'END_OF_PYTHON'
import hashlib, json
with open("nested/index.json") as f:
    top = json.load(f)
entry = top["manifests"][0]
inner = {k: entry[k] for k in ("mediaType", "digest", "size")}
outer = json.dumps({"schemaVersion": 2, "mediaType": entry["mediaType"], "manifests": [inner]}).encode()
digest = hashlib.sha256(outer).hexdigest()
with open(f"nested/blobs/sha256/{digest}", "wb") as f:
    f.write(outer)
entry.update(digest=f"sha256:{digest}", size=len(outer))
with open("nested/index.json", "w") as f:
    json.dump(top, f)
END_OF_PYTHON
expect 3 "*manifest 1 of the index: an index inside of an index" shale export --store nested both oci:no
[ ! -e no ] || fail "an index inside of an index made something"

# A store that another tool made, with an index of which it copied one platform.
rm "all/blobs/sha256/${arm#sha256:}"
export SHALE_STORE="$PWD/all"
expect 8 "*manifest for linux/arm64: blob '$arm' is not in the store (not all of the index is there; --platform takes one of it)" \
  shale export both oci:no
[ ! -e no ] || fail "an index with a hole made something"
shale export --platform linux/amd64 both oci:yes >/dev/null
