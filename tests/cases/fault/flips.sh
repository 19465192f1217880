#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A flipped bit anywhere in a store never shows as other bytes: reads are right, or fail; fsck and verify find each one.
# TIMEOUT: 900
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/mixed_store.sh"

mixed_store
count=3000
[ -z "${SHALE_FULL:-}" ] || count=100000
"$SHALE_SOURCE/tests/support/flips.py" flips "$SHALE_STORE" app "$count" 20240229 --key team.pub
