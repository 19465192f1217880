#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What other tools put into the layout stays: shale keeps their entries in index.json, and gc their blobs.
# NEEDS: skopeo
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image app >/dev/null
small_image other different >/dev/null
skopeo copy -q "oci:$SHALE_STORE:localhost/other:latest" oci:layout:x
shale rm other >/dev/null
shale gc >/dev/null
skopeo copy -q oci:layout:x "oci:$SHALE_STORE:localhost/foreign:1"
skopeo copy -q oci:layout:x "oci:$SHALE_STORE:not-a-full-name"
same "an image that skopeo put there" "$(shale cat foreign:1 /hello)" different
shale tag app again
shale rm app >/dev/null
shale rm foreign:1 >/dev/null
shale gc >/dev/null
skopeo inspect "oci:$SHALE_STORE:not-a-full-name" >/dev/null
skopeo copy -q "oci:$SHALE_STORE:not-a-full-name" oci:back:x
diff -r layout/blobs back/blobs
same "names" "$(json "$SHALE_STORE/index.json" \
  "sorted(m['annotations']['org.opencontainers.image.ref.name'] for m in d['manifests'])")" \
  "['localhost/again:latest', 'not-a-full-name']"
same "the name as it is there" "$(shale rm not-a-full-name)" "untagged not-a-full-name"
expect 8 "*no image*not-a-full-name*" shale rm not-a-full-name
# shale looks into layouts of other tools, too.
mkdir own
cp -r layout own/layout
same "a foreign layout as the store" "$(shale images --store own/layout | wc -l)" 2
