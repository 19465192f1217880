#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --exclude leaves files of one COPY out, by patterns as in .dockerignore, below its source.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context/src/sub/keep
for file in a.c a.o sub/b.c sub/b.o sub/keep/c.o; do
  : >"context/src/$file"
done
build_text app context >/dev/null <<'END'
FROM scratch
COPY --exclude=**/*.o --exclude=!sub/keep/c.o src /both
COPY --exclude=*.o src /top
COPY --exclude=sub src /flat
COPY --exclude=*.o src/a.c src/a.o /files/
COPY src /all
END
same "files" "$(files app | grep ' -\|-0644\|/empty' | sed 's/ .*//' | paste -sd' ')" \
  "/all/a.c /all/a.o /all/sub/b.c /all/sub/b.o /all/sub/keep/c.o /both/a.c /both/sub/b.c /both/sub/keep/c.o /files/a.c /flat/a.c /flat/a.o /top/a.c /top/sub/b.c /top/sub/b.o /top/sub/keep/c.o"
