#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# No link below the destination is followed by cp, neither one that was there nor one of the image.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p tree/dir/sub dest/dir outside
printf new >tree/dir/file
printf new >tree/dir/sub/file
ln -s ../outside tree/out
shale import -t app dir:tree >/dev/null

ln -s ../../outside dest/dir/sub
ln -s ../../outside/file dest/dir/file
expect 9 "shale: 'dir/sub': something that is no directory is in the way" shale cp app:/dir dest
same "files outside" "$(ls outside)" ""
same "the link to a directory" "$(readlink dest/dir/sub)" ../../outside
# A file takes the place of a link.
[ ! -L dest/dir/file ] || fail "the link to a file is still there"
same "the file" "$(cat dest/dir/file)" new
shale cp app:/. all
[ -L all/out ] || fail "the link did not arrive as a link"
same "files outside" "$(ls outside)" ""
