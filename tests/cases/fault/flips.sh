#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A flipped bit anywhere in a store never shows as other bytes: reads are right, or fail; fsck and verify find each one.
# Some flips go through the commands, most through what the commands call.
# TIMEOUT: 180
# SANITIZERS: first
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/mixed_store.sh"

mixed_store
stores=
for number in $(seq "$(nproc)"); do
  cp -a "$SHALE_STORE" "store$number"
  stores="$stores $PWD/store$number"
done
commands=150
count=3000
if has_sanitizers; then
  commands=50
  count=1000
fi
if [ -n "${SHALE_FULL:-}" ]; then
  commands=3000
  count=100000
fi
# shellcheck disable=SC2086 # several
"$SHALE_BUILD/tests/support/bitflips" app team.pub "$count" 20240229 $stores
"$SHALE_SOURCE/tests/support/flips.py" flips "$SHALE_STORE" app "$commands" 20240229 --key team.pub
