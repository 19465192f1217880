#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A request that a worker carried out and did not answer is carried out once.
# NEEDS: root fuse
# SANITIZERS: no
# TIMEOUT: 120
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image app >/dev/null
mkdir mnt
: >opcode
LD_PRELOAD=$SHALE_BUILD/tests/support/libunanswered.so SHALE_UNANSWERED=$PWD/opcode \
  shale mount --edit app "$PWD/mnt" >/dev/null
"$SHALE_CASES/../support/resent.py" mnt opcode >out || fail "$(cat out)"
same "the end" "$(tail -n 1 out)" "25 requests, 0 failed"
shale umount mnt
