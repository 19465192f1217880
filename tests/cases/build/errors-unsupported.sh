#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What this version does not do is listed with its lines, before anything is built.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
echo x >context/x
cat >context/Dockerfile <<'END'
FROM scratch AS build
COPY x /x
RUN make
ADD x /y
ONBUILD COPY x /z
FROM scratch
COPY --from=build /x /x
COPY --parents x /p
COPY <<EOF /h
text
EOF
END
expect 3 '*' shale build -t app context
same "lines" "$(sed -n 's/^\(shale: \)\{0,1\}Dockerfile:\([0-9]*\):.*/\2/p' expect.out | sort -nu | paste -sd' ')" "3 4 5 6 7 8 9"
grep -q "RUN" expect.out || fail "RUN is not named"
same "images" "$(shale images | wc -l)" 1
printf 'FROM scratch\nRUN true\nCOPI x y\n' | expect 3 "*<stdin>:2:1:*<stdin>:3:1:*" shale build -f - context
