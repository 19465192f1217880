#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Of an image for several platforms fsck --repair names those that are lost; the others can be used.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir small
echo hello >small/hello
printf 'FROM scratch\nCOPY hello /\n' |
  shale build -q -f - -t both --platform linux/amd64,linux/arm64,linux/riscv64 small >/dev/null
index=$(json "$SHALE_STORE/index.json" "d['manifests'][0]['digest']")
# manifest ARCHITECTURE: its digest.
manifest() {
  json "$(blob "$index")" "[m['digest'] for m in d['manifests'] if m['platform']['architecture'] == '$1'][0]"
}
# config ARCHITECTURE: where that of its image is.
config() {
  blob "$(json "$(blob "$(manifest "$1")")" "d['config']['digest']")"
}
# lost: what is, by text and JSON.
lost() {
  shale fsck --repair >fsck.out 2>/dev/null || true
  shale fsck --repair --json >fsck.json 2>/dev/null || true
  same "JSON" "$(json fsck.json "'\n'.join(f['subject'] for f in d['findings'] if f['severity'] == 'lost')")" \
    "$(sed -n 's/^lost: \([^:]*:[^:]*\): .*/\1/p' fsck.out)"
  same "their number" "$(json fsck.json "d['lost']")" "$(grep -c '^lost: ' fsck.out)"
  sed -n 's/^lost: //p' fsck.out
}
advice="1 of its blobs is damaged or missing: import or build it again"

same "a whole image" "$(lost)" ""
rm "$(config arm64)"
same "one of three" "$(lost)" "image localhost/both:latest for linux/arm64: $advice"
grep -q ', 1 image lost$' fsck.out || fail "$(cat fsck.out)"
same "another" "$(shale cat --platform linux/amd64 both /hello)" hello
shale export -q --platform linux/riscv64 both oci-archive:both.tar >/dev/null
rm "$(blob "$(manifest riscv64)")"
same "two of three" "$(lost)" "image localhost/both:latest for linux/arm64: $advice
image localhost/both:latest for linux/riscv64: $advice"
grep -q ', 2 images lost$' fsck.out || fail "$(cat fsck.out)"
flip "$(blob "$index")" 20
same "the index" "$(lost)" "image localhost/both:latest: $advice"
