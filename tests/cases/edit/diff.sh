#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# diff of a session: what podman diff tells of a container in which the same was done; what is no change; sizes, paths,
# JSON, and the same lines as of the two images when it is committed.
# NEEDS: root fuse podman
# TIMEOUT: 200
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/podman.sh"

make_rootfs tree
mkdir -p tree/a/sub tree/a-b tree/gone/deep tree/into-file/sub mnt
echo x >tree/a/x
echo x >tree/a/sub/x
echo x >tree/a-b/x
echo 12345 >tree/gone/deep/file
echo x >tree/into-file/sub/x
echo x >tree/into-dir
ln tree/a/x tree/linked
shale import -q -t app dir:tree >/dev/null

# edit DIR
edit() {
  echo new >"$1/etc/new"
  echo longer >>"$1/etc/passwd"
  chmod 600 "$1/a/sub/x"
  chown 7:7 "$1/a-b"
  rm -r "$1/gone" "$1/into-file" "$1/into-dir"
  echo new >"$1/into-file"
  mkdir -p "$1/into-dir/sub"
  ln -sfn elsewhere "$1/etc/link"
  mkdir -p "$1/added/sub"
  mkfifo "$1/added/sub/fifo"
  mv "$1/etc/empty" "$1/added/moved"
  rm "$1/linked"
}

shale mount --edit --session work app mnt >/dev/null
edit mnt
shale umount mnt
shale diff work >got

run_podman pull -q "oci:$SHALE_STORE:localhost/app:latest" >id
run_podman create --network none "$(cat id)" x >container
where=$(run_podman mount "$(cat container)")
edit "$where"
run_podman umount "$(cat container)" >/dev/null
run_podman diff "$(cat container)" | LC_ALL=C sort -k 2 >want
LC_ALL=C sort -k 2 got >got.sorted
# podman makes these in every container, and takes another number of links of a file for a change.
grep -v -e ' /proc$' -e ' /sys$' -e ' /run$' -e ' /run/' -e ' /etc/hosts$' -e ' /etc/hostname$' -e ' /etc/resolv.conf$' \
  -e ' /etc/mtab$' want >want.rest
diff -u want.rest got.sorted >&2 || fail "the changes are not those of podman"
[ "$(wc -l <got)" -gt 15 ] || fail "too few changes to tell: $(cat got)"
run_podman rm -f "$(cat container)" >/dev/null
run_podman rmi -a -f >/dev/null

# Of the images, the same lines.
shale commit -q -t new work >/dev/null
shale diff app new >images
diff -u images got.sorted >&2 || fail "a session and its image differ in other lines"
shale diff --json app new >images.json
shale diff --json work >session.json
same "the documents" "$(json session.json "sorted(d, key=lambda c: c['path'])")" \
  "$(json images.json "sorted(d, key=lambda c: c['path'])")"

# Each directory is followed by what it holds.
same "the order" "$(grep -n -e ' /a$' -e ' /a/sub$' -e ' /a-b$' got | cut -d ' ' -f 2 | paste -sd ' ')" "/a /a/sub /a-b"
same "below a path" "$(shale diff work /a/)" "$(printf 'C /a\nC /a/sub\nC /a/sub/x')"
same "at a path" "$(shale diff work /etc/passwd)" "C /etc/passwd"
same "no change there" "$(shale diff work /bin)" ""
same "a path that is gone" "$(shale diff work /gone)" "D /gone"
expect 8 "*no file '/nothing' in the session or its image*" shale diff work /nothing
expect 8 "*no session 'nosuch'*" shale diff nosuch
expect 2 "*'--platform'*" shale diff --platform linux/amd64 work
expect 1 "C /a*" shale diff --exit-code work /a
expect 0 "" shale diff --exit-code work /bin

shale diff --stat work >stat
grep -q '^D  *6 B ->  *-  /gone$' stat || fail "no sum of a directory that is gone: $(cat stat)"
same "what a commit costs" "$(tail -1 stat)" "a commit writes $(shale commit --json work |
  python3 -c 'import json, sys; d = json.load(sys.stdin); print("%d B of files, %d B of them repeated" % (
    d["content_size"], d["repeated_size"]))')"

# Done and undone.
shale mount --edit --session none app mnt >/dev/null
mv mnt/etc mnt/etc2
mv mnt/etc2 mnt/etc
cp --preserve=all mnt/etc/passwd passwd
rm mnt/etc/passwd
cp --preserve=all passwd mnt/etc/passwd
printf X | dd of=mnt/bin/tool bs=1 seek=100000 conv=notrunc status=none
dd if=tree/bin/tool of=mnt/bin/tool bs=1 count=1 skip=100000 seek=100000 conv=notrunc status=none
chmod 4755 mnt/bin/tool
setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 mnt/bin/tool
touch mnt/a/x
shale umount mnt
same "nothing" "$(shale diff none)" ""
same "times" "$(shale diff --times none /a)" "$(printf 'C /a\nC /a/x')"
same "empty document" "$(shale diff --json none)" "[]"

# A patch of a session is that of the images.
shale diff -p work >session.patch
shale diff -p app new >images.patch
grep -qx '+longer' session.patch || fail "no patch: $(cat session.patch)"
python3 - <<'END' || fail "a session and its image differ in other lines of files"
import re, sys
def parts(name):
    return sorted(re.split(rb"(?m)^(?=diff --git )", open(name, "rb").read()))
sys.exit(parts("session.patch") != parts("images.patch"))
END
