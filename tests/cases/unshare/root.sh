#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Root, and who is root in such a namespace, gets a mount namespace alone.
# NEEDS: root userns setpriv newuidmap newgidmap capsh
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_CASES/unshare/users.sh"

begin_with_users "$0"
subordinate_ids alice:100000:65536
mkdir mnt
mount --make-rshared /
here=$(readlink /proc/self/ns/user /proc/self/ns/mnt)
inside=$(shale unshare sh -c 'mount -t tmpfs none mnt && : >mnt/file && ls mnt && readlink /proc/self/ns/user /proc/self/ns/mnt')
is_unmounted mnt || fail "a mount came out"
same "inside" "$(echo "$inside" | sed 3d)" "file
$(echo "$here" | head -n 1)"
[ "$(echo "$inside" | tail -n 1)" != "$(echo "$here" | tail -n 1)" ] || fail "no mount namespace"
expect 3 '' shale unshare sh -c 'exit 3'
expect 125 "shale: cannot make a mount namespace (root needs CAP_SYS_ADMIN): Operation not permitted" \
  capsh --drop=cap_sys_admin -- -c 'shale unshare true'

# Within each other.
# shellcheck disable=SC2016 # for awk
same "map" "$(as_user shale unshare shale unshare awk '{ print $1, $2, $3 }' /proc/self/uid_map)" "0 1000 1
1 100000 65536"
expect 125 "shale: cannot make a user namespace (too many, *: see user.max_user_namespaces): No space left on device" \
  as_user shale unshare sh -c 'echo 0 >/proc/sys/user/max_user_namespaces
    setpriv --reuid 7 --regid 7 --clear-groups shale unshare true'
# A user of the inside has no subordinate ids of his own: the files say what those of the outside have.
expect 0 "shale: warning: no user *: '/etc/subuid' has no line for uid 7; *
0" as_user shale unshare setpriv --reuid 7 --regid 7 --clear-groups shale unshare id -u
