#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The examples of the manual pages work, one after the other.
# NEEDS: root fuse skopeo
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p etc mnt
printf 'root:x:0:0::/:\n' >etc/passwd
printf secret >passphrase
printf 'FROM scratch\nCOPY etc /etc\n' >Dockerfile
shale build -q --store other -t x . >/dev/null
skopeo copy -q "oci:$PWD/other:localhost/x:latest" oci-archive:debian.tar:debian:12

run=0
for name in build import export images inspect history size ls diff cat cp mount umount keygen sign verify tag fsck gc rm; do
  # shellcheck disable=SC2016 # backquotes of scdoc
  # shellcheck disable=SC2016 # the backticks are the page's
  sed -n '/^# EXAMPLES/,/^# [^E]/{/^```$/,/^```$/{/^```/!p;};}' "$SHALE_SOURCE/docs/shale-$name.1.scd" |
    sed 's/ \/mnt\b/ mnt/g' >example
  grep -q "^shale $name" example || fail "shale-$name(1) has no example"
  sh -eu example >out 2>&1 || fail "the example of shale-$name(1) ended with $?: $(cat out)"
  run=$((run + 1))
done
same "commands with an example" "$run" "$(shale --help | grep -c '^  [a-z]')"
same "what cp gave" "$(cat etc-of-app/passwd)" "root:x:0:0::/:"
