#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --iidfile and --metadata-file replace what is there, appear only for a build that succeeds, and fail loudly.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
echo FROM scratch >context/Shalefile
mkdir sub
echo old >sub/iid
digest=$(shale build -q --iidfile sub/iid --metadata-file "$PWD/meta" context)
same "--iidfile" "$(cat sub/iid)" "$digest"
same "without a name" "$(json meta "d.get('image.name')")" None
same "mode" "$(stat -c %a sub/iid)" 644
echo FRUM >context/Shalefile
rm sub/iid
shale build -q --iidfile sub/iid context 2>/dev/null && fail "it was built"
[ ! -e sub/iid ] || fail "a failed build wrote --iidfile"
echo FROM scratch >context/Shalefile
expect 8 "*'no/such'*" shale build -q --iidfile no/such/file context
