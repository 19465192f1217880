#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A store on a file system that is really full: each size from almost nothing up ends in a message and status 7, or
# in success; the store is whole, can be read and collected, and has no litter; with more room the command works.
# NEEDS: root
# TIMEOUT: 120
# SANITIZERS: no
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context disk layout
python3 -c 'import random; open("context/big", "wb").write(random.Random(3).randbytes(900000))'
seq 20000 >context/numbers
printf 'FROM scratch\nCOPY big /\nCOPY numbers /\n' >context/Shalefile
python3 - "$SHALE_SOURCE/tests/hostile" <<'END'
import random, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from blobs import zstd_raw
from layout import LAYER, tar_of, write_image
tar = tar_of([("big", random.Random(4).randbytes(400000))])
write_image("layout", [(LAYER + "+zstd", zstd_raw(tar), tar)])
END

# litter: names in the store that a living process must not leave.
litter() {
  find disk/store \( -name '*.tmp' -o -path '*/leases/*' \) -print
}

# squeezed COMMAND...: in file systems of growing size; the digest that it prints in the end.
squeezed() {
  failures=0
  for kib in 4 8 16 24 32 48 64 96 128 256 384 512 768 900 1000 1100 1200 1400 1800 2200 4000; do
    mount -t tmpfs -o "size=${kib}k" tmpfs disk
    got=0
    "$@" >out 2>err || got=$?
    case $got in
    0) ;;
    7)
      failures=$((failures + 1))
      grep -q '^shale: .*No space left on device' err || fail "in $kib KiB: $(cat err)"
      # A store that was not made whole is made by the next command; one that was is whole.
      checked=0
      shale fsck --read-data -q >fsck.out 2>&1 || checked=$?
      [ "$checked" -eq 0 ] || [ "$checked" -eq 8 ] || fail "fsck in $kib KiB ended with $checked: $(cat fsck.out)"
      [ ! -d disk/store ] || same "litter in $kib KiB" "$(litter)" ""
      # The rest of the room is used up, to the last byte: reading and cleaning need none.
      head -c 10M /dev/zero >disk/filler 2>/dev/null || :
      if [ "$checked" -eq 0 ]; then
        shale images >/dev/null || fail "images on a full disk of $kib KiB"
        shale gc >gc.out 2>&1 || fail "gc on a full disk of $kib KiB: $(cat gc.out)"
        same "blobs after gc in $kib KiB" "$(find disk/store/blobs -type f)" ""
      fi
      rm -f disk/filler
      mount -o remount,size=16m disk
      "$@" >again || fail "with room again, after $kib KiB"
      shale fsck --read-data -q >/dev/null
      ;;
    *) fail "in $kib KiB it ended with $got: $(cat err)" ;;
    esac
    umount disk
    [ "$got" -ne 0 ] || break
  done
  same "the last status" "$got" 0
  [ "$failures" -ge 5 ] || fail "only $failures sizes were too small"
  echo "$failures sizes too small for '$*'"
}

export SHALE_STORE="$PWD"/disk/store
squeezed shale build -q -t app context
squeezed shale import -q -t app oci:layout
squeezed shale import -q -t app dir:context
