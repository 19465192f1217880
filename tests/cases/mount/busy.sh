#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A mount in use is not taken away (9); --lazy detaches it, and its last user still reads.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context mnt
seq 2000000 >context/big
printf 'FROM scratch\nCOPY big /\n' | build_text app context >/dev/null
shale mount app "$PWD/mnt"
server=$(server_of mnt)
# shellcheck disable=SC2016 # for the other shell
same "with a working directory in it" "$(sh -c 'cd mnt && shale umount "$OLDPWD/mnt" 2>/dev/null; echo $?')" 9
exec 3<mnt/big
expect 9 "*/mnt'*in use*" shale umount mnt
cmp mnt/big context/big
shale umount --lazy mnt
is_unmounted mnt || fail "still there"
cmp - context/big <&3
kill -0 "$server"
exec 3<&-
wait_for is_gone "$server"
