#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A store that others can change, or that is not what it seems, is refused: 6; another version or another thing: 3.
# NEEDS: root
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image app >/dev/null
# refuse STATUS WORD: by a command that reads, and one that writes.
refuse() {
  expect "$1" "shale: *$2*" shale cat app /hello
  expect "$1" "shale: *$2*" shale build -q small -f - </dev/null
}
chmod g+w store
refuse 6 "'*/store' may be written by other users (mode 0720): chmod go-w"
chmod 757 store
refuse 6 "'*/store' may be written by other users (mode 0757)"
chmod 755 store
chown 1000 store
refuse 6 "'*/store' belongs to user 1000, not to user 0"
chown 0 store
for folder in blobs/sha256 shale shale/catalogs shale/layers; do
  chmod o+w "store/$folder"
  refuse 6 "'*/store/$folder' may be written by other users"
  chmod o-w "store/$folder"
  mv "store/$folder" moved
  ln -s "$PWD/moved" "store/$folder"
  refuse 6 "'*/store/$folder' is a symbolic link"
  rm "store/$folder"
  mv moved "store/$folder"
done
mv store real
ln -s real store
refuse 6 "'*/store' is a symbolic link"
rm store
mv real store
cp store/shale/version version
echo 2 >store/shale/version
refuse 3 "has version '2'; this shale knows version 1"
cp version store/shale/version
shale cat app /hello >/dev/null

mkdir other
echo text >other/file
SHALE_STORE=other refuse 3 "'*/other' is a directory of something else"
same "the other directory" "$(ls -A other)" file
expect 3 "*'*/other/file' is not a directory*" shale images --store other/file
SHALE_STORE=nowhere expect 8 "*no store at*nowhere*" shale inspect app
