#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A name that is taken, by a file or by a link to nowhere, ends keygen with 9, and nothing is written.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

printf secret >pass
echo mine >a.key
echo mine >b.pub
ln -s nowhere c.key
mkdir d.pub
for prefix in a b c d; do
  expect 9 "*'$prefix.*'*" shale keygen --passphrase-file pass "$prefix"
done
same "content" "$(cat a.key b.pub)" "mine
mine"
same "files" "$(find . ! -name expect.out | LC_ALL=C sort | paste -sd' ')" ". ./a.key ./b.pub ./c.key ./d.pub ./pass"
expect 8 "*'no/such*'*" shale keygen --passphrase-file pass no/such/key
