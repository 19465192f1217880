#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# COPY of files: to a name, into a directory that is named as one or is there, several at once, relative to WORKDIR.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context/sub
echo 1 >context/a
echo 22 >context/b
echo 333 >context/sub/c
chmod 755 context/b
ln -s sub/c context/link
echo ' ' >'context/with blank'
build_text app context >/dev/null <<'END'
FROM scratch
COPY a /to/name
COPY b /into/
COPY sub/c /into
COPY a b sub/c /several/
WORKDIR /work
COPY a .
COPY b ./renamed
COPY link /followed
COPY ["with blank", "/with blank"]
COPY ../../a /clamped
COPY /sub/./../b /cleaned
END
same "files" "$(files app)" "/clamped -0644 0:0 2
/cleaned -0755 0:0 3
/followed -0644 0:0 4
/into d0755 0:0
/into/b -0755 0:0 3
/into/c -0644 0:0 4
/several d0755 0:0
/several/a -0644 0:0 2
/several/b -0755 0:0 3
/several/c -0644 0:0 4
/to d0755 0:0
/to/name -0644 0:0 2
/with blank -0644 0:0 2
/work d0755 0:0
/work/a -0644 0:0 2
/work/renamed -0755 0:0 3"
same "content" "$(shale cat app /into/c /to/name)" "333
1"
