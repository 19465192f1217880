#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A user is root over his own id and his subordinate ids, as podman has them, and has outside what he had before.
# NEEDS: root userns setpriv newuidmap newgidmap podman
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_CASES/unshare/users.sh"

begin_with_users "$0"
subordinate_ids bob:100000:65536 alice:300000:65536 nonsense 1000:200000:10 alice:199990:15 alice:x:1 alice:0:5
printf 'alice:400000:1000\n' >subgid
cat >inside.sh <<'END_INSIDE'
. "$SHALE_CASES/lib.sh"
. "$SHALE_CASES/unshare/users.sh"
same "who" "$(id -u):$(id -g)" 0:0
same "uids" "$(map /proc/self/uid_map)" "0 1000 1
1 199990 15
16 200005 5
21 300000 65536"
same "gids" "$(map /proc/self/gid_map)" "0 1000 1
1 400000 1000"
touch mine own other last
chown 1:1000 other
chown 65556:1 last
[ "$(status_of chown 65557 mine)" -ne 0 ] || fail "an id that is not mapped"
same "inside" "$(stat -c %u:%g mine own other last)" "0:0
0:0
1:1000
65556:1"
# Ids are changed to, and groups given up, as root may.
same "as another" "$(setpriv --reuid 7 --regid 8 --groups 9,10 sh -c 'echo $(id -u; id -g; id -G)')" "7 8 8 9 10"
setpriv --reuid 1 --regid 1000 --clear-groups sh -c 'echo x >>other'
expect 2 '*Permission denied*' setpriv --reuid 2 --regid 2 --clear-groups sh -c 'cd / && echo x >"$1"' - "$PWD/other"
# What is root's outside is nobody's.
[ "$(status_of chown 0 /etc/hostname)" -ne 0 ] || fail "chown of root's file"
[ "$(status_of sh -c ': >/etc/passwd')" -ne 0 ] || fail "root's file can be written"
same "owner of /" "$(stat -c %u:%g /)" 65534:65534
END_INSIDE
expect 0 '' as_user shale unshare true
rm expect.out
as_user shale unshare sh inside.sh
same "outside" "$(stat -c %u:%g mine own other last)" "1000:1000
1000:1000
199990:400999
365535:400000"

# Its mounts are its own.
as_user shale unshare sh -c 'mkdir mnt && mount -t tmpfs none mnt && : >mnt/file && [ -e mnt/file ]'
[ ! -e mnt/file ] || fail "a mount came out"

# shellcheck disable=SC2016 # for the other shell
# It is the process that was started: its number, its end, its signals.
setpriv --reuid 1000 --regid 1000 --clear-groups -- shale unshare sh -c 'echo $$ >number' &
process=$!
wait "$process"
same "process" "$(cat number)" "$process"
setpriv --reuid 1000 --regid 1000 --clear-groups -- shale unshare sh -c 'echo $$ >number; exec sleep 60' &
process=$!
wait_for grep -qx "$process" number
status=0
kill -TERM "$process"
wait "$process" || status=$?
same "killed" "$status" 143

# As podman has it; the process that it leaves behind is not wanted.
subordinate_ids alice:300000:65536 alice:200000:10
mkdir run
chown 1000:1000 run
export XDG_RUNTIME_DIR="$PWD/run"
as_user podman unshare cat /proc/self/uid_map /proc/self/gid_map >podman.map 2>err || fail "$(cat err)"
as_user shale unshare cat /proc/self/uid_map /proc/self/gid_map >shale.map
kill -KILL "$(cat run/libpod/tmp/pause.pid)"
diff -u podman.map shale.map >&2 || fail "podman has other ids"
