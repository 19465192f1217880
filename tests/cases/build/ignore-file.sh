#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# .dockerignore hides files of the context as docker's does; FILE.dockerignore takes its place.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context/src/deep/deeper context/node_modules/x context/docs
for file in a.c a.o .git src/b.c src/b.o src/deep/c.o src/deep/deeper/d.tmp src/deep/keep.o node_modules/x/y \
  docs/README.md docs/manual.md '#literal'; do
  echo "$file" >"context/$file"
done
cat >context/.dockerignore <<'END'
# a comment
*.o
**/deep/*.o
!src/deep/keep.o
  **/*.tmp
/node_modules
docs
!docs/README.md
.git
.dockerignore
END
printf 'FROM scratch\nCOPY . /\n' >manifest
shale build -q -f manifest -t app context >/dev/null
same "files" "$(files app | sed 's/ .*//')" "/#literal
/a.c
/docs
/docs/README.md
/src
/src/b.c
/src/b.o
/src/deep
/src/deep/deeper
/src/deep/keep.o"

# A directory that is left out is there for what comes back of it.
for copy in "docs /to" "docs/ /to/" "d*s /to" "--parents docs/ /to" "docs/README.md /to/"; do
  printf 'FROM scratch\nCOPY %s\n' "$copy" | build_text back context >/dev/null
  want="/to /to/README.md"
  [ "${copy#--parents}" = "$copy" ] || want="/to /to/docs /to/docs/README.md"
  same "COPY $copy" "$(files back | sed 's/ .*//' | paste -sd' ')" "$want"
done
printf 'FROM scratch\nCOPY node_modules /\n' |
  expect 8 "*<stdin>:2*'node_modules' of the context is excluded by an ignore file*" shale build -f - context
printf 'FROM scratch\nCOPY a.o /\n' |
  expect 8 "*<stdin>:2*'a.o' of the context is excluded by an ignore file*" shale build -f - context
printf 'FROM scratch\nCOPY none /\n' | expect 8 "*'none'*" shale build -f - context

printf 'src\nnode_modules\ndocs\n.*\n' >manifest.dockerignore
shale build -q -f manifest -t app context >/dev/null
same "with manifest.dockerignore" "$(files app | sed 's/ .*//' | paste -sd' ')" "/#literal /a.c /a.o"
ln -sf nothing manifest.dockerignore
expect 8 "*manifest.dockerignore*" shale build -q -f manifest context

printf '*\n!Shalefile\n' >context/Shalefile.dockerignore
cp manifest context/Shalefile
shale build -q -t app context >/dev/null
same "with Shalefile.dockerignore" "$(files app | sed 's/ .*//')" "/Shalefile"
printf '!\n' >context/Shalefile.dockerignore
expect 3 "*Shalefile.dockerignore:1*" shale build context
