#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# keygen writes an encrypted private key for its owner alone and a public key that openssl reads, and prints its fingerprint.
# NEEDS: openssl
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

printf secret >pass
for type in ed25519 p256; do
  name=Ed25519
  [ "$type" = ed25519 ] || name="ECDSA P-256"
  (umask 0 && shale keygen --type "$type" --passphrase-file pass "$type" >out)
  same "modes" "$(stat -c %a "$type.key" "$type.pub" | paste -sd' ')" "600 644"
  same "first line" "$(head -n 1 "$type.key")" "-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----"
  same "output" "$(cat out)" "$type.key
$type.pub
$name sha256:$(openssl pkey -pubin -in "$type.pub" -outform DER | sha256sum | cut -d' ' -f1)"
done
openssl pkey -pubin -in ed25519.pub -noout -text | grep -q ED25519
openssl pkey -pubin -in p256.pub -noout -text | grep -q prime256v1
shale keygen --passphrase-file pass default >out
grep -q '^Ed25519 ' out
cmp -s default.pub ed25519.pub && fail "two keys are the same"
same "files" "$(printf '%s ' *)" "default.key default.pub ed25519.key ed25519.pub out p256.key p256.pub pass "
expect 2 "*'rsa' is not ed25519 or p256" shale keygen --type rsa --passphrase-file pass rsa
