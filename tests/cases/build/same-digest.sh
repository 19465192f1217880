#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One manifest and context give one digest, as any user, whatever umask, zone, language, workers, times and order of files.
# NEEDS: root
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

# make_context DIR NAME...: makes the same files in this order.
make_context() {
  dir=$1
  shift
  mkdir -p "$dir"
  for name in "$@"; do
    mkdir -p "$dir/src/$name.d/sub"
    seq "$name" 30000 >"$dir/src/$name"
    echo "$name" >"$dir/src/$name.d/sub/file"
    ln -s "../$name" "$dir/src/$name.d/link"
  done
  chmod 755 "$dir/src/3"
  printf 'FROM scratch\nENV A=1\nWORKDIR /srv/work\nCOPY --chown=5 src ./\nCOPY src/[12]* /few/\nCMD ["/x"]\n' >"$dir/Dockerfile"
}
make_context one 1 2 3 4 5 6 7 8 9
want=$(shale build -q one)
# check WHAT COMMAND...: prints the same digest, from a store of its own.
check() {
  what=$1
  shift
  rm -rf other
  same "$what" "$("$@")" "$want"
}
check "again" shale build -q --store other one
for workers in 0 1 2 5; do
  check "$workers workers" shale build -q --store other --workers "$workers" one
done
check "zone" env TZ=Asia/Kathmandu shale build -q --store other one
check "language" env LC_ALL=tr_TR.UTF-8 LANG=de_DE shale build -q --store other one
check "umask" sh -c 'umask 077 && shale build -q --store other one'
(umask 027 && make_context two 9 1 8 2 7 3 6 4 5)
chmod 755 two/src/3
find two -exec touch -h -d '2001-01-01' {} +
chown -R 1000:1000 two
check "order, times, owners and modes" shale build -q --store other two
mkdir user
chown 1000:1000 user
check "another user" as_user shale build -q --store user/store two
mkdir tmpfs
mount -t tmpfs none tmpfs
cp -r one tmpfs/
check "another file system" shale build -q --store tmpfs/store tmpfs/one
umount tmpfs
