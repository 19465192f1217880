#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A folder that its user may not write to is told before the build.
# NEEDS: root setpriv
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir closed user
chown 1000 user
echo FROM scratch >user/Shalefile
export SHALE_STORE="$PWD/user/store"
expect 1 "shale: option '--iidfile': cannot write 'closed/iid': Permission denied" \
  as_user shale build -q -t late --iidfile closed/iid user
[ ! -e user/store ] || fail "a store was made"
