#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What keeps a normal user from mounting is told by its name: the device, the program, the mountpoint, the configuration.
# NEEDS: root fuse setpriv fusermount3 unshare
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

# Not those of the machine.
if [ "${1-}" != inside ]; then
  exec unshare -m sh "$0" inside
fi
mknod -m 666 fuse c 10 229
mknod -m 600 closed c 10 229
printf '# user_allow_other\n' >deny.conf
printf ' user_allow_other # for all\n' >allow.conf
[ -e /etc/fuse.conf ] || : >/etc/fuse.conf
mount --bind deny.conf /etc/fuse.conf

mkdir -p user/mnt user/sticky roots
chmod 1777 user/sticky
chown 1000:1000 user user/mnt
export SHALE_STORE="$PWD/user/store"
echo hello >user/hello
printf 'FROM scratch\nCOPY hello /\n' | as_user shale build -q -f - -t app user >/dev/null

mount --bind closed /dev/fuse
expect 1 "shale: cannot open /dev/fuse: Permission denied" as_user shale mount app user/mnt
umount /dev/fuse
mount --bind fuse /dev/fuse
expect 1 "shale: cannot mount at 'roots': a user needs write access to it: Permission denied" as_user shale mount app roots
expect 1 "shale: cannot mount at 'user/sticky': it is sticky and not yours: *" as_user shale mount app user/sticky
expect 1 "shale: mount option allow_other: *user_allow_other: Operation not permitted" as_user shale mount -o allow_other app user/mnt
expect 8 "shale: cannot run fusermount3 (is the package fuse3 installed?): *" \
  as_user env PATH="$PWD" "$(command -v shale)" mount app user/mnt
mkdir fake
# shellcheck disable=SC2016 # for the other shell
while IFS='|' read -r body message; do
  printf '#!/bin/sh\n%s\n' "$body" >fake/fusermount3
  chmod 755 fake fake/fusermount3
  expect 1 "shale: $message" as_user env PATH="$PWD/fake:$PATH" "$(command -v shale)" mount app user/mnt
done <<'END'
exit 1|cannot mount at '*/user/mnt': fusermount3 failed: Operation not permitted
exit 0|cannot mount at '*/user/mnt': fusermount3 gave no descriptor: Protocol error
kill -9 $PPID|the server of '*/user/mnt' died before it mounted: No such process
END
expect 8 "shale: cannot mount at 'user/none': No such file or directory" as_user shale mount app user/none

mount --bind allow.conf /etc/fuse.conf
as_user shale mount -o allow_other app user/mnt
same "for others" "$(cat user/mnt/hello)" hello
as_user shale umount user/mnt
mkdir empty
mount --bind empty /dev
expect 8 "shale: cannot open /dev/fuse (is the kernel's module fuse loaded?): *" as_user shale mount app user/mnt
