#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mount --key mounts only what this key has signed for this name; a damaged index is found before the mount appears.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir mnt context
seq 100000 >context/x
printf 'FROM scratch\nCOPY x /\n' | build_text app:1 context >/dev/null
make_key team
make_key other
expect 6 '*' shale mount --key team.pub app:1 mnt
sign app:1
expect 6 '*' shale mount --key other.pub app:1 mnt
shale tag app:1 app:2
expect 6 '*' shale mount --key team.pub app:2 mnt
expect 2 "*'--identity' goes with '--key'" shale mount --identity localhost/app:1 app:2 mnt
shale mount --key team.pub app:1 mnt
cmp mnt/x context/x
shale umount mnt
shale mount --key team.pub --identity localhost/app:1 app:2 mnt
shale umount mnt
# A forged catalog of the store is not believed.
shale ls app:1 >/dev/null
small_image forged >/dev/null
shale ls forged >/dev/null
for catalog in "$SHALE_STORE"/shale/catalogs/*; do
  case $catalog in
  *"$(inspect app:1 "d['manifest'][7:]")"*) mine=$catalog ;;
  *) forged=$catalog ;;
  esac
done
cp "$forged" copy
chmod u+w "$mine"
cat copy >"$mine"
shale mount --key team.pub app:1 mnt
same "files" "$(ls mnt)" x
cmp mnt/x context/x
shale umount mnt
# The embedded index of the layer.
at=$(json "$(blob "$(inspect app:1 "d['manifest']")")" "d['layers'][0]['annotations']['io.shale.layer-index.offset']")
flip "$(blob "$(layers app:1)")" $((at + 20))
expect 5 '*' shale mount --key team.pub app:1 mnt
is_unmounted mnt || fail "a damaged image was mounted"
