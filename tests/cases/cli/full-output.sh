#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What cannot be written to standard output is an error (7), never a success.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

digest=$(small_image app)
head -c 2000000 /dev/zero >small/big
printf 'FROM scratch\nCOPY big /\n' | build_text big small >/dev/null

make_session app >/dev/null
for command in --help --version 'build --help' images 'images --json' 'inspect app' 'inspect --json app' 'ls app' \
  'ls --json app' 'cat app /hello' 'cat big /big' 'fsck' 'fsck --json' 'gc -n' 'tag --help' "build -q small -f -" \
  sessions 'sessions --json' 'sessions -q' 'export app oci-archive:app.tar' 'export --json app rootfs:app.tar'; do
  status=0
  # shellcheck disable=SC2086 # words
  echo 'FROM scratch' | shale $command >/dev/full 2>err || status=$?
  same "status of shale $command" "$status" 7
  grep -q 'cannot write to standard output: No space left on device' err || fail "$command: $(cat err)"
done
same "what is left" "$(shale inspect app "$@" | sed -n 's/^Digest: *//p')" "$digest"
