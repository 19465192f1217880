#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# NAME:TAG@DIGEST means this content, signed under this tag; a tag or a name that has other content is not found.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

digest=$(small_image app:1)
changed=$(small_image app:2 changed)
small_image other:1 another >/dev/null
make_key team
sign app:1
same "both agree" "$(shale verify --key team.pub "app:1@$digest")" "$digest"
same "without a tag" "$(shale verify --key team.pub "app@$digest")" "$digest"
# The digest is there, as 1; what was signed is not 3.
expect 6 "*signed as 'localhost/app:1', not as 'localhost/app:3'*" shale verify --key team.pub "app:3@$digest"
same "what was signed" "$(shale verify --key team.pub --identity app:1 "app:3@$digest")" "$digest"
for name in "app:2@$digest" "app:1@$changed" "other:1@$digest" "other@$digest"; do
  expect 8 "*localhost/*" shale verify --key team.pub "$name"
  expect 8 "*localhost/*" shale verify --key team.pub --identity app:1 "$name"
done
expect 6 "*no signature*" shale verify --key team.pub "app:2@$changed"
expect 2 "*NAME@DIGEST*" shale verify --key team.pub "$digest"
