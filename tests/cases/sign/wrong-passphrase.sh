#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A wrong passphrase, or a damaged key file, is refused with 6 and signs nothing.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image app >/dev/null
make_key team
printf wrong >wrong
expect 6 "*'team.key'*wrong passphrase*" shale sign --key team.key --passphrase-file wrong app
SHALE_PASSPHRASE='' expect 6 "*'team.key'*" shale sign --key team.key app
same "names" "$(shale images -a | wc -l)" 2
chmod 644 team.key
sign app 2>err
grep -q "warning.*team.key" err || fail "a key that everybody reads is used without a warning: $(cat err)"
