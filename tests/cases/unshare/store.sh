#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The store is the same inside and outside, with subordinate ids and without; a mount inside shows an image to nobody else.
# NEEDS: root userns setpriv newuidmap newgidmap nsenter
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_CASES/unshare/users.sh"

begin_with_users "$0"
mkdir tree
echo mine >tree/mine
echo other >tree/other
echo secret >tree/secret
chown 4242:4243 tree/other
chown 5:0 tree/secret
chmod 600 tree/secret
tar -C tree -cf tree.tar .
unset SHALE_STORE
store="$PWD/.local/share/shale"

cat >inside.sh <<'END'
. "$SHALE_CASES/lib.sh"
others=$1
unset XDG_DATA_HOME
export HOME=/nowhere
mkdir -p mnt
# What was made outside can be read and changed inside.
same "names" "$(shale images --names)" "localhost/outside:latest"
shale tag outside again
shale import -q -t inside rootfs:tree.tar >/dev/null
shale fsck --read-data >/dev/null
same "owner in the image" "$(shale ls -l inside /other | awk '{ print $3 ":" $4 }')" 4242:4243
shale mount inside "$PWD/mnt"
same "owners" "$(stat -c %u:%g mnt/mine mnt/other mnt/secret | tr '\n' ' ')" "0:0 $others "
same "content" "$(cat mnt/mine mnt/other mnt/secret)" "mine
other
secret"
[ "$(status_of sh -c 'echo x >mnt/mine')" -ne 0 ] || fail "a read-only mount can be written"
: >mounted
until [ -e looked ]; do
  sleep 0.05
done
shale umount "$PWD/mnt"
is_unmounted mnt || fail "still there"
shale mount -o allow_other inside "$PWD/mnt"
# By owner and mode, as it is asked for; what belongs to nobody is read as others may.
if [ "$others" = "4242:4243 5:0" ]; then
  same "as root" "$(cat mnt/secret)" secret
  same "as its owner" "$(setpriv --reuid 5 --regid 5 --clear-groups cat mnt/secret)" secret
  expect 1 '*Permission denied*' setpriv --reuid 6 --regid 6 --clear-groups cat mnt/secret
else
  expect 1 '*Permission denied*' cat mnt/secret
fi
same "as others" "$(cat mnt/other)" other
shale umount mnt
shale rm again
shale gc >/dev/null
END

# look_inside OTHERS: what is there of the two files that are not alice's.
look_inside() {
  rm -rf .local mounted looked expect.out
  as_user shale import -q -t outside rootfs:tree.tar >/dev/null
  as_user shale unshare sh inside.sh "$1" 2>err &
  inside=$!
  wait_for test -e mounted -o ! -e "/proc/$inside"
  [ -z "$(ls mnt)" ] || fail "the mount is seen outside"
  is_unmounted mnt || fail "the mount came out"
  : >looked
  wait "$inside" || fail "$(cat err)"
  same "names" "$(as_user shale images --names | LC_ALL=C sort | paste -s -d ' ')" \
    "localhost/inside:latest localhost/outside:latest"
  as_user shale fsck --read-data >/dev/null
  same "owners in the store" "$(find "$store" -printf '%u:%g\n' | sort -u)" alice:alice
}

subordinate_ids alice:100000:65536
look_inside "4242:4243 5:0"
subordinate_ids
look_inside "65534:65534 65534:0"

# A server that was left behind keeps the namespace, and ends by a signal.
as_user shale unshare shale mount outside "$PWD/mnt" 2>err
server=$(server_of mnt)
same "what it shows" "$(as_user nsenter --preserve-credentials -U -m -t "$server" cat "$PWD/mnt/mine")" mine
kill -TERM "$server"
wait_for is_gone "$server"

# Which one it is: of the option, of the environment, by default, also where nobody has a home.
# shellcheck disable=SC2016 # for the shell inside
printf 'cd / && printf "%%s\\n" "$SHALE_STORE"\n' >print.sh
same "--store" "$(as_user shale unshare --store here sh print.sh 2>err)" "$PWD/here"
same "SHALE_STORE" "$(as_user env SHALE_STORE=there shale unshare sh print.sh 2>err)" "$PWD/there"
same "--store first" "$(as_user env SHALE_STORE=there shale unshare --store=here sh print.sh 2>err)" "$PWD/here"
same "XDG_DATA_HOME" "$(as_user env XDG_DATA_HOME=/data shale unshare sh print.sh 2>err)" /data/shale
same "by passwd" "$(as_user env -u HOME shale unshare sh print.sh 2>err)" "$store"
same "none" "$(setpriv --reuid 4242 --regid 4242 --clear-groups env -u HOME shale unshare sh print.sh 2>err)" ""

# A store of somebody else is refused inside as it is outside, whatever he is called there.
subordinate_ids alice:100000:65536
chmod -R go+rX .local
chown -R 100004:100004 .local
expect 6 "shale: '$store' belongs to user 5, not to user 0*" as_user shale unshare shale images
chown -R 1001:1001 .local
expect 6 "shale: '$store' belongs to user 65534, not to user 0*" as_user shale unshare shale images
# One of root's may be read outside, and inside he is nobody.
chown -R 0:0 .local
expect 0 "*localhost/outside*" as_user shale images --names
expect 6 "shale: '$store' belongs to user 65534, not to user 0*" as_user shale unshare shale images --names
