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
status=0
shale cp app:/dir dest >out 2>&1 || status=$?
[ "$status" -eq 0 ] || [ "$status" -eq 9 ] || fail "cp ended with $status: $(cat out)"
same "files outside" "$(ls outside)" ""
shale cp app:/. all
[ -L all/out ] || fail "the link did not arrive as a link"
same "files outside" "$(ls outside)" ""
