#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ls lists what find(1) lists in the source, with its modes, owners, sizes and link targets.
# NEEDS: root
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

make_rootfs tree
rm tree/not-utf8* tree/caf*
shale import -q -t app dir:tree >/dev/null

(cd tree && find . -mindepth 1 -printf '/%P\n') | LC_ALL=C sort >want
shale ls -R app | LC_ALL=C sort | diff -u want -
shale ls app >out
(cd tree && printf '%s\n' *) | LC_ALL=C sort | diff -u - out
same "a file" "$(shale ls app /etc/passwd)" /etc/passwd

same "a link, long" "$(shale ls -l app /etc/link)" \
  "lrwxrwxrwx   1     0     0           11 2038-01-19 03:14:08 /etc/link -> ../bin/tool"
same "a setuid file" "$(shale ls -l app /bin/tool | cut -c1-32)" "-rwsr-xr-x   3  1000  1001      "
same "a device" "$(shale ls -l app /dev/null | cut -c1-42)" "crw-rw-rw-   1     0     0     1,     3 20"
same "a time before 1970" "$(shale ls -l app /etc/nothing)" \
  "-rw-r--r--   1 4000000000 4000000001            0 1969-12-31 23:59:58 /etc/nothing"
same "a sticky directory" "$(shale ls -l app / | sed -n 's/ .* tmp$//p')" drwxrwxrwt
(cd tree && find . -mindepth 1 -printf '/%P -%m %U:%G %n\n') | LC_ALL=C sort >want
shale ls -R --json app >all.json
json all.json "'\n'.join('%s -%o %d:%d %d' % (f['path'], int(f['mode'], 8), f['uid'], f['gid'], f['links']) for f in d)" |
  LC_ALL=C sort | diff -u want -
mkdir quotes
touch quotes/it\'s quotes/\' 'quotes/"'
ln -s it\'s quotes/link
shale import -q -t quotes dir:quotes >/dev/null
ls quotes >want
shale ls quotes | diff -u want -
same "a target" "$(shale ls -l quotes /link | sed 's/.* -> //')" "it's"
shale ls -R quotes | while read -r name; do
  shale ls quotes "$name" >/dev/null || fail "a name of ls is not taken: $name"
done
expect 8 "*no file '/no\\\\'ne' in the image" shale ls app "/no'ne"
expect 8 "*no file '/none' in the image" shale ls app /none
expect 8 "*" shale ls app /etc/passwd/x

# Several paths: files first, then each directory below its name; links to directories are followed, others listed.
ln -s bin tree/programs
ln -s loop tree/loop
shale import -q -t links dir:tree >/dev/null
(cd tree && LC_ALL=C ls -1 home programs etc/link etc/dangling bin etc/passwd >../want)
shale ls links home programs etc/link etc/dangling bin etc/passwd | diff -u want -
(cd tree && LC_ALL=C ls -1 etc home/user >../want)
shale ls links home/user etc | diff -u want -
for path in etc/dangling etc/link loop; do
  same "a link by itself" "$(shale ls links $path)" "$path"
done
same "a link to a directory" "$(shale ls links programs)" "$(cd tree && LC_ALL=C ls -1 programs)"
same "of a long listing" "$(shale ls -l links programs | sed 's/.* p/p/')" "programs -> bin"
same "with a slash" "$(shale ls -l links programs/ | wc -l)" "$(shale ls links bin | wc -l)"
same "in JSON" "$(shale ls --json links etc/dangling >one.json && json one.json "[(f['type'], f['target']) for f in d]")" \
  "[('l', '/nowhere/at/all')]"
expect 8 "*no file 'etc/dangling/' in the image" shale ls links etc/dangling/
expect 8 "shale: no file 'none' in the image" shale ls links etc none bin
