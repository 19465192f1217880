#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An error of a manifest names file, line and column, and shows the line with a caret.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
printf 'FROM scratch\n\nCOPY --chwon=app a /b\n' >context/Shalefile
shale build -t app context >out 2>err && fail "it was built"
[ ! -s out ] || fail "something on standard output"
diff -u - err >&2 <<'END'
shale: Shalefile:3:6: unknown flag '--chwon' (did you mean '--chown'?)
COPY --chwon=app a /b
     ^
END
printf 'FROM scratch\nCOPY a /b\n' >context/Shalefile
expect 8 "shale: Shalefile:2:6: no 'a' in the context
COPY a /b
     ^" shale build -q context
printf 'FROM scratch\nCOPI a /b\n' | expect 3 "*<stdin>:2:1: unknown instruction*COPY*" shale build -f - context
: >context/Shalefile
expect 3 "*Shalefile*" shale build context
