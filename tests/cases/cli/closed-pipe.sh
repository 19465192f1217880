#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A reader that goes away ends the command as it ends cat(1): by SIGPIPE, without a word.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
head -c 4000000 /dev/zero >context/big
printf 'FROM scratch\nCOPY big /\n' | build_text app context >/dev/null

{
  status=0
  shale cat app /big 2>err || status=$?
  echo "$status" >status
} | head -c 1 >/dev/null
same status "$(cat status)" 141
same "standard error" "$(cat err)" ""
