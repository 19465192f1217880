#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Forged layer indexes under right digests: an import refuses every one, and who uses such an image as it is, without
# an import, gets an error or the tree of the index, and never a crash.
# NEEDS: time zstd
# TIMEOUT: 180
# SANITIZERS: first
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/hostile.sh"

canary
mkdir -p context/dir
python3 -c 'import random; open("context/big", "wb").write(random.Random(1).randbytes(1700000))'
seq 2000 >context/dir/numbers
printf 'FROM scratch\nCOPY . /\n' | shale build -q -f - -t good --store good context >/dev/null
python3 "$SHALE_SOURCE/tests/hostile/layer_indexes.py" good layouts >table
shale ls -R --store good good >ls.right
cat context/big context/dir/numbers >cat.right

# Without an import, an image is refused as an import refuses it, or as fsck's error (5); but for these, whose index is
# right in itself: how ls, cat and fsck then end, or what they print: "right", or "other" for a lie that only an import and
# fsck --read-data look for; then the words of ls and cat.
cat >used <<'END'
unchanged right right 0 -
frame-offset-more right 5 5 digest
frame-other-digest right 5 5 digest
frame-lengths-moved right 5 5 does not decode to its
layout-plain right other 5 -
time-2^62 right right 5 -
other-mode right right 5 -
other-uid right right 5 -
other-time right right 5 -
other-name other 8 5 no file '/big' in the image
other-place right other 5 -
one-entry-less other 8 5 no file '/dir/numbers' in the image
one-entry-more other right 5 -
entries-swapped right right 5 -
no-entries other 8 5 no file '/big' in the image
annotation-no-digest 3 3 0 cannot keep the frames of the layer
annotation-offset-behind-the-blob 3 3 5 no size that fits
END

# What fsck says in other words than an import.
cat >fsck.words <<'END'
frame-offset-more has another digest
frame-other-digest has another digest
other-uid another owner
annotation-offset-behind-the-blob no size that fits
END

# used COMMAND STATUS|right|other WORD [OPERAND]...: of the layout as a store.
used() {
  used_want=$2
  used_word=$3
  used_status=0
  case $2 in right | other) ;; *) used_status=$2 ;; esac
  used_command=$1
  shift 3
  used_got=0
  timeout -s KILL "$LIMIT_WALL_SECONDS" shale "$used_command" "$@" >out 2>err || used_got=$?
  [ "$used_got" -eq "$used_status" ] || fail "$used_command ended with $used_got, not $used_status: $(cat err)"
  case $used_want in
  right) cmp out "$used_command.right" ;;
  other) ! cmp -s out "$used_command.right" || fail "$used_command printed what the layer's tar says" ;;
  0) ;;
  *)
    [ "$used_command" = fsck ] || mv err out
    grep -qF -- "$used_word" out || fail "$used_command did not say '$used_word': $(cat out)"
    ;;
  esac
}

imported() {
  bounded "$2" "*$3*" shale import -q -t x "oci:layouts/$1"
  if [ "$2" -eq 0 ]; then
    shale cat x /big | cmp - context/big
    unwatched shale rm x >/dev/null
  else
    same "names" "$(names)" ""
  fi
  digest=$(json "layouts/$1/index.json" "d['manifests'][0]['digest']")
  printf '%s %s 5 %s\n' "$2" "$2" "$3" >how
  ! grep "^$1 " used | cut -d ' ' -f 2- >how.other || [ ! -s how.other ] || mv how.other how
  read -r on_ls on_cat on_fsck on_word <how
  used ls "$on_ls" "$on_word" -R --store "layouts/$1" "$digest"
  used cat "$on_cat" "$on_word" --store "layouts/$1" "$digest" /big /dir/numbers
  words=$(sed -n "s/^$1 //p" fsck.words)
  used fsck "$on_fsck" "${words:-$3}" --store "layouts/$1" --read-data -q
  rm -rf "layouts/$1"
}

table imported table
while read -r name _; do
  cut -f 1 table | grep -qxF -- "$name" || fail "no case '$name'"
done <used
canary_is_alive

