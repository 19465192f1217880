#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The frames and the index that are derived from a layer of another tool are made again when they are damaged: the blob
# is the truth.
# TIMEOUT: 120
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir layout
python3 - "$SHALE_SOURCE/tests/hostile" <<'END'
import random, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from blobs import zstd_raw
from layout import LAYER, tar_of, write_image
content = random.Random(4).randbytes(1000000)
with open("big", "wb") as f:
    f.write(content)
tar = tar_of([("big", content)])
write_image("layout", [(LAYER + "+zstd", zstd_raw(tar), tar)])
END
shale import -q -t app oci:layout >/dev/null
frames=$(find "$SHALE_STORE/shale/layers" -name '*.frames')
index=$(find "$SHALE_STORE/shale/layers" -name '*.index')
cp "$frames" frames
cp "$index" index

# damage HOW FILE
damage() {
  chmod u+w "$2"
  case $1 in
  byte*) flip "$2" "${1#byte}" ;;
  cut) truncate -s -1 "$2" ;;
  empty) : >"$2" ;;
  random) head -c 5000 /dev/urandom >"$2" ;;
  gone) rm "$2" ;;
  fifo) rm "$2" && mkfifo "$2" ;;
  directory) rm "$2" && mkdir "$2" ;;
  link) ln -sf "$PWD/big" "$2" ;;
  others-may-write) chmod o+w "$2" ;;
  esac
}

for how in byte0 byte100 byte-1 cut empty random gone fifo directory link others-may-write; do
  for file in "$frames" "$index"; do
    # Whether or not there is a catalog, which knows the index.
    for catalog in kept gone; do
      what="$how, ${file##*.}, catalog $catalog"
      damage "$how" "$file"
      [ "$catalog" = kept ] || rm -f "$SHALE_STORE"/shale/catalogs/*
      shale ls app >/dev/null || fail "ls: $what"
      shale cat app /big 2>/dev/null | cmp - big || fail "cat: $what"
      shale cat app /big 2>err | cmp - big || fail "the second cat: $what"
      same "warnings of the second cat: $what" "$(cat err)" ""
      # An index that a good catalog makes unnecessary may stay damaged until it is needed.
      rm -f "$SHALE_STORE"/shale/catalogs/*
      shale ls app >/dev/null
      cmp "$frames" frames || fail "the frames: $what"
      cmp "$index" index || fail "the index: $what"
      shale fsck -q --read-data >fsck.out
      [ -z "$(find "$index" -perm /022)" ] || fail "what others may write is believed: $what"
      same "fsck: $what" "$(cat fsck.out)" "1 image, 3 blobs: 0 errors, 0 derived files to rebuild, 0 notes"
    done
  done
done
