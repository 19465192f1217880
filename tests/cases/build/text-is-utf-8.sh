#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Values that are not UTF-8 are told at once with their places, before the first step, also those of --build-arg.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
cat >context/Shalefile <<'END'
FROM scratch
WORKDIR /w
ARG value
ENV one=1 two=2$value
LABEL "$value"=x
ENV three=3
END
printf 'LABEL four=\377 five=5\nCMD echo \377\n' >>context/Shalefile
byte=$(printf '\377')
shale build -t app --build-arg "value=$byte" context 2>err && fail "it was built"
cat >want <<'END'
shale: Shalefile:3:1: 'ARG value=\xff' is not UTF-8
ARG value
^
Shalefile:7:12: '\xff' is not UTF-8
LABEL four=\xff five=5
           ^
Shalefile:8:5: 'echo \xff' is not UTF-8
CMD echo \xff
    ^
END
diff -u want err >&2
expect 3 "*Shalefile:3:1: *" shale build -q -t app --build-arg "value=$byte" context
sed -i '/^LABEL four/,$d' context/Shalefile
shale build -q -t app --build-arg "value=$(printf '\303\251')" context >/dev/null
same "what is UTF-8" "$(inspect app "d['config']['config']['Env'][-2]")" "two=2$(printf '\303\251')"
