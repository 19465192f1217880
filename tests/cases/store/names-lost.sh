#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# When index.json is lost, fsck says so, and lists what names can be given to again, as it says; images without a name
# in a whole store are a note.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

app=$(small_image app)
other=$(small_image other different)
both=$(printf 'FROM scratch\nCOPY hello /\nLABEL of=both\n' |
  shale build -q -f - -t both --platform linux/amd64,linux/arm64 small)
make_key team
sign app
signature=$(json "$SHALE_STORE/index.json" \
  "[m['digest'] for m in d['manifests'] if '.sig' in m['annotations']['org.opencontainers.image.ref.name']][0]")
cp "$SHALE_STORE/index.json" saved

# lists: the subjects that have a name to get, by the JSON.
lists() {
  shale fsck --json "$@" >fsck.json 2>/dev/null || true
  json fsck.json "'\n'.join(sorted(f['subject'] for f in d['findings'] if 'has no name' in f['text']))"
}
# What both hold is named by it.
all=$(printf 'image %s\nimage %s\nindex %s' "$app" "$other" "$both" | LC_ALL=C sort)

# lose WHAT: index.json is lost in this way.
lose() {
  expect 5 "*error: index.json: *the names of all images are lost: *'shale tag'*, all names lost*" shale fsck --repair
  grep -q "^note: image $app: has no name; 'shale tag $app NAME' gives it one\$" expect.out || fail "$1: $(cat expect.out)"
  grep -q "gc removes it" expect.out && fail "$1: gc would take: $(cat expect.out)"
  same "$1" "$(lists --repair)" "$(printf '%s\nmanifest %s' "$all" "$signature" | LC_ALL=C sort)"
  same "JSON: $1" "$(json fsck.json "(d['names_lost'], d['lost'], d['errors'])")" "(True, 0, 1)"
}
: >"$SHALE_STORE/index.json"
lose "an empty file"
printf '{"schemaVersion":2' >"$SHALE_STORE/index.json"
lose "a file that is cut"
rm "$SHALE_STORE/index.json"
lose "no file"
[ ! -e "$SHALE_STORE/index.json" ] || fail "an index.json came back by itself"
expect 3 "*'index.json' is missing*" shale gc

# What it says to do.
shale fsck >fsck.out 2>&1 || true
sed -n "s/.*put a copy of the file back, or '\([^']*\)' in its place.*/\1/p" fsck.out >"$SHALE_STORE/index.json"
expect 0 "*note: image $app: has no name; 'shale tag $app NAME' gives it one, else gc removes it*0 errors*" shale fsck
same "no names yet" "$(lists)" "$all"
same "JSON of none" "$(json fsck.json "(d['names_lost'], d['errors'])")" "(False, 0)"
shale tag "$app" app
shale tag "$both" both
same "what has one" "$(shale cat app /hello)" hello
same "the rest" "$(lists)" "image $other"
shale gc >/dev/null
same "after gc" "$(lists)" ""
shale fsck --read-data -q >fsck.out
grep -q ": 0 errors" fsck.out || fail "$(cat fsck.out)"

# What the system or others keep from us may be whole.
chmod g+w "$SHALE_STORE/index.json"
shale fsck --json >fsck.json 2>/dev/null || true
same "a file that others may write" "$(json fsck.json "(d['names_lost'], d['errors'])")" "(False, 1)"
