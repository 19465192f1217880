#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# COPY of a directory gives what it holds, links as links, empty directories too, and keeps what the target has.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context/src/sub/empty context/more/sub
echo a >context/src/a
echo b >context/src/sub/b
echo bb >context/more/sub/b
echo c >context/more/c
ln -s ../a context/src/sub/up
ln -s /etc/passwd context/src/absolute
chmod 700 context/src/sub
chmod 600 context/src/a
build_text app context >/dev/null <<'END'
FROM scratch
COPY src /app
COPY more /app
COPY src/sub more /both/
COPY src/sub/empty /made/here
END
same "files" "$(files app)" "/app d0755 0:0
/app/a -0644 0:0 2
/app/absolute l0777 0:0 -> /etc/passwd
/app/c -0644 0:0 2
/app/sub d0755 0:0
/app/sub/b -0644 0:0 3
/app/sub/empty d0755 0:0
/app/sub/up l0777 0:0 -> ../a
/both d0755 0:0
/both/b -0644 0:0 2
/both/c -0644 0:0 2
/both/empty d0755 0:0
/both/sub d0755 0:0
/both/sub/b -0644 0:0 3
/both/up l0777 0:0 -> ../a
/made d0755 0:0
/made/here d0755 0:0"
printf 'FROM scratch\nCOPY src/a /x/sub\nCOPY src /x\n' | expect 9 "*<stdin>:3:1: *'/x/sub'*" shale build -f - context
printf 'FROM scratch\nCOPY src/a /x\nCOPY src/sub/b /x/b\n' | expect 9 "*<stdin>:3:1: *'/x'*" shale build -f - context
