#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Key files are cosign's: another implementation decrypts what keygen wrote, and shale signs with what that one wrote.
# NEEDS: openssl
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

keyfile="$SHALE_SOURCE/tests/support/keyfile.py"
digest=$(small_image app)
for type in ed25519 p256; do
  make_key "$type" "$type"
  python3 "$keyfile" decrypt --passphrase-file pass "$type.key" >hex
  python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(open("hex").read()))' >"$type.der"
  openssl pkey -inform DER -in "$type.der" -pubout | cmp - "$type.pub"
done
openssl genpkey -algorithm ed25519 -outform DER -out new.der
openssl pkey -inform DER -in new.der -pubout -out new.pub
for options in '' '--type=ENCRYPTED_SIGSTORE_PRIVATE_KEY --cost=65536'; do
  # shellcheck disable=SC2086 # none or two
  (IFS=' ' && set -- $options && python3 "$keyfile" encrypt --passphrase-file pass "$@" new.der) |
    sed 's/_/ /g' >new.key
  chmod 600 new.key
  shale sign --key new.key --passphrase-file pass app >/dev/null
  same "verified" "$(shale verify --key new.pub app)" "$digest"
done
python3 "$keyfile" encrypt --passphrase-file pass --cost 16384 new.der >weak.key
expect 3 "*'weak.key'*" shale sign --key weak.key --passphrase-file pass app
