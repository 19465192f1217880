#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cat prints files as they are, several in order, follows links inside the image, and prints no directory.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p tree/dir
head -c 3000000 /dev/urandom >tree/random
truncate -s 1M tree/sparse
printf x >>tree/sparse
: >tree/empty
printf one >tree/dir/one
ln -s ../../../../dir/one tree/dir/up
ln -s /etc/hostname tree/outside
ln -s loop tree/loop
mkfifo tree/fifo
shale import -t app dir:tree >/dev/null

shale cat app /random | cmp - tree/random
shale cat app random sparse /dir/one | cmp - "$(cat tree/random tree/sparse tree/dir/one >all && echo all)"
same "an empty file" "$(shale cat app /empty)" ""
same "a link beyond the root" "$(shale cat app /dir/up)" one
expect 8 "*no file '/outside' in the image" shale cat app /outside
expect 8 "*no file '/dir/none' in the image" shale cat app /dir/none
expect 8 "*" shale cat app /random/below
expect 2 "shale: '/dir' is a directory (shale ls lists it)" shale cat app /dir
expect 2 "shale: '/' is a directory (shale ls lists it)" shale cat app /
expect 2 "shale: '/fifo' is no regular file" shale cat app /fifo
expect 3 "*'/loop' leads through more than 40 symlinks" shale cat app /loop
