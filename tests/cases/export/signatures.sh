#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Signatures go along in the OCI forms and come back; skopeo, which wants to be told which of two entries is meant, sees
# one.
# NEEDS: skopeo
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

make_key team
make_key other
small_image app:1 >/dev/null
sign app:1
shale sign --key other.key --passphrase-file pass app:1 >/dev/null
digest=$(inspect app:1 "d['digest']")
tag=sha256-${digest#sha256:}.sig

shale export --json app:1 oci:out >report.json
same "signatures" "$(json report.json "d['signatures']")" 2
shale export app:1 oci-archive:app.tar >/dev/null
same "entries" "$(json out/index.json "len(d['manifests'])")" 1
artifact=$(json out/index.json "d['manifests'][0]['annotations']['io.shale.signatures.$tag']")
same "the size in the note" "$(wc -c <"out/blobs/sha256/$(expr "$artifact" : 'sha256:\([0-9a-f]*\) ')")" "${artifact#* }"
for source in oci:out oci-archive:app.tar; do
  same "skopeo without a name, $source" "$(skopeo inspect --raw "$source" | sha256sum)" "${digest#sha256:}  -"
  rm -rf back
  same "the digest, $source" "$(shale import -q --store back "$source")" "$digest"
  for key in team other; do
    same "verified by $key, $source" "$(shale verify -q --store back --key "$key.pub" app:1)" "$digest"
  done
  same "refs, $source" "$(json back/index.json "sorted(m['annotations']['org.opencontainers.image.ref.name'] for m in d['manifests'])")" \
    "['localhost/app:1', 'localhost/app:$tag']"
  # It can go out again.
  shale export --store back app:1 oci-archive:again.tar >/dev/null
  cmp app.tar again.tar
done
shale import -q --store back -t moved:2 oci:out >/dev/null
shale verify -q --store back --key team.pub --identity app:1 moved:2 >/dev/null
# A layout that keeps them in entries of their own is read as ever; by digest they are found, too.
shale export --json "$digest" oci:by-digest >report.json
same "signatures of a digest" "$(json report.json "d['signatures']")" 2

# Of an index, and of each manifest in it; of one platform, its own.
two_platforms both >/dev/null
sign --recursive both
shale export --json both oci:index >report.json
same "signatures of an index" "$(json report.json "d['signatures'], d['layers']")" "(3, 2)"
shale import -q --store index-back oci:index >/dev/null
shale verify -q --store index-back --key team.pub --platform linux/arm64 both >/dev/null
shale export --json --platform linux/arm64 both oci:arm >report.json
same "signatures of one platform" "$(json report.json "d['signatures']")" 1
shale import -q --store arm-back oci:arm >/dev/null
shale verify -q --store arm-back --key team.pub --platform linux/arm64 both >/dev/null
small_image unsigned other >/dev/null
shale export --json unsigned oci:unsigned >report.json
same "none" "$(json report.json "d['signatures']")" 0

# A note that is wrong, and an artifact that is not there, are no image without signatures.
cp -r out wrong
sed -i 's/"sha256:[0-9a-f]* [0-9]*"/"sha256:1 2"/' wrong/index.json
expect 3 "*annotation 'io.shale.signatures.$tag' is no digest and size" shale import --store wrong-back oci:wrong
cp -r out lacking
rm "lacking/blobs/sha256/$(expr "$artifact" : 'sha256:\([0-9a-f]*\) ')"
expect 3 "*signatures '$tag'*" shale import --store lacking-back oci:lacking
# An image that is a signature is none.
expect 3 "*is a signature or attestation of an image, not an image" shale export "app:$tag" oci:sig
