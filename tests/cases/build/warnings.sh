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

# What is probably not what was meant.
# shellcheck disable=SC2016 # for shale
printf 'FROM scratch\nCOPY *.none Shale* /x/\nCMD ["a", "b"\nENTRYPOINT [ "$a" = b ] && c\n' >context/Shalefile
shale build context 2>err >out
same "places" "$(grep -o '^Shalefile:[0-9]*:[0-9]*: warning' err | cut -d: -f2,3 | paste -sd' ')" "2:6 3:5"
grep -q "nothing in the context matches '\*.none'" err || fail "no word of the pattern: $(cat err)"
# With an error, for it may be its reason.
# shellcheck disable=SC2016 # for shale
printf 'FROM scratch\nENV PORT=80\nEXPOSE x$PROT\n' | expect 3 "<stdin>:3:8: warning: variable '\$PROT' is not set \
(did you mean 'PORT'?)*<stdin>:3:8: bad port 'x'*" shale build -f - context
