#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What has a blob's name in the store and is no file: a note of fsck, and gone after gc, unless a directory holds something.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image app >/dev/null
shale ls app >/dev/null
# digit N: a digest in hex.
digit() {
  printf '%064d' "$1"
}
blobs=$SHALE_STORE/blobs/sha256
mkdir "$blobs/$(digit 1)" "$SHALE_STORE/shale/catalogs/$(digit 2)"
ln -s /etc/passwd "$blobs/$(digit 3)"
mkfifo "$blobs/$(digit 4)"
mkdir "$blobs/$(digit 5)"
echo mine >"$blobs/$(digit 5)/file"
for option in --quiet --read-data; do
  shale fsck "$option" >out || fail "fsck $option: $(cat out)"
  same "notes with $option" "$(sed -n 's/^note: //p' out | LC_ALL=C sort)" \
    "blob sha256:$(digit 1): a directory that nothing uses: gc removes it when it is empty
blob sha256:$(digit 3): nothing uses it: gc removes it
blob sha256:$(digit 4): nothing uses it: gc removes it
blob sha256:$(digit 5): a directory that nothing uses: gc removes it when it is empty
derived file $(digit 2): a directory that nothing uses: gc removes it when it is empty"
  same "the end with $option" "$(tail -n 1 out)" \
    "1 image, 3 blobs: 0 errors, 0 derived files to rebuild, 5 notes"
done
same "a dry run" "$(shale gc -n | cut -d , -f 1)" "would remove 3 blobs and 1 derived files"
same "gc" "$(shale gc | cut -d , -f 1)" "removed 3 blobs and 1 derived files"
shale fsck >out
same "what is left" "$(grep -c '^note: ' out) $(cat "$blobs/$(digit 5)/file")" "1 mine"
[ -f /etc/passwd ] || fail "gc followed a link"
rm -r "${blobs:?}/$(digit 5)"
same "afterwards" "$(shale fsck)" "1 image, 3 blobs: 0 errors, 0 derived files to rebuild, 0 notes"

# Where an image needs such a name, it is an error, which says the blob once.
layer=$(layers app)
rm "$(blob "$layer")"
expect 5 "*error: blob $layer: is not in the store (used by 'localhost/app:latest')*: 1 error, *" shale fsck
mkdir "$(blob "$layer")"
expect 5 "*error: blob $layer: '*' is not a regular file*" shale fsck --read-data
