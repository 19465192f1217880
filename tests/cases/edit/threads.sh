#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Eight processes at once in one directory of an edit mount: nothing is lost, doubled or torn, whatever their order; also
# while the process that answers is killed.
# NEEDS: root fuse
# TIMEOUT: 180
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

seconds=4
kills=3
if [ -n "${SHALE_FULL:-}" ]; then
  seconds=80
  kills=60
fi
seed=$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')
echo "seed $seed"

small_image app >/dev/null
mkdir mnt
shale mount --edit --session work app "$PWD/mnt" >/dev/null
mkdir mnt/scenes
stress() {
  python3 "$SHALE_SOURCE/tests/support/stress.py" mnt/scenes --threads 8 --seconds "$seconds" --seed "$1" >out 2>&1
}
stress "$seed" || fail "$(cat out)"

stress "$((seed + 1))" &
programs=$!
for _ in $(seq "$kills"); do
  is_gone "$programs" && break
  kill_server mnt
done
wait "$programs" || fail "while workers were killed: $(cat out)"
grep -q '^8 scenes, .* 0 failed$' out || fail "$(cat out)"
shale umount mnt
shale mount --edit --session work "$PWD/mnt" >/dev/null
rm -r mnt/scenes
shale umount mnt
same "what is left" "$(shale diff work)" ""
same "data" "$(find store/shale/sessions/*/data -type f)" ""
