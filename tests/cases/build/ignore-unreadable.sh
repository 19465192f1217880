#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An ignore file beside the manifest of -f of which it cannot be known whether it is there: the build says so, and does not
# go on without its rules, nor call it missing.
# NEEDS: strace
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
echo secret >context/secret
echo hello >context/hello
printf 'FROM scratch\nCOPY . /\n' >manifest
echo secret >manifest.dockerignore
for fault in "EIO 7 Input/output error" "EACCES 1 Permission denied"; do
  errno=${fault%% *}
  fault=${fault#* }
  expect "${fault%% *}" "*'$PWD/manifest.dockerignore': ${fault#* }" \
    strace -qq -f -o calls -P "$PWD/manifest.dockerignore" -e trace=faccessat,faccessat2 \
    -e "inject=faccessat,faccessat2:error=$errno" shale build -q -f "$PWD/manifest" -t app context
  grep -q INJECTED calls || fail "nobody asks whether the ignore file is there"
done
expect 8 "*no image 'localhost/app:latest'*" shale ls app
shale build -q -f manifest -t app context >/dev/null
same "files" "$(shale ls app)" hello
