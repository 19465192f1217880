#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Whatever a power failure takes of what an edit session had not synced, in whichever order the disk wrote: the session opens,
# is as it was at one moment that is not older than the last sync, can be used, and has no litter; also when it was killed
# before, and when the power fails again after that.  Every disk that can be left of six random lives with --full, else some
# of one.  SEEDS="7 8" in the environment chooses other lives.
# NEEDS: root strace setfattr
# TIMEOUT: 600
# SANITIZERS: no
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

# Names are those that random changes give, so that they meet: n0 to n8.
mkdir -p rootfs/n0/n1 rootfs/n1/n0
python3 - <<'END'
import random
lot = random.Random(5)
for path, size in ("n2", 61000), ("n0/n1/n2", 9000), ("n3", 4096):
    with open(f"rootfs/{path}", "wb") as f:
        f.write(lot.randbytes(size))
END
head -c 20000 /dev/zero >rootfs/n1/n4
ln rootfs/n0/n1/n2 rootfs/n0/n3
ln -s target rootfs/n0/n1/n3
echo text >rootfs/n0/n2
setfattr -n user.one -v a rootfs/n0/n2
shale import -q --workers 0 -t app dir:rootfs >/dev/null

# looked_at FOLDER: what is left of the session, as the commands of a user find it.
looked_at() {
  make_session app work >/dev/null
  cp -a "$1"/. "$SHALE_STORE"/shale/sessions/*/
  expect 0 "*: 0 errors*" shale fsck
  expect 0 "*" shale diff work
  expect 0 "*" shale session export work exported.tar
  expect 0 "*" tar tf exported.tar
  expect 0 "*" shale session rm work
}

if [ -n "${SHALE_FULL:-}" ]; then
  : "${SEEDS:=1 2 3 4 5 6}"
  set -- --ops 30
else
  : "${SEEDS:=1}"
  set -- --samples 150
fi
for seed in $SEEDS; do
  for how in "" --beside; do
    "$SHALE_SOURCE/tests/support/power_session.py" --seed "$seed" ${how:+"$how"} "$@" app
    looked_at pristine1
    looked_at pristine2
  done
done
