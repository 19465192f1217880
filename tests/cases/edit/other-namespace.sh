#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A session that is mounted in another mount namespace: what programs have mapped there is written back before it is read from
# here, and where that cannot be done the command says so; who has to wait for another command is told.
# NEEDS: root fuse unshare
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image app >/dev/null
mkdir mnt
cat >holder.py <<'END_HOLDER'
import mmap, os, sys
with open("mnt/mapped", "wb") as f:
    f.write(b"." * 20000)
fd = os.open("mnt/mapped", os.O_RDWR)
m = mmap.mmap(fd, 20000)
m[10000:10005] = b"dirty"
open("holds", "w").close()
sys.stdin.read()
END_HOLDER
cat >inside.sh <<'END_INSIDE'
set -eu
shale mount --edit --session work app "$PWD/mnt" >/dev/null
seq 100000 >mnt/text
python3 holder.py
shale umount mnt
END_INSIDE
mkfifo input
unshare --mount --propagation private sh inside.sh <input 2>err &
inside=$!
exec 9>input
wait_for test -e holds

same "the mount is not to be seen here" "$(ls mnt)" ""
shale commit -q -t new work >digest 2>notes || fail "$(cat notes)"
shale cat new /mapped >mapped
same "mapped pages" "$(tail -c +10001 mapped | head -c 5)$(wc -c <mapped)" dirty20000
# Neither the mount nor who serves it.
expect 9 "*cannot write back what programs have mapped in session 'work'*run this command where it is mounted*" \
  unshare --mount --pid --fork --mount-proc shale commit -q work

# The first holds the session for as long as nobody reads what it prints.
mkfifo lines
shale diff --patch work >lines &
first=$!
exec 8<lines
head -c 1 <&8 >/dev/null
(sleep 2.5 && exec cat <&8 >/dev/null) &
exec 8<&-
expect 0 "*waiting for another command that reads the session*" shale diff work
wait "$first"

exec 9>&-
wait "$inside" || fail "$(cat err)"
