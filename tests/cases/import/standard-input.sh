#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A pipe is imported as a file is: what one store exports to standard output, another takes from standard input.
# NEEDS: root script
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context
seq 200000 >context/numbers
printf 'FROM scratch\nCOPY numbers /numbers\n' >manifest
want=$(shale build -q -f manifest -t app:1 context)

shale export app:1 - | shale import --store two - >digest || fail "an import from a pipe"
same "an OCI archive" "$(cat digest)" "$want"
same "its name" "$(shale images --store two --names)" localhost/app:1
same "its content" "$(shale cat --store two app:1 /numbers | sha256sum)" "$(sha256sum <context/numbers)"
shale export app:1 oci-archive:app.tar
same "compressed" "$(gzip <app.tar | shale import --store three -t x oci-archive:-)" "$want"
same "a file as standard input" "$(shale import --store four -t x oci-archive:- <app.tar)" "$want"
same "a name in it" "$(shale import --store five oci-archive:-:localhost/app:1 <app.tar)" "$want"

shale export app:1 docker-archive:app-docker.tar
same "a docker archive" "$(shale import --store six docker-archive:- <app-docker.tar)" \
  "$(shale import --store seven docker-archive:app-docker.tar)"
shale export app:1 rootfs:files.tar
same "a root file system" "$(shale import --store eight -t x rootfs:- <files.tar)" \
  "$(shale import --store nine -t x rootfs:files.tar)"
# A file of that name is meant by ./-
cp app.tar ./-
same "a file that is called -" "$(shale import --store eleven -t x oci-archive:./- </dev/null)" "$want"

expect 3 "shale: standard input: *" shale import -t x - </dev/null
expect 3 "shale: standard input: *" sh -c 'head -c 5000 app.tar | shale import -t x -'
expect 2 "shale: standard input: a terminal*" script -qec "shale import -t x -" /dev/null
expect 2 "*say one with --tag*" shale import rootfs:- <files.tar
mkfifo pipe
expect 3 "*'-' in its place is standard input*" shale import -t x oci-archive:pipe
# It waits in the store, and does not stay there.
dd if=/dev/zero of=full.img bs=1M count=4 status=none
mkfs.ext4 -q full.img
mkdir full
mount -o loop full.img full
head -c 8000000 /dev/urandom >big
expect 7 "*standard input: no room until it is imported*" sh -c 'shale import --store full/store -t x rootfs:- <big'
umount full
shale fsck -q --store two >/dev/null || fail "the store is damaged"
