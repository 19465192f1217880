#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A flipped bit anywhere in a store never shows as other bytes through a mount: it is refused, or reads are right, or EIO.
# NEEDS: root fuse
# TIMEOUT: 120
# SANITIZERS: first
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/mixed_store.sh"

mixed_store
count=200
[ -z "${SHALE_FULL:-}" ] || count=3000
"$SHALE_SOURCE/tests/support/flips.py" mounts "$SHALE_STORE" app "$count" 20240302 --key team.pub
