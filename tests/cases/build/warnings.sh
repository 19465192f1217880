#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Warnings go to standard error with their place, and do not stop a build; --quiet drops them.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
printf 'FROM scratch\nEXPOSE 127.0.0.1:80:8080\nWORKDIR relative\n' >context/Shalefile
shale build context >out 2>err
grep -q '^Shalefile:2:8: warning: ' err || fail "no warning: $(cat err)"
grep -q '^Shalefile:3:9: warning: ' err || fail "no warning: $(cat err)"
same "output" "$(wc -l <out)" 1
shale build -q context 2>err | cmp - out
[ ! -s err ] || fail "--quiet was not"
