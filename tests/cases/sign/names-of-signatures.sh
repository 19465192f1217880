#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# No image is given the name under which signatures are kept: it would take their place.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

digest=$(small_image app)
make_key team
sign app
small_image other x >/dev/null
for end in sig att sbom; do
  name="app:sha256-${digest#sha256:}.$end"
  expect 2 "shale: '$name' is where signatures of an image are kept, not a new name*" shale tag other "$name"
  for source in dir:small "oci:$SHALE_STORE:localhost/other"; do
    expect 2 "shale: *option '--tag': '$name' is where signatures*" shale import -q -t "$name" "$source"
  done
  expect 2 "shale: option '--tag': '$name' is where signatures*" shale build -q -f /dev/null -t "$name" small
done
expect 0 "$digest" shale verify --key team.pub app
