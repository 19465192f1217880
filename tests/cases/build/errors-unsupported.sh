#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What this version does not do is listed with its lines, all in one error, before anything is built.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
echo x >context/x
cat >context/Dockerfile <<'END'
FROM scratch AS build
COPY x /x
RUN make
ONBUILD COPY x /z
MAINTAINER somebody
FROM scratch AS last
COPY --from=build /x /x
RUN <<EOF
RUN is text here
EOF
OS debian:12
USE curl
LIBS libc6
ACCOUNT app
DIR /var/lib/app
LINK /a /b
LAYER data
KERNEL linux
BOOT systemd
TEST curl --version
END
cat >want <<'END'
shale: Dockerfile:3:1: RUN is not supported yet by this version
RUN make
^
Dockerfile:4:1: ONBUILD is not supported yet by this version
ONBUILD COPY x /z
^
Dockerfile:5:1: MAINTAINER is not supported yet by this version: LABEL says the same
MAINTAINER somebody
^
Dockerfile:6:1: more than one stage (FROM) is not supported yet by this version
FROM scratch AS last
^
Dockerfile:7:6: COPY --from is not supported yet by this version
COPY --from=build /x /x
     ^
Dockerfile:8:1: RUN is not supported yet by this version
RUN <<EOF
^
Dockerfile:8:5: heredocs (RUN <<EOF) are not supported yet by this version
RUN <<EOF
    ^
Dockerfile:11:1: OS is not supported yet by this version
OS debian:12
^
Dockerfile:12:1: USE is not supported yet by this version
USE curl
^
Dockerfile:13:1: LIBS is not supported yet by this version
LIBS libc6
^
Dockerfile:14:1: ACCOUNT is not supported yet by this version
ACCOUNT app
^
Dockerfile:15:1: DIR is not supported yet by this version
DIR /var/lib/app
^
Dockerfile:16:1: LINK is not supported yet by this version
LINK /a /b
^
Dockerfile:17:1: LAYER is not supported yet by this version
LAYER data
^
Dockerfile:18:1: KERNEL is not supported yet by this version
KERNEL linux
^
Dockerfile:19:1: BOOT is not supported yet by this version
BOOT systemd
^
Dockerfile:20:1: TEST is not supported yet by this version
TEST curl --version
^
END
small_image other >/dev/null
find store -type f | LC_ALL=C sort >files.before
cp store/index.json index.before
status=0
shale build -t app context >out 2>err || status=$?
same "the exit status" "$status" 3
same "standard output" "$(cat out)" ""
diff -u want err >&2 || fail "the error differs"
find store -type f | LC_ALL=C sort | diff -u files.before - >&2 || fail "something was built"
cmp index.before store/index.json
printf 'FROM scratch\nRUN true\nCOPI x y\n' | expect 3 "*<stdin>:2:1:*<stdin>:3:1:*" shale build -f - context
