#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A layer that changes under a mount: what was read stays, the rest is right or EIO, and never other bytes; when it is put
# back, all can be read again.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context mnt
for i in 1 2 3 4 5 6; do
  head -c 700000 /dev/urandom >"context/$i"
done
printf 'FROM scratch\nCOPY . /\n' | build_text app context >/dev/null
layer=$(blob "$(layers app)")
chmod u+w "$layer"
cp "$layer" saved
size=$(wc -c <"$layer")

# look: how many files cannot be read; the others are right.
look() {
  bad=0
  for i in 1 2 3 4 5 6; do
    if cat "mnt/$i" >got 2>err; then
      cmp got "context/$i" || fail "wrong bytes of file $i"
    else
      grep -q 'Input/output error' err || fail "$(cat err)"
      bad=$((bad + 1))
    fi
  done
}

for how in zeros cut grown text swapped; do
  shale mount --cache 4M app mnt
  cmp mnt/1 context/1
  case $how in
  zeros) dd if=/dev/zero of="$layer" bs=4096 count=$((size / 4096)) conv=notrunc status=none ;;
  cut) truncate -s $((size / 2)) "$layer" ;;
  grown) cat saved saved >"$layer" ;;
  text) yes text | head -c "$size" >"$layer" ;;
  swapped) tac -s "$(printf '\n')" saved >"$layer" ;;
  esac
  look
  if [ "$how" = grown ]; then
    same "unreadable with bytes behind" "$bad" 0
  else
    [ "$bad" -ge 2 ] || fail "$how: $bad files cannot be read"
  fi
  cmp mnt/1 context/1
  cat saved >"$layer"
  look
  same "unreadable after '$how' was put right" "$bad" 0
  shale umount mnt
  wait_for is_unmounted mnt
done
