#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A signature is for a name: the same image under another name or tag is refused, unless --identity asks for the signed one.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

digest=$(small_image team/app:1)
make_key team
sign team/app:1
shale tag team/app:1 team/app:2
expect 6 "*localhost/team/app:1*" shale verify --key team.pub team/app:2
shale verify --json --key team.pub team/app:2 >report.json 2>/dev/null || true
same "failed step" "$(json report.json "d['failed_step']")" identity
same "--identity" "$(shale verify --key team.pub --identity localhost/team/app:1 team/app:2)" "$digest"
expect 6 '*' shale verify --key team.pub --identity localhost/team/app:3 team/app:1
shale tag team/app:1 other/app:1
expect 6 '*' shale verify --key team.pub other/app:1

shale sign --key team.key --passphrase-file pass --identity registry.example/app:v1 team/app:2 >/dev/null
same "signed for another name" "$(shale verify --key team.pub --identity registry.example/app:v1 team/app:2)" "$digest"
same "any tag of the name, by digest" "$(shale verify --key team.pub "team/app@$digest")" "$digest"
expect 2 '*' shale sign --key team.key --passphrase-file pass "$digest"
expect 2 '*' shale sign --key team.key --passphrase-file pass --identity 'NOT A NAME' team/app:1
