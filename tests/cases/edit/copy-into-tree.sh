#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cp -a gives a session the tree that cp(1) -a gives a directory: owners, modes, times, xattrs, links, devices, holes, odd
# names; and so does an image of it. Without -a all belongs to root, without what only -a takes.
# NEEDS: root fuse getfattr python3
# TIMEOUT: 120
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

make_rootfs tree
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("tree/tmp/socket")'
mkdir "tree/$(printf 'new\nline')" tree/deep
: >"$(printf 'tree/new\nline/-rf *')"
python3 - <<'END'
import os
fd = os.open("tree/deep", os.O_RDONLY)
for i in range(300):
    os.mkdir(str(i % 10) * 12, dir_fd=fd)
    fd = os.open(str(i % 10) * 12, os.O_RDONLY, dir_fd=fd)
END
mkdir plain mnt
cp -a tree plain/
rm plain/tree/tmp/socket
touch -d "$(stat -c %y tree/tmp)" plain/tree/tmp
small_image app >/dev/null

# check_copy: the session w has the tree.
check_copy() {
  same_trees plain/tree mnt/tree
  [ "$(du -k mnt/tree/home/user/sparse | cut -f1)" -lt 1000 ] || fail "a sparse file was filled"
}

make_session app w >/dev/null
expect 0 "shale: warning: 'tree/tmp/socket' is a socket: left out" shale cp -a tree w:/
shale mount -q --edit --session w mnt >/dev/null
check_copy
# Again, over what is there.
shale cp -a tree w:/ 2>/dev/null
check_copy
shale umount mnt
[ "$(du -sk "$SHALE_STORE"/shale/sessions | cut -f1)" -lt 20000 ] || fail "holes take room in the session"
shale commit -q -t copied w >/dev/null
shale cp -a copied:/tree out
same_trees plain/tree out

shale session rm w
make_session app w >/dev/null
shale mount -q --edit --session w mnt >/dev/null
shale cp tree w:/ 2>warnings
same "what is warned of" "$(grep -c "^shale: warning: 'tree/dev/.*' is a device or a FIFO: left out$" warnings)" 3
find mnt/tree ! -user 0 -o ! -group 0 -o -type b -o -type c -o -type p -o -type s -o -perm /7000 -type f >strange
same "files that are not root's, or special" "$(cat strange)" ""
same "the mode of a file" "$(stat -c '%a %h' mnt/tree/bin/tool)" "755 1"
cmp tree/home/user/sparse mnt/tree/home/user/sparse
[ "$(du -k mnt/tree/home/user/sparse | cut -f1)" -lt 1000 ] || fail "a sparse file was filled"
same "an attribute" "$(getfattr --absolute-names mnt/tree/etc/passwd)" ""
same "times" "$(stat -c %y mnt/tree/etc/passwd mnt/tree/etc/empty)" "$(stat -c %y tree/etc/passwd tree/etc/empty)"
same "an odd name" "$(cd mnt/tree && find . -name '-rf*' -printf '%P' | tr '\n' /)" "new/line/-rf *"
shale umount mnt
