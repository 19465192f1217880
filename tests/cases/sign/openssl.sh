#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# openssl verifies the signatures over the payload, of both kinds of keys; the payload is cosign's.
# NEEDS: openssl
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

digest=$(small_image app:1)
make_key team
make_key p256 p256
sign app:1
signature app:1
openssl pkeyutl -verify -rawin -pubin -inkey team.pub -in payload -sigfile sig >out || fail "$(cat out)"
same "payload" "$(cat payload)" "{\"critical\":{\"identity\":{\"docker-reference\":\"localhost/app:1\"},\
\"image\":{\"docker-manifest-digest\":\"$digest\"},\"type\":\"cosign container image signature\"},\"optional\":null}"

shale sign --key p256.key --passphrase-file pass app:1 >/dev/null
signature app:1
openssl dgst -sha256 -verify p256.pub -signature sig payload >out || fail "$(cat out)"
openssl pkeyutl -verify -rawin -digest sha256 -pubin -inkey p256.pub -in payload -sigfile sig >out || fail "$(cat out)"
printf ' ' >>payload
openssl dgst -sha256 -verify p256.pub -signature sig payload >out && fail "openssl takes anything"
true
