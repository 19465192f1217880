#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A signature that cannot be read tells nothing: verify ends with 7, not as if the image were unsigned, unless another
# signature is good.
# NEEDS: strace
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

digest=$(small_image app:1)
make_key team
make_key other
# broken STATUS WORD: verify, with the file of the first signature on a bad sector.
broken() {
  expect "$1" "*$2*" strace -f -o trace -P "$payload" -e trace=read -e inject=read:error=EIO \
    shale verify -q --key team.pub app:1
  grep -q INJECTED trace || fail "nothing was read: $(cat trace)"
}
sign app:1
signature app:1
payload=$(blob "sha256:$(sha256sum <payload | cut -d' ' -f1)")
broken 7 "Input/output error"
shale sign --key other.key --passphrase-file pass --identity localhost/app:2 app:1 >/dev/null
broken 7 "Input/output error"
shale sign --key team.key --passphrase-file pass --identity localhost/app:3 app:1 >/dev/null
broken 7 "Input/output error"
shale rm "localhost/app:$(echo "$digest" | tr : -).sig" >/dev/null
shale sign --key other.key --passphrase-file pass --identity localhost/app:2 app:1 >/dev/null
sign app:1
broken 7 "Input/output error"
# Of an image that is asked for by its digest, a signature for another tag is as good.
shale sign --key team.key --passphrase-file pass --identity localhost/app:4 app:1 >/dev/null
expect 0 "$digest" strace -f -o trace -P "$payload" -e trace=read -e inject=read:error=EIO \
  shale verify -q --key team.pub "app@$digest"
