#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An identity is written with its host, and never gets a tag that was not given; without one there is a warning.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

digest=$(small_image app:1)
make_key team
# as TEXT WRITTEN: what is signed when TEXT is asked for.
as() {
  same "signed" "$(shale sign --key team.key --passphrase-file pass --identity "$1" app:1 2>warning)" "signed $digest as $2"
  signature app:1
  same "identity" "$(json payload "d['critical']['identity']['docker-reference']")" "$2"
  same "verified as $1" "$(shale verify -q --key team.pub --identity "$1" app:1)" "$digest"
  same "verified as $2" "$(shale verify -q --key team.pub --identity "$2" app:1)" "$digest"
}
for pair in "app:2 localhost/app:2" "team/app:2 localhost/team/app:2" "host.example/app:1 host.example/app:1" \
  "host:5000/app:1 host:5000/app:1" "host:5000/app@$digest host:5000/app@$digest" "localhost:1 localhost/localhost:1"; do
  as "${pair% *}" "${pair#* }"
  same "warning" "$(cat warning)" ""
done
for pair in "app localhost/app" "host.example/team/app host.example/team/app" "host:5000/app host:5000/app"; do
  as "${pair% *}" "${pair#* }"
  same "warning" "$(grep -c "warning: identity '${pair#* }' has no tag" warning)" 1
done
# None of these is for app:1, but the one without a tag is for what is asked for by its digest.
expect 6 "*not as 'localhost/app:1'*" shale verify --key team.pub app:1
shale rm "localhost/app:$(echo "$digest" | tr : -).sig" >/dev/null
shale sign --key team.key --passphrase-file pass --identity app app:1 >/dev/null 2>&1
expect 6 "*signed as 'localhost/app', not as 'localhost/app:1'*" shale verify --key team.pub app:1
same "by digest" "$(shale verify --key team.pub "app@$digest")" "$digest"
expect 2 "*'--identity': reference 'App:1'*" shale sign --key team.key --passphrase-file pass --identity App:1 app:1
expect 2 "*'--identity': reference 'App:1'*" shale verify --key team.pub --identity App:1 app:1
expect 6 "*not as 'localhost/app:9'*" shale verify --key team.pub --identity app:9 app:1
