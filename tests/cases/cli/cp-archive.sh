#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cp -a gives as root the tree as it was packed: owners, modes, times, xattrs, links, devices.
# NEEDS: root getfattr
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

make_rootfs tree
shale import -q -t app dir:tree >/dev/null
shale cp -a app:/ copy
same_trees tree copy
[ "$(du -k copy/home/user/sparse | cut -f1)" -lt 1000 ] || fail "a sparse file was filled"
