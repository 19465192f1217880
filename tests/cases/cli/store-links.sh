#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Links in a store are not followed: neither one in the place of a blob (3, and 5 for fsck) nor of a folder (6).
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image app >/dev/null
layer=$(blob "$(layers app)")
mv "$layer" outside
ln -s "$PWD/outside" "$layer"
expect 3 "shale: *'${layer##*/}' is not a regular file" shale cat app /hello
expect 5 "*'${layer##*/}' is not a regular file*" shale fsck
# It is no blob, so a build makes it again.
small_image again >/dev/null
same "content" "$(shale cat again /hello)" hello
rm outside
mv store/blobs blobs
ln -s ../blobs store/blobs
for command in 'cat app /hello' 'tag app other' 'gc' 'fsck' 'build -q -f - small'; do
  # shellcheck disable=SC2086 # a command and its arguments
  echo FROM scratch | expect 6 "shale: *store/blobs' is a symbolic link, which shale does not follow" shale $command
done
