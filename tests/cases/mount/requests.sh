#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the kernel knows it does not ask again: a second walk with stat, reading, links and names that are not there costs
# not one request; and the first one asks by directory, not by file.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context/deep/er mnt
for i in $(seq 400); do
  echo "$i" >"context/file$i"
  ln -s "file$i" "context/link$i"
done
seq 1000 >context/deep/er/numbers
printf 'FROM scratch\nCOPY . /\n' | build_text app context >/dev/null
shale mount app "$PWD/mnt"
server=$(server_of mnt)

# asked: how often the server has read something, which is at least once for a request.
asked() {
  awk '/^syscr:/ { print $2 }' "/proc/$server/io"
}

# Names of files, of links, and of what is not there: the search path of a shell, of ld.so(8), of an interpreter.
everything() {
  ls -lR mnt
  xargs -a files cat
  xargs -a files stat -c '%n %s %Y %i'
  xargs -a links readlink
  xargs -a absent ls 2>&1 || true
}

before=$(asked)
find mnt -printf '%p %y %m %s %T@\n' >walk
cold=$(($(asked) - before))
# Three for each directory, and some for the names that do not fit into one answer: these come with their attributes.
[ "$cold" -ge 3 ] || fail "$cold requests for a first walk: nothing is counted"
[ "$cold" -le 30 ] || fail "$cold requests for a first walk of 3 directories and 800 names"

awk '$2 == "f" { print $1 }' walk >files
awk '$2 == "l" { print $1 }' walk >links
seq -f 'mnt/deep/none%g' 50 >absent
everything >first
# Under pressure the kernel may forget between two rounds; not in all of them.
for _ in 1 2 3 4 5; do
  before=$(asked)
  everything >again
  warm=$(($(asked) - before))
  cmp again first
  before=$(asked)
  find mnt -printf '%p %y %m %s %T@\n' >again
  found=$(($(asked) - before))
  cmp again walk
  [ "$warm $found" != "0 1" ] || break
done
same "requests of a warm round" "$warm" 0
# It asks what file system this is, which the kernel never keeps.
same "requests of a warm find" "$found" 1
shale umount mnt
