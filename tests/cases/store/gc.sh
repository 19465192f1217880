#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# gc removes what no name leads to, keeps what several images share, and says before with --dry-run what it would do.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

# blobs: how many files there are.
blobs() {
  find "$SHALE_STORE/blobs" -type f | wc -l
}
small_image base >/dev/null
printf 'FROM base\nCOPY hello /second\n' | build_text app small >/dev/null
shale ls app >/dev/null
make_key team
sign app
before=$(blobs)
shale rm base >/dev/null
same "--dry-run" "$(shale gc --dry-run --json >gc.json && json gc.json "d['removed_blobs'], d['kept_blobs']")" \
  "(2, $((before - 2)))"
same "blobs" "$(blobs)" "$before"
shale gc --json >gc.json
same "removed" "$(json gc.json "d['removed_blobs']")" 2
[ "$(json gc.json "d['freed_bytes']")" -gt 0 ] || fail "nothing freed"
same "blobs" "$(blobs)" $((before - 2))
same "the shared layer" "$(shale cat app /hello /second | paste -sd' ')" "hello hello"
shale verify -q --key team.pub app >/dev/null
shale fsck -q --read-data >/dev/null
# With the image its signatures and its catalog go.
shale rm app >/dev/null
shale gc >out
same "blobs" "$(blobs)" 0
same "names" "$(shale images -a | wc -l)" 1
same "catalogs" "$(find "$SHALE_STORE/shale/catalogs" -type f | wc -l)" 0
grep -q '^removed [0-9]* blobs' out || fail "$(cat out)"
