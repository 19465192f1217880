#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A file system without a free byte, or without a free inode, can be read, mounted, checked and cleaned: names go, gc
# frees, and what is mounted stays.
# NEEDS: root fuse
# TIMEOUT: 120
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context disk layout mnt
python3 -c 'import random; open("context/big", "wb").write(random.Random(3).randbytes(900000))'
python3 - "$SHALE_SOURCE/tests/hostile" <<'END'
import gzip, random, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from blobs import zstd_raw
from layout import LAYER, tar_of, write_image
tar = tar_of([("big", random.Random(4).randbytes(400000))])
write_image("layout", [(LAYER + "+zstd", zstd_raw(tar), tar)])
write_image("gzip", [(LAYER + "+gzip", gzip.compress(tar, mtime=0), tar)])
END
printf 'FROM scratch\nCOPY big /\n' >manifest
printf 'FROM app\nCOPY big /again\n' >longer
make_key team
export SHALE_STORE="$PWD/disk/store"
# What cannot be written to the store would go to the same full disk.
export TMPDIR="$PWD/disk"

# fill HOW: takes what is left.
fill() {
  case $1 in
  bytes)
    head -c 20M /dev/zero >disk/filler 2>/dev/null || :
    ! head -c 1 /dev/zero >disk/one-more 2>/dev/null || fail "there is room"
    rm -f disk/one-more
    ;;
  inodes)
    mkdir -p disk/fillers
    fill_count=0
    while touch "disk/fillers/$fill_count" 2>/dev/null; do
      fill_count=$((fill_count + 1))
    done
    ! touch disk/one-more 2>/dev/null || fail "there is an inode"
    ;;
  esac
}

blobs() {
  find disk/store/blobs -type f
}

# The process that served a mount may end a moment after it.
is_collected() {
  shale gc >/dev/null && [ -z "$(blobs)" ]
}

for how in bytes inodes; do
  mount -t tmpfs -o size=8m,nr_inodes=200 tmpfs disk
  digest=$(build_text app context <manifest)
  shale import -q -t foreign oci:layout >/dev/null
  shale import -q -t gzip oci:gzip >/dev/null
  shale tag app other
  rm -f disk/store/shale/catalogs/*
  # Nothing is kept of this one, and nothing can be.
  rm "disk/store/shale/layers/$(layers gzip | cut -d: -f2).index"
  fill "$how"

  shale images >/dev/null
  shale inspect app >/dev/null
  same "ls, $how" "$(shale ls app 2>ls.err)" big
  grep -q 'warning: .*no room in the store' ls.err || fail "it was not said that the catalog is not kept: $(cat ls.err)"
  same "ls of a layer with frames of its own, $how" "$(shale ls foreign 2>/dev/null)" big
  same "ls of a gzip layer, $how" "$(shale ls gzip 2>/dev/null)" big
  shale cat app /big 2>/dev/null | cmp - context/big
  same "cat of a layer with frames of its own, $how" "$(shale cat foreign /big 2>/dev/null | wc -c)" 400000
  same "cat of a gzip layer, $how" "$(shale cat gzip /big 2>/dev/null | wc -c)" 400000
  shale fsck -q --read-data >/dev/null
  expect 7 "*No space left on device*" shale build -q -f longer context

  # gc sees what this mount needs, though the mount found no room to write it down.
  shale mount app mnt 2>/dev/null
  shale rm app other >/dev/null
  fill "$how"
  before=$(blobs | wc -l)
  same "what gc would take of a mounted image, $how" "$(shale gc --dry-run | sed 's/ blobs.*//')" "would remove 0"
  shale gc >/dev/null
  same "blobs after gc beside the mount, $how" "$(blobs | wc -l)" "$before"
  cmp mnt/big context/big
  shale fsck -q --read-data >/dev/null
  shale umount mnt
  wait_for is_unmounted mnt

  # The last name goes, too, and with it all.
  shale gc >/dev/null
  fill "$how"
  shale rm foreign gzip >/dev/null
  wait_for is_collected
  shale fsck -q --read-data >fsck.out
  same "the store, $how" "$(cat fsck.out)" "0 images, 0 blobs: 0 errors, 0 derived files to rebuild, 0 notes"

  rm -rf disk/filler disk/fillers
  same "the digest with room again" "$(build_text app context <manifest)" "$digest"

  # Without the room that is set aside names cannot go, which is said; gc, which would drop those of signatures whose
  # image is gone, leaves them to the next run.
  sign app
  rm -f disk/store/shale/reserve
  fill "$how"
  expect 7 "*no room for a new 'index.json' ('shale gc' may make some)*No space left on device*" shale rm app
  rm -rf disk/filler disk/fillers
  shale rm app >/dev/null
  rm -f disk/store/shale/reserve
  fill "$how"
  shale gc --json >gc.json
  same "refs that went, $how" "$(json gc.json "d['removed_refs']")" 0
  same "blobs that went, $how" "$(json gc.json "d['removed_blobs']")" 3
  shale fsck -q --read-data >/dev/null
  shale gc --json >gc.json
  same "refs that went then, $how" "$(json gc.json "d['removed_refs']")" 1
  same "blobs in the end, $how" "$(blobs)" ""
  umount disk
done
