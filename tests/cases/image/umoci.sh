#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# umoci reads the store, and unpacks what skopeo made of an image into the tree that was packed.
# NEEDS: root getfattr skopeo umoci
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

make_rootfs tree
shale import -q -t app dir:tree >/dev/null
same "umoci ls" "$(umoci ls --layout "$SHALE_STORE")" localhost/app:latest
umoci stat --image "$SHALE_STORE:localhost/app:latest" --json >stat.json
same "umoci stat" "$(json stat.json "[h['layer']['digest'] for h in d['history']]")" "['$(layers app)']"
# This umoci knows gzip alone.
skopeo copy -q --dest-compress-format gzip "oci:$SHALE_STORE:localhost/app:latest" oci:gzip:x
umoci unpack --image gzip:x bundle >out 2>&1 || fail "umoci: $(cat out)"
same_trees tree bundle/rootfs
