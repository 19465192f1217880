#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A private key that others may use, or that is another user's, is used with a warning that names it; a link is followed.
# NEEDS: root
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image app >/dev/null
make_key team
sign app 2>err
same "no warning" "$(cat err)" ""
for mode in 604 640 666 610; do
  chmod "$mode" team.key
  sign app 2>err
  same "warnings" "$(grep -c "warning: key file 'team.key' has mode 0$mode" err)" "$(wc -l <err)"
  grep -q 'chmod 600' err || fail "no warning for $mode"
done
chmod 400 team.key
chown 1000 team.key
sign app 2>err
same "one line" "$(cat err)" "shale: warning: key file 'team.key' belongs to another user (uid 1000)"
mv team.key there
ln -s there team.key
sign app 2>err
same "behind a link" "$(cat err)" "shale: warning: key file 'team.key' belongs to another user (uid 1000)"
