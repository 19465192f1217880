#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Without subordinate ids, or without the helpers, a user has his own ids, and is told why and what to do.
# NEEDS: root userns setpriv newuidmap newgidmap usermod
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_CASES/unshare/users.sh"

begin_with_users "$0"
none="shale: warning: no user and no group but your own is known, and chown to others fails: "

# warns TEXT [COMMAND...]: as alice, or by COMMAND, a command of the inside runs behind exactly this warning.
warns() {
  warns_text=$1
  shift
  [ $# -gt 0 ] || set -- as_user
  [ "$(status_of "$@" shale unshare sh -c 'id -u; exit 7')" -eq 7 ] || fail "$(cat expect.out)"
  same "output" "$(cat expect.out)" "$warns_text
0"
}

cat >inside.sh <<'END'
. "$SHALE_CASES/lib.sh"
. "$SHALE_CASES/unshare/users.sh"
same "uids" "$(map /proc/self/uid_map)" "0 1000 1"
same "gids" "$(map /proc/self/gid_map)" "0 1000 1"
same "setgroups" "$(cat /proc/self/setgroups)" deny
mkdir mnt
mount -t tmpfs none mnt
touch mnt/file
same "owner" "$(stat -c %u:%g mnt/file)" 0:0
[ "$(status_of chown 1 mnt/file)" -ne 0 ] || fail "an id that is not mapped"
END
as_user shale unshare sh inside.sh 2>err || fail "$(cat err)"
rm expect.out

# What usermod is told to do, so that nobody gets what another has.
subordinate_ids bob:100000:65536 carol:300000:65536
advice="(root can mend it: usermod --add-subuids 365536-431071 --add-subgids 365536-431071 alice)"
warns "$none'/etc/subuid' has no line for 'alice'; '/etc/subgid' has no line for 'alice' $advice"
mkdir -p prefix/etc
cp passwd group subuid subgid prefix/etc
echo 'alice:!:19000::::::' >prefix/etc/shadow
usermod --prefix "$PWD/prefix" --add-subuids 365536-431071 --add-subgids 365536-431071 alice
same "what usermod adds" "$(tail -q -n 1 prefix/etc/subuid prefix/etc/subgid)" "alice:365536:65536
alice:365536:65536"
cat prefix/etc/subuid >subuid
cat prefix/etc/subgid >subgid
expect 0 '0' as_user shale unshare id -u

# One of the two.
: >subgid
warns "shale: warning: no group but your own is known, and chown to others fails: \
'/etc/subgid' has no line for 'alice' (root can mend it: usermod --add-subgids 100000-165535 alice)"
expect 0 "*
1
deny" as_user shale unshare sh -c 'touch file && chown 1 file && stat -c %u file && cat /proc/self/setgroups'

# Lines that are none, a file that cannot be read or is too long, more ranges than there may be.
subordinate_ids 'bob:1:1' 'alice:100000:-5'
warns "${none}line 2 of '/etc/subuid' is not NAME:START:COUNT; line 2 of '/etc/subgid' is not NAME:START:COUNT"
for number in $(seq 341); do
  echo "alice:$((100000 + 2 * number)):1"
done >subuid
cat subuid >subgid
warns "$none'/etc/subuid': more than 340 ranges of one user; '/etc/subgid': more than 340 ranges of one user"
subordinate_ids alice:100000:65536
chmod 600 subuid
warns "shale: warning: no user but your own is known, and chown to others fails: \
cannot open '/etc/subuid': Permission denied"
truncate -s 17M subuid
chmod 644 subuid
warns "shale: warning: no user but your own is known, and chown to others fails: \
'/etc/subuid': more than 16777216 bytes"

# The helpers: not there; without privileges; for a group that is not the user's; for whom they do not know.
subordinate_ids alice:100000:65536 4242:200000:65536
mkdir bin
for program in shale sh id; do
  ln -s "$(command -v "$program")" bin
done
# A folder that cannot be searched, which the system tells instead of the lack.
mkdir -m 700 closed
for path in "$PWD/bin" "$PWD/closed:$PWD/bin"; do
  warns "${none}'newuidmap' cannot be run (is the package uidmap installed?); \
'newgidmap' cannot be run (is the package uidmap installed?)" \
    setpriv --reuid 1000 --regid 1000 --clear-groups env PATH="$path"
done
# They say why themselves.
fails="$none'newuidmap' failed; 'newgidmap' failed"
expect 0 "newuidmap: *newgidmap: *$fails
0" setpriv --reuid 1000 --regid 1000 --clear-groups --no-new-privs shale unshare id -u
expect 0 "newuidmap: *newgidmap: *$fails
0" setpriv --reuid 1000 --regid 1001 --clear-groups shale unshare id -u
expect 0 "newuidmap: *newgidmap: *$fails
0" setpriv --reuid 4242 --regid 4242 --clear-groups shale unshare id -u
