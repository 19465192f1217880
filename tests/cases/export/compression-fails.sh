#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What fails while layers are re-encoded leaves nothing: damaged and missing blobs (5, 8), disks without room (7), where
# another place for what is half done is taken first, and signals.
# NEEDS: root strace
# TIMEOUT: 240
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
head -c 900000 /dev/urandom >context/big
printf 'FROM scratch\nCOPY big /\n' | build_text app context >/dev/null
shale export --compression gzip app oci:good >/dev/null
for form in oci-archive docker-archive; do
  shale export --compression gzip app "$form:good-$form.tar" >/dev/null
done
# fails STATUS GLOB DEST: a DEST that is called "new", of which nothing is left.
fails() {
  expect "$1" "$2" shale export --compression gzip app "$3"
  [ ! -e new ] || fail "$3 is there: $(find new)"
  same "litter of $3" "$(find . -name '.shale-*' -o -name '*.tmp')" ""
}

# Damage, anywhere in the blob: in a frame, in the index behind them, in the table at the end; also where no decoder looks.
layer=$(blob "$(layers app)")
size=$(stat -c %s "$layer")
cp "$layer" saved
for at in 0 10 400000 $((size - 300)) $((size - 5)); do
  flip "$layer" "$at"
  for form in oci:new oci-archive:new docker-archive:new; do
    fails 5 "shale: image 'localhost/app:latest': *the content has another digest" "$form"
  done
  cp --remove-destination saved "$layer"
done
rm "$layer"
for form in oci:new oci-archive:new docker-archive:new; do
  fails 8 "shale: image 'localhost/app:latest': *is not in the store" "$form"
done
cp saved "$layer"
# A destination that is refused is refused at once.
# reads DEST: how often the layer is read for it.
reads() {
  strace -qq -f -o trace -e trace=pread64 -P "$layer" shale export --compression gzip app "$1" >/dev/null 2>&1 || :
  wc -l <trace
}
for form in oci oci-archive docker-archive; do
  [ "$(reads "$form:new")" -gt 0 ] || fail "a layer is exported and not read, $form"
  rm -r new
  : >trace
  case $form in
  oci) refused=good-oci-archive.tar ;;
  *) refused=context ;;
  esac
  same "reads for what is refused, $form" "$(reads "$form:$refused")" 0
done

# No room at the destination.
mkdir disk
for kib in 8 400 870; do
  mount -t tmpfs -o "size=${kib}k,nr_inodes=100" tmpfs disk
  for form in oci:disk/new oci-archive:disk/new docker-archive:disk/new; do
    expect 7 "shale: *No space left on device" shale export --compression gzip app "$form"
    same "what is left in $kib KiB by $form" "$(find disk -mindepth 1)" ""
  done
  umount disk
done
# No room in the store: TMPDIR has some; or none either.
mkdir small tmp full
mount -t tmpfs -o size=1200k tmpfs small
cp -r store small/store
export SHALE_STORE="$PWD/small/store"
TMPDIR=$PWD/tmp shale export --compression gzip app oci-archive:got.tar >/dev/null
cmp got.tar good-oci-archive.tar
TMPDIR=$PWD/tmp shale export --compression gzip app oci:got >/dev/null
diff -r good got
mount -t tmpfs -o size=100k tmpfs full
for form in oci:new oci-archive:new docker-archive:new; do
  export TMPDIR="$PWD/full"
  fails 7 "shale: *no room until it is exported, in the store or in TMPDIR: cannot write a layer: No space left on device" "$form"
  unset TMPDIR
done
# Where the store has no room even for an empty file, TMPDIR is tried once, and the layer not made a third time.
# opens [OPTION]...: what is opened in both places, in `trace`.
opens() {
  TMPDIR=$PWD/full strace -qq -f -o trace -P "$SHALE_STORE/blobs/sha256" -P "$PWD/full" -e trace=openat "$@" \
    shale export --compression gzip app oci:new >/dev/null 2>&1 || :
}
opens
first=$(sed '/O_TMPFILE/q' trace | wc -l)
opens -e "inject=openat:error=ENOSPC:when=$first"
same "files in the store and in TMPDIR" "$(sed 's/.*O_TMPFILE.*INJECTED.*/no/; s/.*O_TMPFILE.*/yes/; /^no$\|^yes$/!d' trace | tr '\n' ' ')" "no yes "
same "what is left in TMPDIR" "$(find full tmp -mindepth 1 -maxdepth 1)" ""
umount full
# A store that cannot be written.
mount -o remount,ro small
TMPDIR=$PWD/tmp shale export --compression gzip app docker-archive:got.tar >/dev/null
cmp got.tar good-docker-archive.tar
umount small
export SHALE_STORE="$PWD/store"

# A signal stops it where the layer is checked, which takes long when that is large: it is read no more.
for form in oci:new oci-archive:new docker-archive:new; do
  strace -qq -f -o trace -P "$layer" -e trace=pread64 -e inject=pread64:signal=INT:when=2 \
    shale export --compression gzip app "$form" >/dev/null 2>&1 || :
  same "reads of the layer, $form" "$(sed '/--- SIGINT/q' trace | grep -c pread64)" 2
  same "reads after a signal, $form" "$(sed '1,/--- SIGINT/d' trace | grep -c pread64)" 0
  [ ! -e new ] || fail "a signal left something of $form"
done
# And at each step.
reached=0
for signal in INT KILL; do
  for call in pread64 write ftruncate linkat fsync; do
    # Of the layer: the program's own start reads with it, too.
    of=
    [ "$call" != pread64 ] || of="-P $layer"
    for form in oci:new oci-archive:new; do
      for when in 1 2 3 5 8 13; do
        rm -rf new
        # shellcheck disable=SC2086 # two words, or none
        strace -qq -f -o trace $of -e "trace=$call" -e "inject=$call:signal=$signal:when=$when" \
          shale export --compression gzip app "$form" >/dev/null 2>&1 || :
        grep -q -e "--- SIG$signal" -e "+++ killed by SIG$signal" trace || continue
        reached=$((reached + 1))
        case "$form" in
        oci:new) [ ! -e new/index.json ] || diff -r new good >&2 || fail "$signal at $call $when: half a layout" ;;
        *) [ ! -e new ] || cmp new good-oci-archive.tar || fail "$signal at $call $when: half an archive" ;;
        esac
        [ "$signal" = KILL ] || [ ! -e new ] || [ -e new/index.json ] || [ -f new ] || fail "$signal at $call $when left a folder"
      done
    done
  done
done
[ "$reached" -ge 30 ] || fail "only $reached calls were reached"
same "litter" "$(find store -name '*.tmp')" ""
rm -rf new
shale export --compression gzip app oci:new >/dev/null
diff -r new good
