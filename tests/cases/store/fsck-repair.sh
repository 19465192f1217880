#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fsck --repair makes anew what is derived, says which images are lost, and changes nothing else.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir one two
seq 100000 >one/x
seq 100 >two/y
printf 'FROM scratch\nCOPY x /\n' | build_text app one >/dev/null
printf 'FROM scratch\nCOPY y /\n' | build_text other two >/dev/null
shale ls app >/dev/null
shale ls other >/dev/null
same "a whole store" "$(shale fsck --repair)" \
  "2 images, 6 blobs: 0 errors, 0 derived files to rebuild, 0 notes, 0 derived files made anew, 0 images lost"
(cd "$SHALE_STORE" && find . -type f ! -path './shale/*' -exec sha256sum {} + | sort) >before
for catalog in "$SHALE_STORE"/shale/catalogs/*; do
  flip "$catalog" 40
done
shale fsck --repair >out
same "made anew" "$(grep -c '^repaired: catalog of manifest sha256:.*: made anew: ' out)" 2
same "the end" "$(tail -n 1 out)" \
  "2 images, 6 blobs: 0 errors, 0 derived files to rebuild, 0 notes, 2 derived files made anew, 0 images lost"
same "afterwards" "$(shale fsck --read-data)" "2 images, 6 blobs: 0 errors, 0 derived files to rebuild, 0 notes"

layer=$(blob "$(layers app)")
flip "$layer" 1000
(cd "$SHALE_STORE" && find . -type f ! -path './shale/*' -exec sha256sum {} + | sort) >damaged
expect 5 '*lost: image localhost/app:latest: 1 of its blobs is damaged or missing: import or build it again*' \
  shale fsck --repair --read-data
! grep -q localhost/other expect.out || fail "too much: $(cat expect.out)"
shale fsck --repair --read-data --json >fsck.json 2>/dev/null || true
same "JSON" "$(json fsck.json "(d['lost'], d['repaired'], [f['subject'] for f in d['findings'] if f['severity'] == 'lost'])")" \
  "(1, 0, ['image localhost/app:latest'])"
(cd "$SHALE_STORE" && find . -type f ! -path './shale/*' -exec sha256sum {} + | sort) | cmp - damaged
flip "$layer" 1000
(cd "$SHALE_STORE" && find . -type f ! -path './shale/*' -exec sha256sum {} + | sort) | cmp - before
