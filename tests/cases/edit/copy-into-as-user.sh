#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A user copies into a session inside of 'shale unshare', mounted or not: as root of the image, and with -a for any of his ids.
# NEEDS: root fuse userns setpriv newuidmap newgidmap
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_CASES/unshare/users.sh"

begin_with_users "$0"
subordinate_ids alice:100000:65536
unset SHALE_STORE
mkdir tree
echo mine >tree/mine
tar -C tree -cf tree.tar .

cat >inside.sh <<'END_INSIDE'
. "$SHALE_CASES/lib.sh"
unset SHALE_STORE XDG_DATA_HOME
mkdir mnt more tmp
TMPDIR=$PWD/tmp
export TMPDIR
echo file >more/file
chown 33:34 more/file
chmod 4755 more/file
ln more/file more/same
ln -s file more/link
shale mount -q --edit --session w app mnt >/dev/null
shale cp more w:/mounted
shale cp -a more w:/mounted-a
shale umount mnt
shale cp more w:/apart
shale cp -a more w:/apart-a
same "what is left" "$(ls -A tmp; grep "$PWD/tmp" /proc/self/mountinfo || true)" ""
shale mount -q --edit --session w mnt >/dev/null
for how in mounted apart; do
  same "a file" "$(stat -c '%u:%g %a %h' "mnt/$how/file")" "0:0 755 1"
  same "a file by -a" "$(stat -c '%u:%g %a %h' "mnt/$how-a/file")" "33:34 4755 2"
  same "a link" "$(readlink "mnt/$how/link")" file
done
shale umount mnt
END_INSIDE
as_user shale import -q -t app rootfs:tree.tar >/dev/null
as_user shale unshare sh inside.sh 2>err || fail "$(cat err)"
expect 1 "shale: only root can edit: *'shale unshare'*" as_user shale cp err w:/x
as_user shale commit -q -t new w >/dev/null
same "ids in the image" "$(as_user shale ls -R --json new >ls.json && json ls.json \
  "' '.join('%s %d:%d' % (f['path'], f['uid'], f['gid']) for f in d if f['type'] == '-' and 'apart' in f['path'])")" \
  "/apart/file 0:0 /apart/same 0:0 /apart-a/file 33:34 /apart-a/same 33:34"
