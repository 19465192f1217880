#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --key lets a session begin with a signed image only, and never lets one be resumed as if it were verified; no more does
# --platform choose in one that is there.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

make_key team
small_image good:1 >/dev/null
sign good:1
small_image evil:1 evil >/dev/null
mkdir mnt

expect 6 "*no signature*" shale mount --edit --session work --key team.pub evil:1 "$PWD/mnt"
same "sessions" "$(shale sessions -q)" ""
shale mount --edit --session work evil:1 "$PWD/mnt" >/dev/null
shale umount mnt
shale mount --edit --session signed --key team.pub good:1 "$PWD/mnt" >/dev/null
same "its file" "$(cat mnt/hello)" hello
shale umount mnt

# refused OPTION COMMAND...
refused() {
  refused_option=$1
  shift
  expect 2 "shale: option '$refused_option' is for a new session, and '*' is there (*)" "$@"
  is_unmounted mnt || fail "it is mounted"
}
refused --key shale mount --edit --session work --key team.pub "$PWD/mnt"
refused --key shale mount --edit --session work --key team.pub evil:1 "$PWD/mnt"
refused --key shale mount --edit --session work --key team.pub --identity good:1 "$PWD/mnt"
refused --key shale mount -f --edit --session work --key team.pub "$PWD/mnt"
# Neither is one that began so: what was changed since is signed by nobody.
refused --key shale mount --edit --session signed --key team.pub good:1 "$PWD/mnt"
refused --platform shale mount --edit --session work --platform linux/arm64 "$PWD/mnt"
same "sessions" "$(shale sessions -q | paste -s -d ' ')" "signed work"

# They are idle, and as they were.
shale mount --edit --session work "$PWD/mnt" >/dev/null
same "its file" "$(cat mnt/hello)" evil
shale umount mnt
