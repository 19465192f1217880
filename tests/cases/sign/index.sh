#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An image of several platforms is signed as a whole; --recursive signs each platform's manifest, too.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

digest=$(two_platforms app)
make_key team
sign app
for platform in amd64 arm64; do
  shale verify --json --key team.pub --platform "linux/$platform" app >verify.json
  same "digest" "$(json verify.json "d['digest']")" "$digest"
  same "manifest" "$(json verify.json "d['manifest']")" \
    "$(shale inspect --json --platform "linux/$platform" app >i.json && json i.json "d['manifest']")"
  same "content" "$(shale cat --platform "linux/$platform" app /arch)" "$platform"
done
expect 8 '*linux/amd64*' shale verify --key team.pub --platform linux/s390x app
arm=$(json verify.json "d['manifest']")
expect 6 '*' shale verify --key team.pub "app@$arm"
sign -r app
same "one platform" "$(shale verify --key team.pub --platform linux/arm64 "app@$arm")" "$arm"
