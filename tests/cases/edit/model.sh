#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Random operations on an edit mount and on a directory: each has the same result, and the trees are the same; also while
# the process that answers is killed every now and then, and when the session is resumed.
# NEEDS: root fuse getfattr
# SANITIZERS: first
# TIMEOUT: 300
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

operations=2000
[ -z "${SHALE_FULL:-}" ] || operations=200000
seed=$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')
echo "seed $seed"

mkdir tree mnt
python3 "$SHALE_SOURCE/tests/support/model.py" --populate tree >/dev/null
shale import -q -t app dir:tree >/dev/null

# What is done to the mount, in between: here and by the model.
cat >control.sh <<'END_CONTROL'
set -eu
. "$SHALE_CASES/lib.sh"
case "$1" in
mount) shale mount --edit --session work -o dev,suid app "$PWD/mnt" >/dev/null ;;
kill) kill_server mnt ;;
again)
  shale umount mnt
  wait_for is_unmounted mnt
  shale mount --edit --session work -o dev,suid app "$PWD/mnt" >/dev/null
  ;;
crash)
  kill_mount mnt
  shale umount mnt
  shale mount --edit --session work -o dev,suid app "$PWD/mnt" >/dev/null
  ;;
esac
END_CONTROL

# all_but_times DIR: of names with a newline, lines that begin alike were in the order of their times.
all_but_times() {
  listing "$1" | cut -d '|' -f 1-5,7- | LC_ALL=C sort
  xattrs "$1"
  contents "$1"
}

# compare SEED OPTION...: a tree and a new session over its image.
compare() {
  compare_seed=$1
  shift
  cp -a tree plain
  sh control.sh mount
  python3 "$SHALE_SOURCE/tests/support/model.py" plain mnt --ops "$operations" --seed "$compare_seed" \
    --compare-every $((operations / 4)) --tolerate EOPNOTSUPP --without chown_nothing,user_writes "$@" >out 2>&1 ||
    fail "$(cat out)"
  for compare_how in again crash; do
    sh control.sh "$compare_how"
    all_but_times plain >want
    all_but_times mnt >got
    diff -u want got >&2 || fail "the trees differ after '$compare_how' (seed $compare_seed)"
  done
  shale umount mnt
  expect 0 "*0 errors*" shale fsck
  shale session rm work >/dev/null
  rm -r plain
}

compare "$seed"
operations=$((operations / 2))
in_between() {
  echo "cd '$PWD' && sh control.sh $1"
}
compare "$((seed + 1))" --disturb $((operations / 10)) "$(in_between kill)" --restart $((operations / 4)) "$(in_between again)"
compare "$((seed + 2))" --restart $((operations / 5)) "$(in_between crash)"
