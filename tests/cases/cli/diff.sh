#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# diff tells what differs between two images, in the order of the paths' bytes, and its exit status only on request.
# NEEDS: root
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

make_rootfs old
mkdir -p old/gone/deep old/lib old/lib-x
seq 100 >old/gone/deep/a
seq 10 >old/gone/b
ln old/gone/b old/gone/c
echo lib >old/lib/file
echo other >old/lib-x/file
cp -a old new
rm -r new/gone
mkdir -p new/added/dir
echo 1234567 >new/added/dir/file
# The same size and time, another content: docker would not see it.
printf 'toor' | dd of=new/etc/passwd conv=notrunc status=none
touch -r old/etc/passwd new/etc/passwd
chmod 700 new/home/user/tool3
chown 5:6 new/tmp
setfattr -n user.binary -v 0x00ff0b new/lib/file
rm new/dev/loop0
mknod new/dev/loop0 b 7 1
touch -r old/dev/loop0 new/dev/loop0
touch -r old/dev new/dev
echo more >>new/lib-x/file
rm new/etc/dangling
mkdir new/etc/dangling
touch -d '2022-02-02' new/etc/nothing
shale import -q -t old dir:old >/dev/null
shale import -q -t new dir:new >/dev/null

shale diff old new >out
diff -u - out >&2 <<'END' || fail "the changes differ"
A /added
A /added/dir
A /added/dir/file
C /bin
C /bin/tool
C /bin/tool2
C /dev
C /dev/loop0
C /etc
C /etc/dangling
C /etc/passwd
D /gone
C /home
C /home/user
C /home/user/tool3
C /lib
C /lib-x
C /lib-x/file
C /lib/file
C /tmp
END
LC_ALL=C sort -c -k 2 out || fail "the paths are not in order"
shale diff --times old new | grep -qx 'C /etc/nothing' || fail "--times shows no time"
shale diff --json old new >out.json
same "what differs" "$(json out.json "[(c['path'], c['what']) for c in d if c['what']]")" \
  "[('/bin/tool', ['mode']), ('/bin/tool2', ['mode']), ('/dev/loop0', ['content']), ('/etc/dangling', ['type']), \
('/etc/passwd', ['content']), ('/home/user/tool3', ['mode']), ('/lib-x/file', ['content']), ('/lib/file', ['xattrs']), \
('/tmp', ['owner'])]"
same "the other way" "$(shale diff new old | tr AD DA | grep -v /gone/)" "$(grep -v /added/ out)"

# Sizes: 292 and twice 21 bytes in /gone, by each name.
same "--stat of a directory" "$(shale diff --stat old new /gone | tr -s ' ')" "D 334 B -> - /gone
0 added, 0 changed, 1 deleted, 334 B -> 0 B"
same "--stat of files" "$(shale diff --stat old new /lib-x | tr -s ' ')" "C - -> - /lib-x
C 6 B -> 11 B /lib-x/file
0 added, 2 changed, 0 deleted, 6 B -> 11 B"
same "sums" "$(shale diff --stat old new | tail -n 1 | cut -d, -f1-3)" "3 added, 16 changed, 1 deleted"
same "JSON of a directory" "$(shale diff --json old new /gone >gone.json && json gone.json "d[0]")" \
  "{'kind': 'D', 'new_size': None, 'new_type': None, 'old_size': 334, 'old_type': 'd', 'path': '/gone', 'what': []}"

# Exit statuses are those of git diff.
same "status" "$(status_of shale diff old new)" 0
same "status with --exit-code" "$(status_of shale diff --exit-code old new)" 1
same "of the same image" "$(status_of shale diff --exit-code old old)" 0
same "of a path" "$(status_of shale diff --exit-code old new /etc/link)" 0
same "with --json" "$(status_of shale diff --exit-code --json old new)" 1
same "output that cannot be written" "$(status_of sh -c 'shale diff --exit-code old new >/dev/full')" 7

# A path, and links on the way.
same "a directory" "$(shale diff old new etc)" "C /etc
C /etc/dangling
C /etc/passwd"
same "a link" "$(shale diff old new /etc/link)" ""
same "behind a link" "$(shale diff old new /etc/link/)" "C /etc/link"
expect 8 "*no file '/none' in either image" shale diff old new /none
expect 8 "*no image 'localhost/nope:latest'*" shale diff old nope
expect 2 "*'--json' and '--stat'*" shale diff --json --stat old new
expect 8 "*no session 'old' in the store*" shale diff old
expect 2 "*unexpected argument 'x'*" shale diff old new / x

# Names cannot move the cursor.
mkdir names
: >"names/$(printf 'red\033[31m\nx')"
shale import -q -t names dir:names >/dev/null
mkdir none
shale import -q -t none dir:none >/dev/null
same "a name" "$(shale diff none names)" 'A /red\x1b[31m\nx'
shale diff --json none names >names.json
same "in JSON" "$(json names.json "d[0]['path']")" '/red\x1b[31m\nx'

# The images of an index differ from each other; --platform chooses in both.
two_platforms both >/dev/null
shale inspect --json --platform linux/amd64 both >inspect.json
json inspect.json "'\n'.join(m['digest'] for m in d['manifests'])" >manifests
# shellcheck disable=SC2046 # two words
same "platforms" "$(shale diff $(cat manifests))" "C /arch"
same "one of them" "$(shale diff --platform linux/arm64 both "$(tail -n 1 manifests)")" ""
expect 8 "*image 'localhost/old:latest': has nothing for the platform*" shale diff --platform linux/s390x/v9 old new
