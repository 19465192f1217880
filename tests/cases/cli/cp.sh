#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cp copies as docker cp: into a directory under its own name, else under the name given; DIR/. gives what DIR holds.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p tree/etc/sub there
printf one >tree/etc/one
printf two >tree/etc/sub/two
printf '#!/bin/sh\n' >tree/etc/run
chmod 755 tree/etc/run
chmod 600 tree/etc/one
ln -s one tree/etc/link
ln -s /absolute tree/etc/absolute
shale import -t registry:5000/app:1 dir:tree >/dev/null
image=registry:5000/app:1

shale cp "$image:/etc/one" name
same "a file to a name" "$(cat name)" one
shale cp "$image:/etc/one" there
same "a file into a directory" "$(cat there/one)" one
shale cp "$image:/etc" new
diff -r --no-dereference tree/etc new
shale cp "$image:/etc" there
diff -r --no-dereference tree/etc there/etc
mkdir content
shale cp "$image:/etc/." content
diff -r --no-dereference tree/etc content
same modes "$(stat -c %a content/run content/one | paste -sd' ')" "755 600"
same "a file over a file" "$(echo old >name && shale cp "$image:/etc/run" name && cat name)" '#!/bin/sh'
expect 8 "*'/none'*" shale cp "$image:/none" x
expect 2 "*is not IMAGE:/PATH*" shale cp "$image" x
expect 8 "*" shale cp "$image:/etc/one" no/such/dir
[ ! -e x ] || fail "a failed copy left something"
