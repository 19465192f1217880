#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# No link of the image leads cp out of it: in the destination's path links lead where they do in the image, below it
# nowhere.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p tree/real tree/dir/deep tree/into outside mnt
ln -s /real tree/absolute
ln -s ../../../../../../../../real tree/dir/deep/climbs
ln -s "$PWD/outside" tree/out
ln -s "$PWD/outside/file" tree/out-file
ln -s ../real tree/into/sub
ln -s ../real/file tree/into/file
ln -s /proc/self/root tree/magic
mkdir -p more/sub
printf new >file
printf new >more/file
printf new >more/sub/file
printf mine >outside/file
shale import -q -t app dir:tree >/dev/null

# check_links: the same of a session that is mounted, and of one that is not.
check_links() {
  shale cp file w:/absolute/1
  shale cp file w:/dir/deep/climbs/2
  shale cp file w:/../../../absolute/3
  expect 8 "shale: there is no directory '/out' in the image" shale cp file w:/out/x
  # The directory that would hold it is missing in the image.
  expect 8 "shale: there is no directory '$PWD' in the image" shale cp more w:/out
  expect 8 "shale: there is no directory '$PWD/outside' in the image" shale cp file w:/out-file
  expect 8 "shale: there is no directory '/magic/$PWD/outside' in the image" shale cp file "w:/magic/$PWD/outside/x"
  expect 9 "shale: 'sub': something that is no directory is in the way" shale cp more/. w:/into
}

make_session app w >/dev/null
check_links
shale diff w | grep -v '^C ' | LC_ALL=C sort >got
same "what was copied" "$(paste -s -d ' ' got)" "A /real/1 A /real/2 A /real/3"
shale mount -q --edit --session w mnt >/dev/null
[ ! -L mnt/into/file ] || fail "the link to a file was not replaced"
rm mnt/real/*
check_links
same "what was copied" "$(cd mnt/real && find . -type f | LC_ALL=C sort | paste -s -d ' ')" "./1 ./2 ./3"
shale umount mnt
same "files outside" "$(find outside -type f)" outside/file
same "a file outside" "$(cat outside/file)" mine
