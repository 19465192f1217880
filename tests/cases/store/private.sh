#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A store is its owner's, whatever the umask: nobody else may write any of it.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

(umask 0 && small_image app >/dev/null && shale ls app >/dev/null)
same "what others may write" "$(find "$SHALE_STORE" ! -type l -perm /022)" ""
same "modes of blobs" "$(find "$SHALE_STORE/blobs" -type f -printf '%m\n' | sort -u)" 444
same "oci-layout" "$(cat "$SHALE_STORE/oci-layout")" '{"imageLayoutVersion":"1.0.0"}'
