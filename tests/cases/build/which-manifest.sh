#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The manifest is --file, or standard input for "-", else Shalefile, Containerfile or Dockerfile of the context.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
# built_from OPTION...: which manifest was taken.
built_from() {
  shale build -q -t app "$@" context >/dev/null
  inspect app "d['config']['config']['Labels']['from']"
}
for name in Dockerfile Containerfile Shalefile; do
  printf 'FROM scratch\nLABEL from=%s\n' "$name" >"context/$name"
  same "the default" "$(built_from)" "$name"
done
printf 'FROM scratch\nLABEL from=elsewhere\n' >elsewhere
same "--file" "$(built_from --file elsewhere)" elsewhere
same "-f -" "$(printf 'FROM scratch\nLABEL from=stdin\n' | built_from -f -)" stdin

rm context/*
expect 8 "*no Shalefile, Containerfile or Dockerfile in the context*" shale build context
expect 8 "*'none'*" shale build -f none context
expect 8 "*'nowhere'*" shale build nowhere
mkfifo context/Shalefile
expect 3 "*'Shalefile' of the context is no regular file*" timeout 10 shale build context
