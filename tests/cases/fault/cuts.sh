#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A file of a store that was cut short, at whatever length, never shows as other bytes; fsck and verify find it.
# TIMEOUT: 120
# SANITIZERS: no
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/mixed_store.sh"

mixed_store
count=300
[ -z "${SHALE_FULL:-}" ] || count=10000
"$SHALE_SOURCE/tests/support/flips.py" cuts "$SHALE_STORE" app "$count" 20240301 --key team.pub
