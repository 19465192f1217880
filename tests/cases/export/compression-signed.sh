#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Signatures say the digest of a manifest: of an image that is re-encoded they stay behind, and that is said; of one whose
# digest stays they go along.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

make_key team
make_key other
digest=$(small_image app:1)
sign app:1
shale sign --key other.key --passphrase-file pass app:1 >/dev/null
for form in oci:out oci-archive:out.tar; do
  shale export --json --compression gzip app:1 "$form" >report.json 2>err
  same "the report, $form" "$(json report.json "d['signatures'], d['signatures_left']")" "(0, 2)"
  same "what is said, $form" "$(cat err)" \
    "shale: warning: signatures left out: 2, of the digest that the image had; 'shale sign' signs what 'shale import' makes of this"
done
# On standard output there is the archive alone.
shale export --compression gzip app:1 - 2>/dev/null | cmp - out.tar
new=$(shale import -q --store back oci:out)
[ "$new" != "$digest" ] || fail "the digest did not change"
expect 6 "*" shale verify -q --store back --key team.pub app:1
shale sign --store back --key team.key --passphrase-file pass app:1 >/dev/null
same "signed again" "$(shale verify -q --store back --key team.pub app:1)" "$new"

# The encoding that it has.
shale export --json --compression zstd app:1 oci:same >report.json 2>err
same "the report of what stays" "$(json report.json "d['digest'], d['signatures'], d['signatures_left']")" "('$digest', 2, 0)"
[ ! -s err ] || fail "something was said: $(cat err)"
shale import -q --store same-back oci:same >/dev/null
same "verified" "$(shale verify -q --store same-back --key team.pub app:1)" "$digest"

# Of an index, and of each manifest in it.
two_platforms both >/dev/null
sign --recursive both
shale export --json --compression gzip both oci:index >report.json 2>/dev/null
same "signatures of an index" "$(json report.json "d['signatures'], d['signatures_left']")" "(0, 3)"
