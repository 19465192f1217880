#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# skopeo inspects images in the store, copies them to other layouts, and what comes back has the same digest.
# NEEDS: skopeo
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
seq 1000 >context/x
digest=$(printf 'FROM scratch\nCOPY x /x\nENV A=1\nLABEL b=2\n' | build_text app context)
source=oci:$SHALE_STORE:localhost/app:latest
skopeo inspect "$source" >inspected
same "inspect" "$(json inspected "d['Digest'], d['Env'][-1], d['Labels'], d['Created']")" \
  "('$digest', 'A=1', {'b': '2'}, '1980-01-01T00:00:00Z')"
skopeo inspect --config "$source" >config.json
same "history" "$(json config.json "len(d['history'])")" 3

skopeo copy -q "$source" oci:layout:x
skopeo copy -q "$source" oci-archive:archive.tar:x
skopeo copy -q "$source" dir:directory
same "the copy's manifest" "sha256:$(sha256sum <directory/manifest.json | cut -d' ' -f1)" "$digest"
same "from a layout" "$(shale import -q -t back oci:layout:x)" "$digest"
same "from an archive" "$(shale import -q --store other -t back oci-archive:archive.tar:x)" "$digest"
shale fsck -q --store other --read-data >/dev/null

skopeo copy -q --dest-compress-format gzip "$source" oci:gzip:x
shale import -q -t gzip oci:gzip:x >/dev/null
same "diff_id of gzip" "$(inspect gzip "d['layers'][0]['diff_id']")" "$(inspect app "d['layers'][0]['diff_id']")"
shale cat gzip /x | cmp - context/x
# What docker save writes has no zstd.
skopeo copy -q oci:gzip:x docker-archive:docker.tar:app:latest
shale import -q -t docker docker-archive:docker.tar >/dev/null
shale cat docker /x | cmp - context/x
