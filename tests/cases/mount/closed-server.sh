#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Nobody but root looks into a server, nothing of it is passed on to programs, and a root file system in a mount runs.
# NEEDS: root fuse setpriv fusermount3 busybox chroot
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

open_fuse_device "$0"
mkdir -p tree/bin tree/proc user
cp "$(command -v busybox)" tree/bin/busybox
ldd tree/bin/busybox >/dev/null 2>&1 && skip "busybox is not static"
echo inside >tree/file
chown 1000:1000 user
export SHALE_STORE="$PWD/user/store"
as_user shale import -q -t app dir:tree >/dev/null
as_user mkdir user/mnt
as_user shale mount app "$PWD/user/mnt"
for server in $(server_of user/mnt) $(supervisor_of user/mnt); do
  same "who serves" "$(awk '/^Uid:/ { print $2 }' "/proc/$server/status")" 1000
  same "who may debug it" "$(stat -c %u "/proc/$server/mem")" 0
  for what in mem environ maps fd/0; do
    [ "$(status_of as_user head -c 1 "/proc/$server/$what")" -ne 0 ] || fail "its user reads $what"
  done
  for fd in "/proc/$server/fd"/*; do
    number=${fd##*/}
    [ "$number" -gt 2 ] || continue
    flags=$(awk '/^flags:/ { print $2 }' "/proc/$server/fdinfo/$number")
    [ $((0$flags & 02000000)) -ne 0 ] || fail "descriptor $number, $(readlink "$fd"), is passed on"
  done
done
as_user shale umount user/mnt

runs_from_the_mount() {
  case $(readlink "/proc/$inside/exe") in
  */mnt/bin/busybox) ;;
  *) return 1 ;;
  esac
}

# As root, who can go in.
export SHALE_STORE="$PWD/store"
shale import -q -t app dir:tree >/dev/null
mkdir mnt
shale mount app "$PWD/mnt"
same "in the mount" "$(chroot mnt /bin/busybox cat /file)" inside
chroot mnt /bin/busybox sleep 100 &
inside=$!
wait_for runs_from_the_mount
expect 9 '*in use*' shale umount mnt
kill "$inside"
wait "$inside" || true
shale umount mnt
