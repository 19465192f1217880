#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A mount goes on when the files of its layers are deleted from the store beneath it.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context mnt
seq 300000 >context/lower
seq 300000 -1 1 >context/upper
printf 'FROM scratch\nCOPY lower /\nCOPY upper /\n' | build_text app context >/dev/null
shale mount app mnt
for layer in $(layers app); do
  rm "$(blob "$layer")"
done
rm -f "$SHALE_STORE"/shale/catalogs/*
cmp mnt/lower context/lower
cmp mnt/upper context/upper
shale umount mnt
