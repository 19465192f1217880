#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is committed while programs write is one moment: of two files that are written one after the other, of names that
# change, of an mmap.  Files that are open and gone, and sockets, are in no image; the order of changes matters to nobody.
# NEEDS: root fuse
# TIMEOUT: 120
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image app >/dev/null
mkdir mnt
# Other cases have mounted sessions, too.
session=load-$$
shale mount --edit --session "$session" app "$PWD/mnt" >/dev/null

# Number n is in `a` before it is in `b`, which are small files (in the database) at first, and large ones (files of the
# session) then; the name of the third file is that of a number, and so is its content.
cat >writer.py <<'END_WRITER'
import os, sys
os.chdir("mnt")
at = int(sys.argv[1])
a, b = (os.open(name, os.O_RDWR | os.O_CREAT, 0o644) for name in "ab")
for fd in (a, b):
    os.pwrite(fd, b"%08d" % 0, at)
with open("name-0", "w") as f:
    f.write("%08d" % 0)
n = 0
while not os.path.exists("../stop"):
    n += 1
    os.pwrite(a, b"%08d" % n, at)
    os.pwrite(b, b"%08d" % n, at)
    with open("next", "w") as f:
        f.write("%08d" % n)
    os.rename("next", f"name-{n}")
    os.unlink(f"name-{n - 1}")
    os.symlink("x", f"link-{n % 7}") if 1 <= n % 14 <= 7 else os.unlink(f"link-{n % 7}")
END_WRITER

# number_in FILE: what the image has at the place of the number.
number_in() {
  shale cat "$digest" "$1" | tail -c 8 | sed 's/^0*\(.\)/\1/'
}

# commit_under_load PLACE
commit_under_load() {
  rm -f stop mnt/*
  python3 writer.py "$1" 2>err &
  writer=$!
  wait_for test -e mnt/name-9 -o -e mnt/name-99 -o -e mnt/b
  last=-1
  for turn in 1 2 3 4; do
    is_gone "$writer" && fail "the program has ended: $(cat err)"
    digest=$(shale commit -q -t "turn:$turn" "$session")
    a=$(number_in /a)
    b=$(number_in /b)
    [ "$b" -eq "$a" ] || [ "$b" -eq $((a - 1)) ] || fail "turn $turn: a is $a, b is $b"
    names=$(shale ls "$digest" | grep -o 'name-[0-9]*' | paste -s -d ' ')
    case "$names" in
    "name-$a" | "name-$((a - 1))" | "name-$((a - 1)) name-$a" | "name-$a name-$((a - 1))") ;;
    *) fail "turn $turn: a is $a, and the names are '$names'" ;;
    esac
    for name in $names; do
      same "turn $turn: what $name holds" "$(shale cat "$digest" "/$name")" "$(printf '%08d' "${name#name-}")"
    done
    [ "$b" -gt "$last" ] || fail "turn $turn: nothing was written since the last: $b"
    last=$b
  done
  : >stop
  wait "$writer" || fail "$(cat err)"
}
trap ': >stop' EXIT
commit_under_load 0
commit_under_load 100000

# Pages that a program has changed through a mapping, and nobody has synced; a file that is open and has no name; a socket.
cat >holder.py <<'END_HOLDER'
import mmap, os, socket, sys
with open("mnt/mapped", "wb") as f:
    f.write(b"." * 20000)
fd = os.open("mnt/mapped", os.O_RDWR)
m = mmap.mmap(fd, 20000)
m[0:5] = m[10000:10005] = b"dirty"
gone = open("mnt/gone", "w+b")
gone.write(b"x" * 100000)
gone.flush()
os.unlink("mnt/gone")
socket.socket(socket.AF_UNIX).bind("mnt/socket")
open("holds", "w").close()
sys.stdin.read()
assert gone.seek(0) == 0 and gone.read() == b"x" * 100000 and m[0:5] == b"dirty"
END_HOLDER
mkfifo input
python3 holder.py <input &
holder=$!
exec 9>input
wait_for test -e holds
shale commit -t held "$session" >digest 2>notes
grep -q "'/socket' is a socket, and left out" notes || fail "no warning: $(cat notes)"
shale cat held /mapped >mapped
same "mapped pages" "$(head -c 5 mapped)$(tail -c +10001 mapped | head -c 5)$(wc -c <mapped)" dirtydirty20000
for name in gone socket; do
  expect 8 "*" shale cat held "/$name"
done
exec 9>&-
wait "$holder" || fail "the file that is gone was lost"
shale umount mnt
shale commit -q "$session" 2>notes >again
same "the commit after it" "$(cat again)" "$(tail -1 digest)"

# Two sessions in which the same was done in other turns.
for turn in 1 2; do
  shale mount --edit --session "order-$turn" app "$PWD/mnt" >/dev/null
  if [ "$turn" = 1 ]; then
    mkdir mnt/dir
    echo one >mnt/dir/one
    echo two >mnt/dir/two
    ln mnt/dir/two mnt/three
    rm mnt/hello
  else
    rm mnt/hello
    echo other >mnt/three
    echo two >mnt/three
    mkdir mnt/other
    ln mnt/three mnt/other/two
    echo gone >mnt/other/gone
    echo one >mnt/other/first
    mv mnt/other/first mnt/other/one
    rm mnt/other/gone
    mv mnt/other mnt/dir
  fi
  shale umount mnt
  SOURCE_DATE_EPOCH=1000000000 shale commit -q "order-$turn" >"order.$turn"
done
same "digests" "$(cat order.1)" "$(cat order.2)"
