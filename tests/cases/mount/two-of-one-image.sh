#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An image can be mounted several times; each mount ends alone, and mounts may nest and stack.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir one two
mkdir -p tree/dir
echo hello >tree/hello
shale import -q -t app dir:tree >/dev/null
shale mount app one
shale mount app two
shale mount app one/dir
cmp one/hello two/hello
cmp one/dir/hello two/hello
expect 9 '*' shale umount one
shale umount one/dir
shale umount one
same "the other" "$(cat two/hello)" hello
small_image other different >/dev/null
shale mount -o nonempty other two
same "on top" "$(cat two/hello)" different
shale umount two
same "below" "$(cat two/hello)" hello
shale umount two
