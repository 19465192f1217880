#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# libarchive is loaded where an archive is read: without it all else works, and an archive says what it lacks.
# NEEDS: root userns
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir tree
echo content >tree/f
tar -C tree -cf tree.tar .
xz -k tree.tar
library=$(ldconfig -p | sed -n 's/.*libarchive\.so\.13 .*=> //p' | head -n 1)
[ -e "$library" ] || fail "no libarchive here"
export library
cat >inside.sh <<'END'
. "$SHALE_CASES/lib.sh"
mount --bind /dev/null "$(readlink -f "$library")"
shale import -q -t app dir:tree >/dev/null
same "content" "$(shale cat app /f)" content
shale import -q -t plain rootfs:tree.tar >/dev/null
same "content from a plain tar" "$(shale cat plain /f)" content
expect 3 '*libarchive*cannot be loaded*' shale import -q -t no rootfs:tree.tar.xz
expect 3 '*libarchive*cannot be loaded*' shale import -q -t no docker-archive:tree.tar
shale fsck -q
END
unshare -m sh inside.sh
