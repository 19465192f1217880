#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cp without -a gives files to whoever copies, without setuid bits, devices and FIFOs.
# NEEDS: root
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

make_rootfs tree
tar -C tree -cf tree.tar .
mkdir user
chown 1000:1000 user
as_user shale import -q --store user/store -t app rootfs:tree.tar >/dev/null
as_user shale cp --store user/store app:/ user/copy >out 2>&1 || fail "cp ended with $?: $(cat out)"
find user/copy ! -user 1000 -o ! -group 1000 -o -type b -o -type c -o -type p -o -perm /7000 -type f >strange
same "files that are not the user's, or special" "$(cat strange)" ""
cmp tree/bin/tool user/copy/bin/tool
cmp tree/home/user/sparse user/copy/home/user/sparse
same "the mode of a file" "$(stat -c %a user/copy/bin/tool)" 755
same "a link" "$(readlink user/copy/etc/link)" ../bin/tool
