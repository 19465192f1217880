#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What was signed is verified: verify prints the digest; signing again adds nothing; keys add up.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

digest=$(small_image registry.example:5000/team/app:1)
image=registry.example:5000/team/app:1
make_key team
make_key other p256
same "sign" "$(shale sign --key team.key --passphrase-file pass "$image")" "signed $digest as $image"
same "verify" "$(shale verify --key team.pub "$image")" "$digest"
same "again" "$(shale sign --key team.key --passphrase-file pass "$image")" \
  "signed $digest as $image (the signature was there already)"
shale sign --json --key other.key --passphrase-file pass "$image" >sign.json
same "another key" "$(json sign.json "d['digest'], d['identity'], d['added'], d['kept']")" "('$digest', '$image', 1, 0)"
for key in team other; do
  shale verify --json --key "$key.pub" "$image" >verify.json
  same "JSON" "$(json verify.json "d['verified'], d['digest'], d['manifest'], d['name'], d['identity']")" \
    "(True, '$digest', '$digest', '$image', '$image')"
  same "key" "$(json verify.json "d['key']")" \
    "sha256:$(openssl pkey -pubin -in "$key.pub" -outform DER | sha256sum | cut -d' ' -f1)"
done
same "by digest" "$(shale verify --key team.pub "$image@$digest")" "$digest"
same "names" "$(shale images | sed '1d;s/ .*//')" "$image"
same "all names" "$(shale images -a | sed '1d;s/ .*//' | sort | paste -sd' ')" \
  "$image registry.example:5000/team/app:$(echo "$digest" | tr : -).sig"
shale fsck -q --read-data >/dev/null
expect 2 "*'--key' is missing*" shale verify "$image"
expect 2 "*'--key' is missing*" shale sign "$image"
# What is wrong with the command line comes before what is wrong with the store.
expect 2 "*'--key' is missing*" shale verify --store none "$image"
expect 2 "*'--key' is missing*" shale sign --store none none
expect 8 "*'none.pub'*" shale verify --key none.pub "$image"
expect 3 "*" shale verify --key team.key "$image"
expect 3 "*" shale sign --key team.pub --passphrase-file pass "$image"
