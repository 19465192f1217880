#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each --json report is one JSON document with the members that its manual page lists, and nothing else beside it.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

# members FILE EXPRESSION WORD...: the keys of an object in the document are exactly these.
members() {
  members_got=$(json "$1" "' '.join(sorted($2))")
  members_what="$1 $2"
  shift 2
  same "members of $members_what" "$members_got" "$(printf '%s\n' "$@" | LC_ALL=C sort | paste -sd' ')"
}

echo secret >pass
small_image app >/dev/null
mkdir -p tree/sub
ln -s sub tree/link
shale keygen --passphrase-file pass team >/dev/null

shale import --json -t tree dir:tree >import.json
members import.json d name digest media_type layers reframed
shale images --json >images.json
members images.json 'd[0]' name digest media_type platform layers size created
shale inspect --json app >inspect.json
members inspect.json d name digest media_type manifest platform layers config
members inspect.json "d['layers'][0]" digest diff_id media_type size is_indexed
shale ls --json -R tree >ls.json
members ls.json "next(f for f in d if f['type'] == 'd')" path type mode uid gid links size mtime
members ls.json "next(f for f in d if f['type'] == 'l')" path type mode uid gid links size mtime target
shale sign --json --key team.key --passphrase-file pass app >sign.json
members sign.json d digest identity added kept
shale verify --json --key team.pub app >verify.json
members verify.json d verified digest manifest name identity key signatures bytes_read
shale verify --json --key team.pub tree >refused.json 2>/dev/null && fail "an image without a signature was verified"
members refused.json "set(d) - {'digest', 'manifest', 'identity', 'name'}" verified key signatures bytes_read \
  failed_step reason
same "verified" "$(json verify.json "d['verified']") $(json refused.json "d['verified']")" "True False"
shale fsck --json --read-data >fsck.json
members fsck.json d findings images blobs bytes_read errors derived notes
shale gc --json >gc.json
members gc.json d removed_blobs removed_derived removed_refs removed_litter freed_bytes kept_blobs
printf 'FROM scratch\nCOPY hello /\n' | shale build -q -f - --metadata-file metadata.json -t meta small >/dev/null
members metadata.json d containerimage.digest containerimage.config.digest containerimage.descriptor image.name
members metadata.json "d['containerimage.descriptor']" mediaType digest size
