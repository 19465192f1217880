#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A flipped bit anywhere in an image of gzip layers, its blobs and what is kept of them, never shows as other bytes:
# reads are right, or fail; fsck and verify find each one.
# TIMEOUT: 180
# SANITIZERS: first
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
seq 40000 >context/numbers
head -c 100000 /dev/urandom >context/noise
echo hello >context/hello
printf 'FROM scratch\nCOPY numbers hello /\n' | shale build -q -f - -t base --compression gzip context >/dev/null
printf 'FROM base\nCOPY . /more/\n' | shale build -q -f - -t app --compression gzip context >/dev/null
shale rm base >/dev/null
make_key team
sign app
shale cat app /hello >/dev/null
shale gc >/dev/null
count=100
[ -z "${SHALE_FULL:-}" ] || count=2000
"$SHALE_SOURCE/tests/support/flips.py" flips "$SHALE_STORE" app "$count" 20240304 --key team.pub
rm -r copy*
"$SHALE_SOURCE/tests/support/flips.py" cuts "$SHALE_STORE" app "$((count / 2))" 20240305 --key team.pub
