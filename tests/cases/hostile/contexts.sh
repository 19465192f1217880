#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A context that changes while it is read gives what it held, or an error; a directory that becomes a link in that moment
# leads nowhere outside; and odd trees cost no more than they should.
# NEEDS: time
# TIMEOUT: 120
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/hostile.sh"

canary
mkdir -p context/dir secrets
echo inside >context/dir/file
echo secret >secrets/file
printf 'FROM scratch\nCOPY dir/file /one\nCOPY dir /dir\nCOPY d*/f* /two/\n' >manifest

# Somebody exchanges the directory and a link out of the context, as fast as he can.
python3 - <<'END' &
import os
os.symlink("../secrets", "context/link")
while not os.path.exists("stop"):
    os.rename("context/dir", "context/away")
    os.rename("context/link", "context/dir")
    os.rename("context/dir", "context/link")
    os.rename("context/away", "context/dir")
END
racer=$!
built=0
for _ in $(seq 60); do
  got=0
  shale build -q -f manifest -t race context >out 2>&1 || got=$?
  case $got in
  0)
    built=$((built + 1))
    shale cp -q race:/. got
    ! grep -rq secret got || fail "what lies outside of the context is in the image"
    rm -rf got
    ;;
  3 | 8 | 7) ;;
  *) fail "a build beside the exchange ended with $got: $(cat out)" ;;
  esac
done
: >stop
wait "$racer"
echo "$built of 60 builds beside the exchange succeeded, none with what lies outside"

# A file that grows, shrinks, or is replaced while it is read.
mkdir changing
printf 'FROM scratch\nCOPY big /\n' >manifest
head -c 30000000 /dev/zero >changing/big
for change in 'f.truncate(1000)' 'f.seek(0, 2); f.write(b"more" * 1000)'; do
  rm -f stop
  python3 - "$change" <<'END' &
import os, sys
while not os.path.exists("stop"):
    with open("changing/big", "r+b") as f:
        exec(sys.argv[1])
    if os.path.getsize("changing/big") > 60000000:
        os.truncate("changing/big", 30000000)
END
  changer=$!
  for _ in $(seq 10); do
    got=0
    shale build -q -f manifest -t changing changing >out 2>&1 || got=$?
    case $got in
    0) shale fsck --read-data -q >/dev/null ;;
    1 | 3 | 5 | 7 | 9) grep -q "'big'.*while it was read" out || fail "a file that changes: $(cat out)" ;;
    *) fail "a build of a file that changes ended with $got: $(cat out)" ;;
    esac
  done
  : >stop
  wait "$changer"
  truncate -s 30000000 changing/big
done

# A tree that is as deep as names go, seen by its whole depth.
mkdir deep
python3 - <<'END'
import os
os.chdir("deep")
for _ in range(1900):
    os.mkdir("d")
    os.chdir("d")
open("leaf", "w").write("leaf\n")
END
printf 'FROM scratch\nCOPY . /\n' >manifest
bounded 0 "*" shale build -q -f manifest -t deep deep
bounded 0 "*" shale ls -R deep
same "depth" "$(wc -l <expect.out)" 1901
python3 - <<'END'
import os
fd = os.open("deep", os.O_RDONLY)
for _ in range(1900):
    fd = os.open("d", os.O_RDONLY, dir_fd=fd)
for _ in range(400):
    os.mkdir("d", dir_fd=fd)
    below = os.open("d", os.O_RDONLY, dir_fd=fd)
    os.close(fd)
    fd = below
END
bounded 4 "*" shale build -q -f manifest -t deeper deep
rm -rf deep

# A sparse file of more than any layer may hold, and one that fits.
mkdir sparse
truncate -s 2T sparse/big
printf 'FROM scratch\nCOPY big /\n' >manifest
bounded 4 "*big*" shale build -q -f manifest -t sparse sparse
canary_is_alive
