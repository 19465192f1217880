#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A limit on the size of files (ulimit -f) is an error (7) with a message, not a death, and leaves the store as it was.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
head -c 3000000 /dev/urandom >context/big
echo hello >context/hello
printf 'FROM scratch\nCOPY big hello /\n' | build_text app context >/dev/null
tar -C context -cf rootfs.tar .

# limited COMMAND...: in files of at most 256 KiB.
limited() {
  expect 7 "shale: *File too large" sh -c 'ulimit -f 512 && exec "$@"' - "$@"
  shale fsck --read-data -q >/dev/null
  same "images" "$(shale images | wc -l)" 2
}
printf 'FROM scratch\nCOPY big /other\n' >manifest
# The line says where the work was, and is not at fault.
limited shale build -q -f manifest -t late context
limited shale import -q -t late dir:context
limited shale import -q -t late rootfs:rootfs.tar
limited shale cp app:/big out
[ ! -e out ] || fail "a part of a file was left"
same "a file below the limit" "$(sh -c 'ulimit -f 512 && exec shale cat app /hello')" hello
