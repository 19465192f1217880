#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --parents keeps the paths of sources from "/./" on: what is in the image is what cp --parents makes.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context/src/app/lib context/src/doc context/other/app want
for name in src/main.c src/app/run.c src/app/lib/deep.c src/app/lib/deep.h src/doc/readme other/app/run.c top.c; do
  echo "$name" >"context/$name"
done
chmod 700 context/src/app
ln -s ../doc/readme context/src/app/link
ln -s src context/way

# by_copy DEST SOURCE...: the names below DEST that COPY --parents makes.
by_copy() {
  by_copy_dest=$1
  shift
  printf 'FROM scratch\nCOPY --parents %s %s\n' "$*" "$by_copy_dest" | build_text app context >/dev/null
  files app | sed 's/ .*//'
}
# by_cp DIR SOURCE...: those that cp --parents makes below /d, from DIR of the context.
by_cp() {
  rm -rf want/d
  mkdir want/d
  (
    cd "context/$1" || exit
    shift
    cp -a --parents "$@" "$OLDPWD/want/d"
  )
  (cd want && find d | sed 's|^|/|' | LC_ALL=C sort)
}
same "a file" "$(by_copy /d/ src/app/run.c)" "$(by_cp . src/app/run.c)"
same "without a slash" "$(by_copy /d src/app/run.c)" "$(by_cp . src/app/run.c)"
same "two files" "$(by_copy /d/ ./src/app/run.c top.c)" "$(by_cp . src/app/run.c top.c)"
same "a directory" "$(by_copy /d/ src/app)" "$(by_cp . src/app)"
same "a pivot" "$(by_copy /d/ ./src/./app/lib/deep.c)" "$(by_cp src app/lib/deep.c)"
same "a pattern" "$(by_copy /d/ 'src/*/run.c')" "$(by_cp . src/app/run.c)"
same "a pattern below a pivot" "$(by_copy /d/ 'src/./app/*/*.h')" "$(by_cp src app/lib/deep.h)"
same "directories of a pattern" "$(by_copy /d/ 's*/./app/lib')" "$(by_cp src app/lib)"
same "any depth" "$(by_copy /d/ 'src/./**/*.c')" "$(by_cp src main.c app/run.c app/lib/deep.c)"
same "flags" "$(by_copy /d/ --exclude='**/lib' --exclude='*.c' 'src/./' | paste -sd' ')" \
  "/d /d/app /d/app/link /d/app/run.c /d/doc /d/doc/readme"
same "modes and owners" "$(printf 'FROM scratch\nCOPY --parents --chown=5 --chmod=u=rwX,go= src/app/run.c /d\n' |
  build_text app context >/dev/null && files app)" "/d d0755 5:5
/d/src d0700 5:5
/d/src/app d0700 5:5
/d/src/app/run.c -0600 5:5 14"

# What must be there, and what may be.
printf 'FROM scratch\nCOPY --parents src/none.c way/main.c src/./non /d/\n' | expect 3 "*<stdin>:2:16: no 'src/none.c'*
<stdin>:2:27: 'way/main.c' of the context leads through a link*
<stdin>:2:38: no 'src/non'*" shale build -f - context
printf 'FROM scratch\nCOPY --parents src/*.none /d/\n' | expect 0 "*<stdin>:2:16: warning: nothing in the context matches 'src/\*.none'*" shale build -f - context
printf 'doc\n**/*.h\n' >context/.dockerignore
printf 'FROM scratch\nCOPY --parents src/app/lib/deep.h /d/\n' | expect 8 "*'src/app/lib/deep.h' of the context is excluded*" shale build -f - context
same "not what is ignored" "$(by_copy / src/app/lib | paste -sd' ')" "/src /src/app /src/app/lib /src/app/lib/deep.c"
