#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A context that changes while it is read gives what it held, or an error; a directory that becomes a link in that moment
# leads nowhere outside; and odd trees cost no more than they should.
# NEEDS: time strace
# TIMEOUT: 180
# SANITIZERS: first
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/hostile.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/stop.sh"

canary
# Whoever runs beside the case ends with it.
trap ': >stop' EXIT
mkdir -p context/dir secrets
echo inside >context/dir/file
echo secret >secrets/file
printf 'FROM scratch\nCOPY dir/file /one\nCOPY dir /dir\nCOPY d*/f* /two/\n' >manifest

ln -s ../secrets context/link
# What a build holds that succeeds: each COPY by itself what was there, and a pattern may match nothing.
no_secrets() {
  shale cp -q race:/. got
  same "content" "$(cat got/one got/dir/file)" "$(printf 'inside\ninside')"
  [ ! -e got/two ] || same "content" "$(cat got/two/file)" inside
  same "other files" "$(find got -type f | grep -c -v -e '/one$' -e '/file$' || true)" 0
  rm -rf got
}

# The directory becomes a link out of the context, or goes, at points that are always the same.
away='mv context/dir context/away'
exchange="$away && mv context/link context/dir"
put_back() {
  [ ! -L context/dir ] || mv context/dir context/link
  mv context/away context/dir
}
expect 0 "sha256:*" shale build -q -f manifest -t race context
no_secrets
eval "$exchange"
expect 3 "*manifest:2:6: 'dir/file' leads out of the context*manifest:3:6: 'dir' leads out *" \
  shale build -q -f manifest -t refused context
put_back
# Before anything is packed the names are looked at; what was right then may not be when it is packed.
while read -r at place gone; do
  stopped 3 "*manifest:$place: 'dir/file' leads out of the context*" getdents64 "$PWD/$at" "$exchange" \
    shale build -q --no-cache -f manifest -t refused context
  put_back
  stopped 8 "*manifest:$place: $gone 'dir/file' *" getdents64 "$PWD/$at" "$away" \
    shale build -q --no-cache -f manifest -t refused context
  put_back
done <<END
context 2:1 no
context/dir 2:1 no
END
stopped 3 "*manifest:3:1: 'dir' leads out of the context*" read "$PWD/context/dir/file" "$exchange" \
  shale build -q --no-cache -f manifest -t refused context
put_back
same "names" "$(names)" localhost/race:latest

# Somebody exchanges them as fast as he can.
python3 - <<'END' &
import os
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
  shale build -q --no-cache -f manifest -t race context >out 2>&1 || got=$?
  case $got in
  0)
    built=$((built + 1))
    no_secrets
    ;;
  3) grep -q "manifest:[234]:[16]: 'd.*' leads out of the context" out || fail "beside the exchange: $(cat out)" ;;
  8)
    grep -q -e "manifest:[234]:[16]: \(no\|cannot open\) 'd.*the context" \
      -e "manifest:[234]:[16]: 'd.*of the context: what the link 'dir' leads to is missing" out ||
      fail "beside the exchange: $(cat out)"
    ;;
  *) fail "a build beside the exchange ended with $got: $(cat out)" ;;
  esac
done
: >stop
wait "$racer"
echo "$built of 60 builds beside the exchange succeeded, none with what lies outside"

# A file that grows or shrinks while it is read.
mkdir changing
printf 'FROM scratch\nCOPY big /\n' >manifest
head -c 30000000 /dev/zero >changing/big
expect 0 "sha256:*" shale build -q -f manifest -t changing changing
shale fsck --read-data -q >/dev/null
stopped 9 "*manifest:2:1: 'big': shrank while it was read*" read "$PWD/changing/big" "truncate -s 1000 changing/big" \
  shale build -q -f manifest -t refused changing
truncate -s 30000000 changing/big
stopped 9 "*manifest:2:1: 'big': grew while it was read*" read "$PWD/changing/big" "echo more >>changing/big" \
  shale build -q -f manifest -t refused changing
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
    9) grep -q "'big'.* while it was read" out || fail "a file that changes: $(cat out)" ;;
    *) fail "a build of a file that changes ended with $got: $(cat out)" ;;
    esac
  done
  : >stop
  wait "$changer"
  truncate -s 30000000 changing/big
done
same "names" "$(names | sort | paste -sd' ')" "localhost/changing:latest localhost/race:latest"

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
bounded 0 "sha256:*" shale build -q -f manifest -t deep deep
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
bounded 4 "*directories of the context nest deeper than 2048*" shale build -q -f manifest -t deeper deep
rm -rf deep

# A sparse file of more than any layer may hold, and one that fits.
mkdir sparse
truncate -s 2T sparse/big
printf 'FROM scratch\nCOPY big /\n' >manifest
bounded 4 "*big*" shale build -q -f manifest -t sparse sparse
# Patterns of many "**" over a deep tree end soon, by a limit.
mkdir deep-rules
python3 - <<'END'
import os
os.chdir("deep-rules")
with open(".dockerignore", "w") as f:
    f.write(("**/a/" * 800 + "b\n") * 250)
with open("Shalefile", "w") as f:
    f.write("FROM scratch\nCOPY . /x\n")
for _ in range(900):
    os.mkdir("a")
    os.chdir("a")
END
bounded 4 "*Shalefile:2:6: to match the patterns that leave files out takes too long*" shale build -q deep-rules
rm -rf deep-rules
canary_is_alive
