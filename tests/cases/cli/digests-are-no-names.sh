#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A digest is refused where a name is wanted (2), with a word of what to do; where an image is wanted it names one.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

digest=$(small_image app)
for text in "$digest" sha256:aa sha512:x; do
  expect 2 "shale: '$text' is a digest, not a new name (like app:1)" shale tag app "$text"
  expect 2 "shale: '$text' is a digest: rm removes names (shale images lists them), and shale gc *" shale rm "$text"
  expect 2 "shale: option '--tag': '$text' is a digest, not a new name (like app:1)" shale build -q -f /dev/null -t "$text" small
  expect 2 "shale: option '--tag': '$text' is a digest, not a new name (like app:1)" shale import -q -t "$text" dir:small
done
expect 2 "*give the name without its digest" shale rm "app@$digest"
shale tag "$digest" team/sha256:aa
same "names" "$(shale images | sed '1d;s/ .*//' | sort | paste -sd' ')" "localhost/app:latest localhost/team/sha256:aa"
