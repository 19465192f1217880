#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# size counts directories as du(1) counts them on the mount, and layers by what they hold and what still shows of it.
# NEEDS: root fuse umoci
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p tree/usr/lib/deep tree/usr/share/doc tree/etc tree/empty tree/var mnt
seq 20000 >tree/usr/lib/big
seq 3000 >tree/usr/lib/deep/file
ln tree/usr/lib/big tree/usr/lib/again
seq 5000 >tree/usr/share/doc/text
seq 10 >tree/etc/conf
printf 12345 >tree/top
: >tree/var/nothing
shale import -q -t app dir:tree >/dev/null

shale mount app "$PWD/mnt"
du -b -t 1 mnt | sed 's/\tmnt/ /; s/ $/ \//' | LC_ALL=C sort -k 1,1nr -k 2 >du.want
shale umount mnt
shale size --top 100 --json app >all.json
json all.json "'%d /\n' % d['content'] + '\n'.join('%d %s' % (x['content'], x['path']) for x in d['directories'])" >got
diff -u du.want got >&2 || fail "the directories are not those of du"
[ "$(wc -l <du.want)" -eq 7 ] || fail "du shows something else than expected: $(cat du.want)"
same "files" "$(json all.json "d['files']")" "$(find tree ! -type d -printf '%i\n' | sort -u | wc -l)"
same "of a directory" "$(json all.json "[x['files'] for x in d['directories'] if x['path'] == '/usr/lib']")" "[2]"
shale size --json --top 2 --depth 1 app >few.json
same "--top and --depth" "$(json few.json "[x['path'] for x in d['directories']]")" "['/usr', '/etc']"
for top in 0 1 2; do
  same "--top $top" "$(shale size --top "$top" app | sed '1,/^$/d' | grep -c ' /')" "$top"
  shale size --json --top "$top" app >few.json
  same "--json --top $top" "$(json few.json "len(d['directories'])")" "$top"
done
same "the second table" "$(shale size --depth 1 app | sed '1,/^$/d' | tr -s ' ')" "CONTENT FILES DIRECTORY
143.2 KiB 3 /usr
21 B 1 /etc
143.3 KiB 6 total"

# Layers: umoci's are gzip; the second one has a whiteout and a new file.
umoci_layout
shale import -q -t layers oci:layout:app >/dev/null
shale size --json layers >layers.json
shale inspect --json layers >inspect.json
same "compressed" "$(json layers.json "[l['compressed'] for l in d['layers']]")" \
  "$(json inspect.json "[l['size'] for l in d['layers']]")"
for at in 0 1; do
  gunzip -c "$(blob "$(json layers.json "d['layers'][$at]['digest']")")" >layer.tar
  same "entries of layer $at" "$(json layers.json "d['layers'][$at]['entries']")" "$(tar -tf layer.tar | wc -l)"
done
same "hidden of the first" "$(json layers.json "d['layers'][0]['hidden']")" "$(printf 'root:x:0:0:root:/root:/bin/sh\n' | wc -c)"
same "hidden of the second" "$(json layers.json "d['layers'][1]['hidden']")" 0
same "what shows is what is there" \
  "$(json layers.json "d['content'] - sum(l['content'] - l['hidden'] for l in d['layers'])")" 0

# Text: sums, short digests, and how a layer was made, cut to 45 columns.
mkdir context
echo x >context/a-rather-long-name-of-a-file
build_text built context >/dev/null <<'END'
FROM scratch
COPY a-rather-long-name-of-a-file /somewhere/that/is/a/long/way/off/
COPY a-rather-long-name-of-a-file /somewhere/that/is/a/long/way/off/
END
shale size built >out
same "heads" "$(head -n 1 out | tr -s ' ')" "LAYER COMPRESSED CONTENT HIDDEN ENTRIES SHARED CREATED BY"
same "a layer" "$(sed -n 2p out | cut -c1-19)" "$(layers built | sed -n 1p | cut -c1-19)"
same "a cut text" "$(sed -n 2p out | sed 's/.*  COPY/COPY/')" "COPY a-rather-long-name-of-a-file /somewhe..."
same "the sum" "$(grep '^total' out | tr -s ' ' | cut -d ' ' -f 4-)" "4 B 2 B 9"
shale size --no-trunc built | grep -q 'COPY a-rather-long-name-of-a-file /somewhere/that/is/a/long/way/off/ # buildkit$' ||
  fail "--no-trunc cuts"
if grep -n ' $' out >&2; then
  fail "blanks at the end of a line"
fi

# Layers that other images have: not another name of the same one, nor one that cannot be read.
shale tag built again
printf 'FROM built\nCOPY a-rather-long-name-of-a-file /b\n' | build_text child context >/dev/null
printf 'FROM built\nCOPY a-rather-long-name-of-a-file /c\n' | build_text other context >"other.digest"
same "shared" "$(shale size --json child >child.json && json child.json "[l['shared'] for l in d['layers']]")" "[3, 3, 0]"
rm "$(blob "$(cat other.digest)")"
same "of an image that cannot be read" "$(shale size --json built >built.json && json built.json "[l['shared'] for l in d['layers']]")" \
  "[1, 1]"

expect 2 "*option '--top': 'x' is not a number up to 10000" shale size --top x app
expect 2 "*option '--top': '10001' is not*" shale size --top 10001 app
expect 2 "*option '--depth': '-1' is not*" shale size --depth=-1 app
expect 8 "*no image*" shale size nope

# A directory's name cannot move the cursor; a damaged catalog is built anew.
mkdir -p "names/$(printf 'red\033[31m')"
echo x >"names/$(printf 'red\033[31m')/file"
shale import -q -t names dir:names >/dev/null
same "a name" "$(shale size names | tail -n 2 | head -n 1 | tr -s ' ')" '2 B 1 /red\x1b[31m'
for catalog in "$SHALE_STORE"/shale/catalogs/*; do
  flip "$catalog" -3000
done
shale size --json --top 100 app >again.json 2>warning
cmp all.json again.json || fail "a damaged catalog gives other sizes"
