#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An export that takes a while says how far it is, of how much, in every form; nothing of it stays on the terminal.
# TIMEOUT: 240
# SANITIZERS: no
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/terminal.sh"

mkdir big
head -c 400000000 /dev/urandom >big/file
shale import -q -t big dir:big >/dev/null
rm -rf big
for form in oci oci-archive docker-archive rootfs; do
  on_terminal 80 shale export big "$form:out" || fail "$form failed: $(cat left)"
  shows '^exporting  [0-9.]+ MiB of 381\.[0-9] MiB, [0-9]+%, [0-9.]+ [MG]iB/s' "$form"
  [ "$(figures exporting)" -gt 1 ] || fail "$form: not more than one figure ($(cat -v lines))"
  same "what $form left on the terminal" "$(grep -c '^sha256:[0-9a-f]*$' left) of $(grep -c . left)" "1 of 1"
  rm -rf out
done
# Three phases, and no more memory than any export takes; the others re-encode in the same way.
forms=oci-archive
[ -z "${SHALE_FULL:-}" ] || forms="oci oci-archive docker-archive"
for form in $forms; do
  on_terminal 80 time -q -o usage -f %M shale export --compression gzip:1 big "$form:out" || fail "$form failed: $(cat left)"
  shows '^checking  [0-9.]+ MiB of 381\.[0-9] MiB, [0-9]+%, [0-9.]+ [MG]iB/s' "$form, re-encoded"
  shows '^re-encoding  [0-9.]+ MiB of 381\.[0-9] MiB, [0-9]+%, [0-9.]+ [MG]iB/s' "$form, re-encoded"
  [ "$(figures re-encoding)" -gt 1 ] || fail "$form, re-encoded: not more than one figure ($(cat -v lines))"
  same "what $form left on the terminal" "$(grep -c '^sha256:[0-9a-f]*$' left) of $(grep -c . left)" "1 of 1"
  [ "$(cat usage)" -lt 65536 ] || fail "$form, re-encoded, took $(cat usage) KiB"
  rm -rf out
done
on_terminal 80 shale export -q big oci-archive:out || fail "it failed"
[ ! -s lines ] || fail "-q is not quiet: $(cat -v lines)"
