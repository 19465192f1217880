#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# session export of a session whose image cannot be opened: with the image's catalog all is there; without it all that the
# session has by itself, below the numbers of the image's directories; mount, diff and commit say that there is such a way.
# NEEDS: root fuse getfattr
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p tree/etc/deep tree/old/sub mnt
head -c 300000 /dev/urandom >tree/etc/whole
head -c 300000 /dev/urandom >tree/etc/part
echo mode >tree/etc/mode
echo x >tree/old/sub/x
echo x >tree/gone
ln -s mode tree/etc/link
shale import -q -t app dir:tree >/dev/null
layer=$(blob "$(layers app)")
manifest=$(blob "$(inspect app "d['digest']")")
config=$(blob "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["config"]["digest"])' "$manifest")")

shale mount --edit --session work app "$PWD/mnt" >/dev/null
head -c 300000 /dev/urandom >new
mkdir -p mnt/etc/deep/made/sub
cp new mnt/etc/deep/made/sub/new
ln mnt/etc/deep/made/sub/new mnt/etc/deep/made/second
ln mnt/etc/deep/made/sub/new mnt/third
ln -s new mnt/etc/deep/made/sub/link
mknod mnt/etc/deep/null c 1 3
setfattr -n user.note -v text mnt/etc/deep/made
truncate -s 2M mnt/etc/deep/made/sparse
chown 5:6 mnt/etc/deep/made/sub/new
chmod 2750 mnt/etc/deep/made
dd if=new of=mnt/etc/whole conv=notrunc status=none
dd if=new of=mnt/etc/part bs=4096 count=1 conv=notrunc status=none
chmod 600 mnt/etc/mode
chown -h 7 mnt/etc/link
mv mnt/old/sub mnt/etc/deep/made/moved
echo new >mnt/etc/deep/made/moved/y
rm mnt/gone
# number NAME: what it is called.  Each session adds another number to all.
number() {
  echo "inode-$(($(stat -c %i "mnt/$1") - $(stat -c %i mnt) + 1))"
}
deep=$(number etc/deep)
whole=$(number etc/whole)
part=$(number etc/part)
mode=$(number etc/mode)
link=$(number etc/link)
cp -a mnt want
shale umount mnt
shale session export work known.tar >/dev/null
cat known.tar >before.tar

# check: what is exported now.
check() {
  rm -rf out
  expect 5 "*what the image knows alone, as names of its directories, is lost: *
shale: '/$link' is left out: *
shale: '/$mode' is left out: *
shale: '/$part' is left out: *left out: 3 names; the rest was exported" shale session export work out.tar
  mkdir out
  tar -xf out.tar -C out --xattrs --xattrs-include='*' --same-owner -p --numeric-owner
  # What moved from the image has nothing of it; else it is the tree that was made.
  rm -r made
  cp -a want/etc/deep/made made
  rm made/moved/x
  touch -r want/etc/deep/made/moved made/moved
  ln -f made/second made-third
  same_trees "out/$deep/made" made
  cmp "out/$whole" want/etc/whole || fail "a file of the image that was written is not whole"
  same "a device" "$(stat -c '%F %t:%T' "out/$deep/null")" "character special file 1:3"
  same "a name in the root" "$(stat -c %i out/inode-1/third)" "$(stat -c %i "out/$deep/made/second")"
  [ ! -e "out/$part" ] || fail "half a file is in it"
  [ ! -e out/inode-1/gone ] || fail "what was removed is in it"
}

mkdir made
# A document is lost.  The catalog has the names of all files, and where their content is.
for file in "$manifest" "$config"; do
  mv "$file" kept
  expect 0 "*warning: the image cannot be opened, but for its catalog: *${file##*/}*" shale session export work out.tar
  cmp out.tar before.tar || fail "without ${file##*/} it is another"
  mv "$layer" kept-layer
  expect 5 "*'/etc/part' is left out: *layer 1 of the image is lost*left out: 3 names; the rest was exported" \
    shale session export work out.tar
  mv kept-layer "$layer"
  mv store/shale/catalogs catalogs
  mkdir -m 700 store/shale/catalogs
  check
  rmdir store/shale/catalogs
  mv catalogs store/shale/catalogs
  mv kept "$file"
done
# A layer is lost, and the catalog with it.
mv "$layer" kept
rm store/shale/catalogs/*
check
for command in commit diff; do
  expect 8 "*${layer##*/}*; 'shale session export work FILE' saves what was changed" shale "$command" work
done
expect 8 "*${layer##*/}*; 'shale session export work FILE' saves what was changed" \
  shale mount --edit --session work "$PWD/mnt"
mv "$manifest" manifest
expect 8 "*${manifest##*/}*; 'shale session export work FILE' saves what was changed" \
  shale mount --edit --session work "$PWD/mnt"
mv manifest "$manifest"
shale session export work - 2>/dev/null | cmp - out.tar || fail "a pipe gets another archive"

# The session has lost nothing by all that.
mv kept "$layer"
shale session export work known.tar >/dev/null
cmp known.tar before.tar || fail "the session was changed"
expect 0 "*0 errors*" shale fsck

# One that is mounted meanwhile, with a file that was removed and is open; nothing that has a name is left out, which is not
# to say that all is there.
small_image small >/dev/null
shale mount --edit --session few small "$PWD/mnt" >/dev/null
echo new >mnt/new
exec 8<>mnt/removed
echo removed >&8
rm mnt/removed
rm "$(blob "$(inspect small "d['digest']")")" store/shale/catalogs/*
for session in few "$PWD/mnt"; do
  expect 5 "*shale: only what the session has by itself was exported" shale session export "$session" few.tar
  same "its files" "$(tar -tf few.tar | paste -s -d ' ')" "inode-1/ inode-1/new"
  same "what is in one" "$(tar -xOf few.tar inode-1/new)" new
done
exec 8>&-
shale umount mnt
expect 5 "*shale: only what the session has by itself was exported" shale session export few again.tar
cmp few.tar again.tar || fail "it is another when it is not mounted"
