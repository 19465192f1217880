#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What did not change is not read again; what changed in any way is, also where size and mtime stay; the image never
# depends on it.
# NEEDS: strace
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context/dir
for i in 1 2 3 4 5; do echo "file $i" >"context/dir/$i"; done
ln -s 1 context/dir/link
printf 'FROM scratch\nCOPY dir /dir\nCOPY <<EOF /text\ntext\nEOF\n' >manifest
case $(stat -f -c %T context) in
ext2/ext3 | xfs | btrfs | tmpfs | f2fs | overlayfs) ;;
*) skip "the file system here keeps no times that can be relied on" ;;
esac
# Later than what was just written could be taken for.
sleep 0.3

# reads: how many files of the context one build opens; its digest is in the file digest.
reads() {
  strace -f -qq -e trace=openat2 -o trace timeout 60 shale build -q -f manifest -t app context >digest
  grep -c -e '"dir/[1-5]".*= [0-9]' trace || :
}
# fresh: the digest that a store without memory gives.
fresh() {
  rm -rf fresh
  shale build -q --store fresh -f manifest context
}
same "the first build" "$(reads)" 5
first=$(cat digest)
same "an unchanged context" "$(reads)" 0
same "the digest" "$(cat digest)" "$first"
same "a fresh store" "$(fresh)" "$first"
# changed WHAT: the build reads, and is what a fresh store makes.
changed() {
  sleep 0.3
  same "$1" "$(reads)" 5
  same "$1: a fresh store" "$(fresh)" "$(cat digest)"
  same "$1, then nothing" "$(reads)" 0
}
touch -d @1000000000 context/dir/1
changed "another mtime"
stamp=$(stat -c %y context/dir/2)
printf 'FILE 2\n' | dd of=context/dir/2 conv=notrunc status=none
touch -d "$stamp" context/dir/2
changed "content alone, with the old size and mtime"
[ "$(cat digest)" != "$first" ] || fail "changed content gave the old image"
cp context/dir/3 context/dir/new
touch -r context/dir/3 context/dir/new
mv context/dir/new context/dir/3
changed "another file of the same content and mtime"
mv context/dir/4 context/dir/6
mv context/dir/5 context/dir/4
mv context/dir/6 context/dir/5
changed "two files that change places"
rm context/dir/link
ln -s 2 context/dir/link
changed "another target of a link"
# What goes into a layer beside files.
for change in 's|/dir$|/other|' 's|COPY dir|COPY --chown=5 dir|' 's|=5 dir|=5 --chmod=a+x dir|'; do
  sed -i "$change" manifest
  changed "the manifest ($change)"
done
SOURCE_DATE_EPOCH=5
export SOURCE_DATE_EPOCH
changed "the epoch"
same "another level" "$(strace -f -qq -e trace=openat2 -o trace shale build -q --compression zstd:9 -f manifest context >digest
  grep -c -e '"dir/[1-5]".*= [0-9]' trace)" 5
# A file that was changed just now is not believed to stay.
echo 'file 1' >context/dir/1
reads >/dev/null
same "just now" "$(echo 'FILE 1' >context/dir/1 && shale build -q -f manifest context)" "$(fresh)"

# To build again mends a blob that somebody wrote to; --no-cache one that rotted, which no time tells.
sleep 0.3
reads >/dev/null
same "before the damage" "$(reads)" 0
layer=$(layers app | head -n 1)
flip "$(blob "$layer")" 50
expect 5 '*' shale fsck --read-data
same "with a damaged blob" "$(reads)" 5
shale fsck --read-data -q >/dev/null || fail "the build mended nothing"
same "with --no-cache" "$(strace -f -qq -e trace=openat2 -o trace shale build -q --no-cache -f manifest -t app context >digest
  grep -c -e '"dir/[1-5]".*= [0-9]' trace)" 5
same "the digest with --no-cache" "$(cat digest)" "$(fresh)"

# The memory goes when what it tells of goes, and when it is damaged.
sleep 0.3
reads >/dev/null
same "before gc" "$(reads)" 0
shale gc >/dev/null
same "after gc" "$(reads)" 0
shale rm app >/dev/null
shale gc >/dev/null
[ ! -e "$SHALE_STORE/shale/builds" ] || fail "gc left the memory of layers that are gone"
same "after rm" "$(reads)" 5
flip "$SHALE_STORE/shale/builds" 100
same "damaged" "$(reads)" 5
chmod 666 "$SHALE_STORE/shale/builds"
same "open to others" "$(reads)" 5
shale fsck -q >/dev/null || fail "the store is damaged"
