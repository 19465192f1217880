#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# session export: a tar of what a session changed, which over the image's files and without the removed names is what the
# mount shows, for GNU tar; the same bytes of a mount and of the session, into a file and a pipe; refusals.
# NEEDS: root fuse getfattr
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

make_rootfs tree
mkdir -p tree/moved/sub tree/removed/sub tree/swapped mnt
echo x >tree/moved/sub/x
echo x >tree/removed/sub/x
ln tree/moved/sub/x tree/swapped/x
echo x >tree/gone
shale import -q -t app dir:tree >/dev/null

removed="removed gone moved swapped/x dev/fifo"
edit() {
  echo new >mnt/etc/new
  printf tail >>mnt/bin/tool
  chmod 600 mnt/home/user/numbers
  chown 7:8 mnt/home/user/hole
  touch -d '2003-03-03 03:03:03.030303030' mnt/etc/nothing
  mkdir -p mnt/added/deep
  chmod 1700 mnt/added/deep
  ln -s ../new mnt/added/link
  mknod mnt/added/null c 1 3
  mkfifo mnt/added/fifo
  truncate -s 3M mnt/added/deep/sparse
  printf end >>mnt/added/deep/sparse
  setfattr -n user.note -v 'of a file' mnt/added/deep/sparse
  setfattr -n user.note -v 'of a directory' mnt/added
  mv mnt/moved mnt/added/moved
  ln mnt/etc/passwd mnt/added/passwd
  rm -r mnt/removed mnt/gone mnt/swapped/x mnt/dev/fifo
}

shale mount --edit --session work app "$PWD/mnt" >/dev/null
expect 0 "0 files and directories" shale session export work none.tar
same "of no change" "$(tar -tf none.tar)" ""
edit
cp -a mnt want
shale session export "$PWD/mnt" mounted.tar >/dev/null
shale umount mnt
shale session export work out.tar >told
cmp mounted.tar out.tar || fail "a mount gives another archive"
shale session export -q work - 2>progress | cat >piped.tar
cmp piped.tar out.tar || fail "a pipe gets another archive"
same "in a pipe" "$(cat progress)" ""
same "what it says" "$(cat told)" "$(tar -tf out.tar | wc -l) files and directories"

# Over the image's files.
cp -a tree over
for name in $removed; do rm -r "over/$name"; done
tar -xf out.tar -C over --xattrs --xattrs-include='*' --same-owner -p --numeric-owner
same_trees over want

# Nothing is in it that is the image's, but the directories around, and all names of a file that has a new one.
same "names" "$(tar -tf out.tar | LC_ALL=C sort | paste -s -d ' ')" \
  "./ added/ added/deep/ added/deep/sparse added/fifo added/link added/moved/ added/moved/sub/ added/moved/sub/x \
added/null added/passwd bin/ bin/tool bin/tool2 dev/ etc/ etc/new etc/nothing etc/passwd home/ home/user/ home/user/hole \
home/user/numbers home/user/tool3 swapped/"
mkdir alone
tar -xf out.tar -C alone --xattrs --xattrs-include='*' --same-owner -p --numeric-owner
for name in added/deep/sparse added/moved/sub/x added/passwd bin/tool etc/new home/user/numbers; do
  cmp "alone/$name" "want/$name" || fail "$name is not whole"
done

# What no tar can hold.
shale mount --edit --session work "$PWD/mnt" >/dev/null
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("mnt/etc/socket")'
shale umount mnt
expect 0 "*'/etc/socket' is a socket, and left out: no tar can hold it*" shale session export work sockets.tar
tar -tf sockets.tar | grep -q socket && fail "a socket is in it"

# Refused; a file that was there stays.
echo kept >kept.tar
expect 2 "*one session and one file are needed*" shale session export work
expect 2 "*one session and one file are needed*" shale session export work kept.tar more.tar
expect 2 "*option '--force' goes with 'rm'*" shale session export -f work kept.tar
expect 8 "*no session 'none' in the store*" shale session export none kept.tar
expect 2 "*" shale session export work tree
expect 2 "*" shale session export work store/file.tar
same "the file" "$(cat kept.tar)" kept
got=0
shale session export work - >/dev/full 2>error || got=$?
same "a full disk" "$got" 7
use_session app busy "thinking"
expect 9 "*session 'busy' is in use by process *thinking*" shale session export busy kept.tar
end_session
