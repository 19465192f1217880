#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A source that cannot be opened, at whichever open, is never left out of an image without a word.
# NEEDS: strace
# TIMEOUT: 120
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context/dir
echo hello >context/hello
echo below >context/dir/file
ln -s nowhere context/dangling
printf 'FROM scratch\nCOPY hello /\nCOPY d*/file /\n' >one
want=$(shale build -q --workers 0 -f one -t app context)
refused=0
for number in $(seq 100); do
  rm -rf other
  status=0
  strace -o log -e trace=openat2 -e "inject=openat2:error=EIO:when=$number" \
    shale build -q --store other --workers 0 -f one -t app context >out 2>err || status=$?
  grep -q INJECTED log || break
  case $status in
  0) same "digest with $(grep INJECTED log)" "$(cat out)" "$want" ;;
  7)
    refused=$((refused + 1))
    grep -q "^shale: .*: Input/output error" err || fail "$(cat err)"
    ;;
  *) fail "ended with $status: $(cat err)" ;;
  esac
done
[ "$refused" -gt 5 ] || fail "$refused of $number opens were refused"
same "the last run" "$(cat out)" "$want"
