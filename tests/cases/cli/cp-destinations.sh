#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cp replaces no device, FIFO or link that is its destination: it writes into it, follows it, or refuses it.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p tree/dir sub
printf new >tree/file
truncate -s 1M tree/sparse
printf end >>tree/sparse
ln -s file tree/link
shale import -t app dir:tree >/dev/null

# A link to a file: the file is replaced, the link stays.
printf old >sub/target
ln -s sub/target to-file
shale cp app:/file to-file
[ -L to-file ] || fail "the link was replaced"
same "the file behind a link" "$(cat sub/target)" new
ln -s to-file to-link
printf old >sub/target
shale cp app:/file to-link
[ -L to-link ] || fail "the outer link was replaced"
[ -L to-file ] || fail "the inner link was replaced"
same "the file behind two links" "$(cat sub/target)" new
ln -s sub to-dir
shale cp app:/file to-dir
same "a file in the directory behind a link" "$(cat sub/file)" new
[ -L to-dir ] || fail "the link to a directory was replaced"

# One that leads to nothing, or in circles.
ln -s sub/none dangling
expect 9 "shale: 'dangling' is a link that leads to nothing" shale cp app:/file dangling
expect 9 "shale: 'dangling' is a link that leads to nothing" shale cp app:/dir dangling
[ -L dangling ] || fail "the dangling link was replaced"
[ ! -e sub/none ] || fail "a file was made through a dangling link"
shale cp app:/link dangling
same "a link in place of a link" "$(readlink dangling)" file
ln -s loop loop
expect 1 "shale: cannot open 'loop': *" shale cp app:/file loop

# A FIFO and what standard output is are written into.
mkfifo fifo
cat fifo >got &
shale cp app:/sparse fifo
wait
cmp tree/sparse got
[ -p fifo ] || fail "the FIFO was replaced"
shale cp -q app:/sparse /dev/stdout | cmp - tree/sparse
printf 'before ' >out
shale cp -q app:/file /dev/stdout >>out
same "standard output that is a file" "$(cat out)" "before new"
if mknod null c 1 3 2>/dev/null; then
  ln -s null to-null
  shale cp app:/file to-null
  shale cp app:/file null
  [ -L to-null ] || fail "a link to a device was replaced"
  [ -c null ] || fail "a device was replaced"
fi
expect 9 "shale: 'fifo' is a file, and the source a directory" shale cp app:/dir fifo
expect 9 "shale: 'fifo' can only take what a regular file holds" shale cp app:/link fifo

python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
expect 9 "shale: 'socket' is a block device or a socket" shale cp app:/file socket
[ -S socket ] || fail "the socket was replaced"
if mknod block b 7 200 2>/dev/null; then
  expect 9 "shale: 'block' is a block device or a socket" shale cp app:/file block
  [ -b block ] || fail "the block device was replaced"
fi

expect 2 "shale: '-' is no destination: shale cat prints a file (./- is a file of that name)" shale cp app:/file -
[ ! -e ./- ] || fail "a file '-' was made"
shale cp app:/file ./-
same "a file '-'" "$(cat ./-)" new

# A name in the image does not replace them either.
mkdir into
mkfifo into/file
expect 9 "shale: *'file'*a device, FIFO or socket is in the way*" shale cp app:/file into
expect 9 "shale: *a device, FIFO or socket is in the way*" shale cp app:/. into
[ -p into/file ] || fail "a FIFO in the destination was replaced"
same "names in the destination" "$(find into -name '.*' | wc -l)" 0
