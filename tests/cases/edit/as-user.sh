#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A user edits an image inside of 'shale unshare': owners are those of the image and can be changed to any that he has,
# permissions are checked for everybody, and the committed image has the ids; outside he can commit it, too.
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
echo secret >tree/secret
chown 33:34 tree/secret
chmod 600 tree/secret
tar -C tree -cf tree.tar .

cat >inside.sh <<'END_INSIDE'
. "$SHALE_CASES/lib.sh"
unset SHALE_STORE XDG_DATA_HOME
as() {
  setpriv --reuid "$1" --regid "$1" --clear-groups -- sh -c "$2"
}
mkdir mnt
same "the name is told" "$(shale mount --edit app "$PWD/mnt")" app-1
same "owners" "$(stat -c %u:%g mnt/mine mnt/secret | paste -s -d ' ')" "0:0 33:34"
same "as its owner" "$(as 33 'cat mnt/secret')" secret
[ "$(status_of as 35 'cat mnt/secret')" -ne 0 ] || fail "another can read it"
[ "$(status_of as 33 'echo x >>mnt/mine')" -ne 0 ] || fail "another can write it"
as 33 'echo more >>mnt/secret'
chown 1234:60000 mnt/mine
mkdir -m 1777 mnt/tmp
as 777 'mkdir mnt/tmp/dir && echo his >mnt/tmp/dir/file'
chmod 4755 mnt/tmp/dir/file
[ "$(status_of chown 65537 mnt/mine)" -ne 0 ] || fail "an id that is not his"
kill_server mnt
same "owners" "$(stat -c %u:%g mnt/mine mnt/tmp/dir/file | paste -s -d ' ')" "1234:60000 777:777"
shale commit -q -t live app-1 >live
shale umount mnt
shale mount --edit --session app-1 "$PWD/mnt" >/dev/null
same "resumed" "$(stat -c %u:%g:%a mnt/mine mnt/tmp/dir/file | paste -s -d ' ')" "1234:60000:644 777:777:4755"
shale umount mnt
END_INSIDE
as_user shale import -q -t app rootfs:tree.tar >/dev/null
as_user shale unshare sh inside.sh 2>err || fail "$(cat err)"

as_user shale commit -q -t new app-1 >digest
same "the commit of the mounted session" "$(cat live)" "$(cat digest)"
same "ids in the image" "$(as_user shale ls -R --json new >ls.json && json ls.json \
  "' '.join('%s %d:%d %s' % (f['path'], f['uid'], f['gid'], f['mode']) for f in d if f['type'] == '-')")" \
  "/mine 1234:60000 0644 /secret 33:34 0600 /tmp/dir/file 777:777 4755"
same "content" "$(as_user shale cat new /secret | paste -s -d ' ')" "secret more"
expect 1 "*only root can edit*" as_user shale mount --edit app "$PWD/mnt"
same "owners in the store" "$(find .local/share/shale -printf '%u:%g\n' | sort -u)" alice:alice
