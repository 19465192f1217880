#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds, tags, removals and gc at the same time lose no name and no blob.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
echo x >context/x
small_image first >/dev/null
shale rm first >/dev/null
pids=
for i in 1 2 3 4; do
  (
    for j in 1 2 3 4; do
      printf 'FROM scratch\nCOPY x /%s-%s\nLABEL a=%s\n' "$i" "$j" "$i$j" | build_text "app:$i-$j" context >/dev/null
      shale tag "app:$i-$j" "tagged:$i-$j"
      shale rm "app:$i-$j" >/dev/null
    done
  ) &
  pids="$pids $!"
done
(for _ in 1 2 3 4 5 6 7 8; do shale gc >/dev/null; done) &
pids="$pids $!"
for pid in $pids; do
  wait "$pid"
done
same "names" "$(shale images | sed '1d;s/ .*//' | sort | paste -sd' ')" \
  "$(for i in 1 2 3 4; do for j in 1 2 3 4; do echo "localhost/tagged:$i-$j"; done; done | paste -sd' ')"
shale fsck -q --read-data >/dev/null
shale gc >/dev/null
for i in 1 2 3 4; do
  same "content" "$(shale ls "tagged:$i-3")" "$i-3"
done
