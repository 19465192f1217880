#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A store that others can change, or that is not what it seems, is refused: 6; another version or another thing: 3.
# NEEDS: root
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image app >/dev/null
# refuse STATUS WHAT
refuse() {
  status=0
  shale cat app /hello >out 2>&1 || status=$?
  [ "$status" -eq "$1" ] || fail "$2: $status, $(cat out)"
  status=0
  shale build -q small -f - </dev/null >out 2>&1 || status=$?
  [ "$status" -eq "$1" ] || fail "$2, build: $status, $(cat out)"
}
chmod g+w store
refuse 6 "a store that its group may write"
chmod 757 store
refuse 6 "a store that all may write"
chmod 755 store
chown 1000 store
refuse 6 "another user's store"
chown 0 store
for folder in blobs/sha256 shale shale/catalogs shale/layers; do
  chmod o+w "store/$folder"
  refuse 6 "$folder, which all may write"
  chmod o-w "store/$folder"
  mv "store/$folder" moved
  ln -s "$PWD/moved" "store/$folder"
  refuse 6 "$folder, a link"
  rm "store/$folder"
  mv moved "store/$folder"
done
mv store real
ln -s real store
refuse 6 "a store that is a link"
rm store
mv real store
cp store/shale/version version
echo 2 >store/shale/version
refuse 3 "another version"
cp version store/shale/version
shale cat app /hello >/dev/null

mkdir other
echo text >other/file
SHALE_STORE=other refuse 3 "a directory of other files"
status=0
shale images --store other/file >out 2>&1 || status=$?
[ "$status" -ne 0 ] || fail "a file is no store"
SHALE_STORE=nowhere expect 8 "*no store at*nowhere*" shale inspect app
