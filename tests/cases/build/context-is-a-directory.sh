#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What docker would unpack or fetch as context is refused (3), with a word of what to do.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

tar -cf context.tar --files-from=/dev/null
expect 3 "shale: a context on standard input is not supported: unpack it, *(-f - reads a manifest alone)" \
  shale build - <context.tar
for url in https://example.org/app.tar.gz git://example.org/app.git#main git@example.org:app.git github.com/user/app; do
  expect 3 "shale: '$url': a remote context is not supported: fetch it, and give its directory" shale build "$url"
done
expect 8 "shale: the context 'context.tar' is no directory (-f takes a manifest)" shale build context.tar
expect 8 "shale: cannot open the context 'none': No such file or directory" shale build none
# Such directories can be built all the same.
mkdir -p github.com/user/app ./-
echo FROM scratch | tee github.com/user/app/Dockerfile >./-/Dockerfile
shale build -q github.com/user/app >/dev/null
shale build -q ./- >/dev/null
