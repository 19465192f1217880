#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An import of what is there already mends what is damaged there, and writes nothing when all is well.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
seq 100000 >context/x
printf 'FROM scratch\nCOPY x /\n' | build_text app context >/dev/null
cp -a "$SHALE_STORE" source
rm -r source/shale
(cd source && tar cf ../source.tar oci-layout index.json blobs)
manifest=$(inspect app "d['digest']")
config=$(json "$(blob "$manifest")" "d['config']['digest']")
layer=$(layers app)

# import SOURCE: of the same image.
import() {
  shale import -q -t app "$1" >/dev/null
}

for source in oci:source:localhost/app:latest oci-archive:source.tar:localhost/app:latest; do
  for digest in "$manifest" "$config" "$layer"; do
    for at in 0 40 -1; do
      flip "$(blob "$digest")" "$at"
      expect 5 "*another digest*" shale fsck --read-data
      import "$source"
      shale fsck -q --read-data >/dev/null || fail "byte $at of $digest is damaged after the import of $source"
    done
  done
  shale cat app /x | cmp - context/x
  find "$SHALE_STORE/blobs" -type f -printf '%p %i %s\n' | sort >before
  import "$source"
  find "$SHALE_STORE/blobs" -type f -printf '%p %i %s\n' | sort >after
  cmp before after || fail "an import of what is whole wrote blobs"
done

# A build of the same does, too.
flip "$(blob "$layer")" 1000
printf 'FROM scratch\nCOPY x /\n' | build_text app context >/dev/null
shale fsck -q --read-data >/dev/null

# What the source has must be right, however the store is.
flip "source/blobs/sha256/${layer#sha256:}" 1000
flip "$(blob "$layer")" 2000
expect 5 "*another digest*" shale import -q -t app oci:source:localhost/app:latest
