#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# diff --times prints what podman diff prints for the same two images, where times tell what podman does not look at.
# NEEDS: root podman
# TIMEOUT: 120
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/podman.sh"

make_rootfs old
mkdir -p old/a old/a-b/c old/gone/deep old/usr/lib/x old/into-file/sub
echo x >old/a/x
echo x >old/a-b/c/x
echo x >old/gone/deep/file
echo x >old/usr/lib/x/file
echo x >old/into-file/sub/file
echo x >old/into-dir
cp -a old new
rm -r new/gone new/into-file new/into-dir
mkdir -p new/into-dir/sub new/added/sub
echo new >new/into-file
echo new >new/into-dir/sub/file
echo new >new/added/sub/file
echo y >new/a/x
chmod 600 new/a-b/c/x
chown 7:7 new/usr/lib/x
ln -sf elsewhere new/etc/link
echo longer >>new/etc/passwd
rm new/home/user/hole
touch new/etc/nothing
# podman looks at the times of what is no directory.
find old new -type d -exec touch -d '2020-02-02' {} +
shale import -q -t old dir:old >/dev/null
shale import -q -t new dir:new >/dev/null

run_podman pull -q "oci:$SHALE_STORE:localhost/old:latest" >old.id
run_podman pull -q "oci:$SHALE_STORE:localhost/new:latest" >new.id
run_podman diff "$(cat new.id)" "$(cat old.id)" >podman.out
LC_ALL=C sort -k 2 podman.out >want
shale diff --times old new >got
diff -u want got >&2 || fail "the changes are not those of podman"
[ "$(wc -l <got)" -gt 20 ] || fail "too few changes to tell: $(cat got)"
run_podman rmi -a -f >/dev/null
