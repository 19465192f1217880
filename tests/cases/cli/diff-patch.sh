#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# diff --patch is what git applies to the old files to have the new ones; of binary and large files it only says that they
# differ.  diff --layer tells what one layer changes.
# NEEDS: root git
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p old/dir/sub old/gone
seq 1000 >old/dir/numbers
printf 'no newline' >old/dir/sub/tail
printf 'gone\n' >old/gone/file
printf 'b\000inary' >old/binary
printf 'exec\n' >old/exec
printf 'file\n' >old/becomes-link
printf 'x\n' >"old/$(printf 'caf\303\251 "q" \\ tab\t')"
ln -s numbers old/dir/link
: >old/empty
truncate -s 17M old/large
cp -a old new
sed -i 's/^500$/five hundred/; $d' new/dir/numbers
printf 'no newline, more' >new/dir/sub/tail
printf 'b\000inarY' >new/binary
chmod 755 new/exec
rm new/becomes-link new/gone/file
ln -s elsewhere new/becomes-link
ln -sfn sub new/dir/link
printf 'y\n' >"new/$(printf 'caf\303\251 "q" \\ tab\t')"
printf 'added\n' >new/added
: >new/empty2
printf x >>new/large
shale import -q -t old dir:old >/dev/null
shale import -q -t new dir:new >/dev/null

shale diff --patch old new >got.patch
grep -qx 'Binary files a/binary and b/binary differ' got.patch || fail "the binary file: $(cat got.patch)"
grep -qx 'Binary files a/large and b/large differ' got.patch || fail "the large file: $(cat got.patch)"
grep -qx 'diff --git "a/caf\\303\\251 \\"q\\" \\\\ tab\\011" "b/caf\\303\\251 \\"q\\" \\\\ tab\\011"' got.patch ||
  fail "the name: $(cat got.patch)"

# git takes no patch of a binary file that has no content.
python3 - <<'END'
import re
parts = re.split(rb"(?m)^(?=diff --git )", open("got.patch", "rb").read())
open("text.patch", "wb").write(b"".join(p for p in parts if b"\nBinary files " not in p))
END
cp -a old applied
(cd applied && git init -q && git apply ../text.patch)
rm -r applied/.git
cp new/binary new/large applied/
# An empty directory is nothing to git.
mkdir -p applied/gone
for tree in new applied; do
  (cd "$tree" && find . ! -type d -printf '%p %y %m %l\n' | LC_ALL=C sort) >"$tree.list"
  contents "$tree" >>"$tree.list"
done
diff -u new.list applied.list >&2 || fail "git apply gives other files"

same "below a path" "$(shale diff -p old new /exec)" "$(printf 'diff --git a/exec b/exec\nold mode 100644\nnew mode 100755')"
same "nothing" "$(shale diff -p old old)" ""
expect 1 "diff --git*" shale diff -p --exit-code old new
expect 2 "*'--patch' excludes*" shale diff -p --json old new
expect 2 "*'--patch' excludes*" shale diff -p --stat old new
mkdir none
expect 8 "*cannot run diff (is the package diffutils installed?)*" env PATH="$PWD/none" "$(command -v shale)" diff -p old new

# Layers.
printf 'FROM old\nCOPY new/added /added\nCOPY new/exec /dir/exec\n' | build_text layers . >/dev/null
same "a layer" "$(shale diff --layer 2 layers)" "A /added"
same "the next layer" "$(shale diff --layer 3 layers)" "$(printf 'C /dir\nA /dir/exec')"
same "a path of it" "$(shale diff --layer 3 layers /added)" ""
same "the base" "$(shale diff --layer 1 layers | wc -l)" "$(find old -mindepth 1 | wc -l)"
shale diff --layer 2 -p layers >got.patch
same "its patch" "$(tail -1 got.patch)" "+added"
shale diff --json --layer 2 layers >layer.json
same "its document" "$(json layer.json "[(c['kind'], c['path']) for c in d]")" "[('A', '/added')]"
for number in 0 4 x ''; do
  expect 2 "*'--layer': '$number' is not the number of a layer: the image has 3*" shale diff --layer "$number" layers
done
expect 2 "*'--layer': a layer is of one image*" shale diff --layer 1 old new /x
