#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Two stores have a session of one name: a command that is given a mountpoint means what is mounted there, and pages that
# are written through a mapping come from there, too.
# NEEDS: root fuse
# TIMEOUT: 60
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

for store in one two; do
  mkdir "mnt-$store"
  SHALE_STORE=$PWD/$store small_image app >/dev/null
  same "the session" "$(shale mount --store "$PWD/$store" --edit --session work app "$PWD/mnt-$store")" work
  echo "$store" >"mnt-$store/$store"
done
same "what is changed" "$(shale diff --store "$PWD/two" mnt-two)" "A /two"
expect 8 "*session*" shale diff --store "$PWD/two" mnt-one

# The mapping stays, and nobody syncs it.
head -c 8192 /dev/zero >mnt-two/mapped
python3 - mnt-two/mapped <<'END_MAP' &
import mmap, os, sys, time
fd = os.open(sys.argv[1], os.O_RDWR)
with mmap.mmap(fd, 8192) as m:
    m[0:6] = b"mapped"
    open("is-mapped", "x").close()
    while not os.path.exists("ended"):
        time.sleep(0.01)
END_MAP
wait_for test -e is-mapped
shale commit --store "$PWD/two" -q -t app:2 work >/dev/null
touch ended
wait "$!"
same "what the commit has" "$(shale cat --store "$PWD/two" app:2 /mapped | head -c 6)" mapped
shale umount mnt-one
shale umount mnt-two
