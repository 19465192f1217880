#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The image of a session stays when its name goes, until the session goes; a session that cannot be read stops gc.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

digest=$(small_image app)
make_session app work >/dev/null
shale rm app >/dev/null
expect 0 "would remove 0 blobs*3 blobs are in use" shale gc -n
expect 0 "removed 0 blobs*3 blobs are in use" shale gc
same "its files" "$(shale cat "$digest" /hello)" hello
expect 0 "*0 errors*" shale fsck --read-data

# The name is another image's by now.
small_image app other >/dev/null
expect 0 "removed 0 blobs*" shale gc
same "what the session lies over" "$(shale sessions --json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["manifest"])')" \
  "$digest"
shale rm app >/dev/null
expect 0 "removed 3 blobs*3 blobs are in use" shale gc

# What cannot be read, or is of a newer shale.
session=$(echo store/shale/sessions/*)
id=${session##*/}
mv "$session/session.json" kept
small_image stray stray >/dev/null
shale rm stray >/dev/null
for option in -n -q; do
  expect 3 "*nothing was removed, because what session '$id' needs is not known: mend it, or remove it with 'shale session \
rm $id': it has no 'session.json'*" shale gc "$option"
done
expect 5 "*error: session $id: it has no 'session.json'*1 error*" shale fsck
same "the error of fsck alone" "$(shale fsck 2>/dev/null | grep -c ': ')" 2
sed 's/"version":1/"version":2/' kept >"$session/session.json"
expect 3 "*nothing was removed, *'$id'*has version 2, which is newer *" shale gc
cp kept "$session/session.json"
expect 0 "removed 3 blobs*" shale gc
same "its files" "$(shale cat "$digest" /hello)" hello

# A blob of it that is lost.
layer=$(blob "$(shale inspect --json "$digest" | python3 -c 'import json, sys; print(json.load(sys.stdin)["layers"][0]["digest"])')")
mv "$layer" layer
expect 5 "*error: blob sha256:${layer##*/}: *(used by 'session work')*lost: session work: 1 blob of its image \
'localhost/app:latest' is damaged or missing: *" shale fsck --repair
mv layer "$layer"

# Left by processes that died.
mkdir store/shale/sessions/.making-0123456789abcdef
cp -r "$session" store/shale/sessions/.removing-0123456789abcdef
expect 0 "note: folder .*-0123456789abcdef: left by a process that died: gc removes it*2 notes" shale fsck
expect 0 "*: left by a process that died: removed*2 notes*" shale fsck --repair
same "folders" "$(ls -A store/shale/sessions)" "$id"
mkdir store/shale/sessions/.making-0123456789abcdef
shale gc --json >gc.json
same "litter" "$(json gc.json "d['removed_litter']")" 1
same "folders" "$(ls -A store/shale/sessions)" "$id"

expect 0 "removed work" shale session rm work
expect 0 "removed 3 blobs*0 blobs are in use" shale gc
