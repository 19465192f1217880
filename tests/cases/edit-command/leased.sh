#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The commit has a lease of what it makes until the names are set: the end of the mount does not take it away.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_CASES/edit-command/lib.sh"

edit_image
# Holds the names of images, so that the commit has to wait with all its blobs written.
cat >hold.py <<'EOF'
import fcntl, os, sys, time
with open(sys.argv[1], "r+") as f:
    fcntl.flock(f, fcntl.LOCK_EX)
    open("held", "w").close()
    while not os.path.exists("go"):
        time.sleep(0.02)
EOF

shale edit app -t late -- sh -c "echo new >x; cd $PWD; python3 hold.py $SHALE_STORE/shale/lock >/dev/null 2>&1 &
  until [ -e $PWD/held ]; do sleep 0.02; done" >out 2>errors &
editor=$!
is_waiting() {
  [ -e held ] && is_clean && [ "$(find "$SHALE_STORE/blobs" -type f | wc -l)" -ge 6 ]
}
wait_for is_waiting
cat "$SHALE_STORE"/shale/leases/* >leases
find "$SHALE_STORE/blobs" -type f -newer held -printf '%f\n' >made
touch go
wait "$editor" || fail "it ended with $?: $(cat errors)"
same "blobs that it made" "$(wc -l <made)" 3
while read -r blob; do
  grep -q "$blob" leases || fail "blob $blob is not leased"
done <made
same "content" "$(shale cat late /x)" new
no_trace
