#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A name that happens to begin another session's id makes a session of that name, and never takes, commits or removes the
# other.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image app >/dev/null
mkdir mnt mnt2
shale mount --edit --session other app "$PWD/mnt" >/dev/null
echo other >mnt/hello
id=$(basename "$PWD"/store/shale/sessions/*)
first=$(printf %.1s "$id")
two=$(printf %.2s "$id")

# Also while the other is in use.
same "the name" "$(shale mount --edit --session "$two" app "$PWD/mnt2")" "$two"
same "its file" "$(cat mnt2/hello)" hello
shale umount mnt2
shale umount mnt
same "the name" "$(shale mount --edit --session "$first" app "$PWD/mnt")" "$first"
same "its file" "$(cat mnt/hello)" hello
shale umount mnt
same "sessions" "$(shale sessions -q | sort | paste -s -d ' ')" "$(printf '%s\n' "$first" "$two" other | sort | paste -s -d ' ')"

# It is resumed by its name or id as it is, and without an image by the start of that.
shale session rm "$first" "$two" >/dev/null
for name in other "$id"; do
  same "the name" "$(shale mount --edit --session "$name" app "$PWD/mnt")" other
  same "its file" "$(cat mnt/hello)" other
  shale umount mnt
done
same "the name" "$(shale mount --edit --session "$first" "$PWD/mnt")" other
shale umount mnt

# A mount that fails removes what it made alone.
mkdir full
: >full/file
expect 9 "*is not empty*" shale mount --edit --session "$first" app full
same "sessions" "$(shale sessions -q)" other

# An edit whose command removes its session: nothing is committed, and the other stays.
for status in 0 1; do
  # shellcheck disable=SC2016 # for the other shell
  expect "$([ "$status" = 0 ] && echo 125 || echo "$status")" "*" \
    shale edit --session "$first" -t new app -- sh -c \
    'cd / && shale umount "$SHALE_MOUNT" && shale session rm "$SHALE_SESSION" >/dev/null && exit '"$status"
  [ "$status" != 0 ] || grep -qx "shale: nothing is committed: the session '$first' was removed while COMMAND ran" \
    expect.out || fail "it is not said: $(cat expect.out)"
  same "sessions" "$(shale sessions -q)" other
done
expect 8 "*" shale inspect new
shale mount --edit --session other "$PWD/mnt" >/dev/null
same "its file" "$(cat mnt/hello)" other
shale umount mnt
