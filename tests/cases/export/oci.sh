#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An image goes out as an OCI layout that skopeo and umoci read, byte for byte, and comes back with its digest and name.
# NEEDS: root skopeo umoci setfattr
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

umoci_layout
shale import -q -t app:1 oci:layout:app >/dev/null
digest=$(inspect app:1 "d['digest']")

same "what is printed" "$(shale export app:1 oci:out)" "$digest"
same "oci-layout" "$(cat out/oci-layout)" '{"imageLayoutVersion":"1.0.0"}'
same "entries" "$(json out/index.json "[(m['digest'], m['annotations']) for m in d['manifests']]")" \
  "[('$digest', {'io.containerd.image.name': 'localhost/app:1', 'org.opencontainers.image.ref.name': 'localhost/app:1'})]"
count=0
for blob in out/blobs/sha256/*; do
  same "the digest of $blob" "$(sha256sum <"$blob")" "${blob##*/}  -"
  cmp "$blob" "$SHALE_STORE/blobs/sha256/${blob##*/}"
  count=$((count + 1))
done
same "blobs: manifest, config, two layers" "$count" 4
same "files" "$(find out -type f | wc -l)" 6
same "modes" "$(find out -printf '%m %y\n' | sort -u)" "644 f
755 d"

same "skopeo" "$(skopeo inspect --raw oci:out | sha256sum)" "${digest#sha256:}  -"
skopeo --insecure-policy copy -q oci:out:localhost/app:1 oci:copy:1
same "skopeo's copy" "$(json copy/index.json "d['manifests'][0]['digest']")" "$digest"
shale export app:1 oci:named:v1 >/dev/null
umoci unpack --image named:v1 got >/dev/null
same_trees want/rootfs got/rootfs

shale import -q --store back oci:out >/dev/null
shale images --store back --json >back.json
same "what comes back" "$(json back.json "[(i['name'], i['digest']) for i in d]")" "[('localhost/app:1', '$digest')]"

# Without a name in the store there is none in the layout.
shale export "$digest" oci:nameless >/dev/null
same "no name" "$(json nameless/index.json "[m.get('annotations') for m in d['manifests']]")" "[None]"
shale export "$digest" oci:nameless >/dev/null
same "once" "$(json nameless/index.json "len(d['manifests'])")" 1
same "skopeo without a name" "$(skopeo inspect --raw oci:nameless | sha256sum)" "${digest#sha256:}  -"

# A report.
shale export --json app:1 oci:reported:x >report.json
same "the report" "$(json report.json "d['digest'], d['destination'], d['name'], d['layers'], d['signatures']")" \
  "('$digest', 'oci:reported:x', 'x', 2, 0)"
same "bytes" "$(json report.json "d['bytes']")" "$(cat reported/blobs/sha256/* | wc -c)"
shale export --json app:1 oci:reported:y >report.json
same "bytes of an image that is there" "$(json report.json "d['bytes']")" 0
