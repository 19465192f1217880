#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ls -l prints what ls(1) prints on the mount; -d directories themselves; --names what the image calls its owners.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

make_rootfs tree
rm tree/not-utf8*
mkdir -m 2770 tree/setgid
mkdir -m 1776 tree/sticky
for mode in 4755 4655 2755 2745 6777 6000 0000; do
  : >"tree/setgid/$mode"
  chmod "$mode" "tree/setgid/$mode"
done
mknod tree/dev/big b 259 1048575
shale import -q -t app dir:tree >/dev/null
mkdir mnt
shale mount app "$PWD/mnt"
# What ls(1) says, with one blank between columns.
as_ls() {
  (cd mnt && TZ=UTC LC_ALL=C ls -lnA --time-style='+%Y-%m-%d %H:%M:%S' "$@") | sed '/^total [0-9]*$/d' | tr -s ' '
}
(cd mnt && find . -type d) >dirs
while read -r dir; do
  as_ls "$dir" >want
  shale ls -l app "/$dir" | tr -s ' ' >got
  diff -u want got >&2 || fail "ls -l of $dir is not that of ls(1)"
done <dirs
[ "$(wc -l <dirs)" -ge 9 ] || fail "too few directories: $(cat dirs)"
as_ls -d etc home/user tmp dev/big etc/link >want
shale ls -ld app etc home/user tmp dev/big etc/link | tr -s ' ' >got
diff -u want got >&2 || fail "ls -ld is not that of ls(1)"
(cd mnt && LC_ALL=C ls -d etc etc/link home/) >want
shale ls -d app etc etc/link home/ | diff -u want - >&2 || fail "ls -d is not that of ls(1)"
shale umount mnt
same "-d of the root" "$(shale ls -d app)" /
same "-dR" "$(shale ls -dR app /etc)" /etc
same "-d in JSON" "$(shale ls -d --json app /etc >d.json && json d.json "[(f['path'], f['type']) for f in d]")" "[('/etc', 'd')]"
same "a device in JSON" "$(shale ls --json app /dev/big >big.json && json big.json "d[0]['device']")" 259:1048575

# Owners: the image's names, the first one of two; numbers where there is none.
mkdir -p owners/etc
printf '%s\n' 'root:x:0:0::/:' 'toor:x:0:0::/:' 'web:x:1000:1000::/:' 'broken' ':x:7:7' 'odd:x:7x:' \
  "$(printf 'evil\033[31m'):x:8:8" 'top:x:4294967295:1' >owners/etc/passwd
printf 'wheel:x:0:\nstaff:x:1000:web\nlast:x:9:' >owners/etc/group
for file in a:0:0 b:1000:1000 c:7:9 d:8:8; do
  : >"owners/${file%%:*}"
  chown "${file#*:}" "owners/${file%%:*}"
done
shale import -q -t owners dir:owners >/dev/null
same "names" "$(shale ls -l --names owners | tr -s ' ' | cut -d ' ' -f 3,4)" 'root wheel
web staff
7 last
evil\x1b[31m 8
root wheel'
same "without --names" "$(shale ls -l owners | tr -s ' ' | cut -d ' ' -f 3,4 | sed -n 2p)" "1000 1000"
shale ls --json --names owners >names.json
same "in JSON" "$(json names.json "[(f['user'], f['group']) for f in d][1:3]")" "[('web', 'staff'), (None, 'last')]"
# Not of this machine, when the image has none; and links stay inside.
rm owners/etc/passwd owners/etc/group
ln -s passwd owners/etc/passwd
ln -s /../../../etc/group owners/etc/group
shale import -q -t nobody dir:owners >/dev/null
same "no names" "$(shale ls -l --names nobody | tr -s ' ' | cut -d ' ' -f 3,4 | sed -n 1p)" "0 0"
truncate -s 4194305 owners/huge
ln -sf /huge owners/etc/passwd
shale import -q -t huge dir:owners >/dev/null
expect 4 "*'/etc/passwd' of the image: more than 4194304 bytes" shale ls -l --names huge
shale ls -l huge >/dev/null
