#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An edit mount keeps what POSIX and Linux promise of a file system: each check of tests/support/posix.py.
# NEEDS: root fuse
# SANITIZERS: first
# TIMEOUT: 300
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image app >/dev/null
mkdir mnt
shale mount --edit --session work -o dev,suid app "$PWD/mnt" >/dev/null
mkdir mnt/checks
server=$(server_of mnt)
# The kernel does not tell the server of this one.
others='^(?!chown to -1, -1 )'
python3 "$SHALE_SOURCE/tests/support/posix.py" mnt/checks --only "$others" >out 2>&1 || fail "$(cat out)"
tail -n 1 out | grep -q '^[12][0-9][0-9][0-9] checks, 0 failed$' || fail "$(cat out)"
same "the process that answered" "$(server_of mnt)" "$server"
rmdir mnt/checks
shale umount mnt
same "what is left" "$(shale diff work)" ""
same "data" "$(find store/shale/sessions/*/data -type f)" ""
