#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An export adds to a layout of another tool, replaces an entry of its name alone, keeps all else as it is, and mends
# blobs; what is no layout is refused and stays as it was.
# NEEDS: skopeo
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

first=$(small_image one first)
second=$(small_image two second)
skopeo --insecure-policy copy -q "oci:$SHALE_STORE:localhost/one:latest" oci:theirs:base
python3 - <<'END_OF_PYTHON'
import json
with open("theirs/index.json") as f:
    d = json.load(f)
d["annotations"] = {"org.example.kept": "yes"}
d["x-unknown"] = [1, {"a": 1.5}]
d["manifests"][0]["x-member"] = "kept"
d["manifests"].append({"mediaType": "application/x-unknown", "digest": "sha256:" + "0" * 64, "size": 7})
with open("theirs/index.json", "w") as f:
    json.dump(d, f)
END_OF_PYTHON
cp -r theirs before

shale export two oci:theirs:new >/dev/null
python3 - "$second" <<'END_OF_PYTHON' || fail "index.json is not what it should be"
import json, sys
before, after = json.load(open("before/index.json")), json.load(open("theirs/index.json"))
new = after["manifests"].pop()
assert before == after, (before, after)
assert new["digest"] == sys.argv[1] and new["annotations"] == {"org.opencontainers.image.ref.name": "new"}, new
END_OF_PYTHON
same "theirs" "$(skopeo inspect --raw oci:theirs:base | sha256sum)" "${first#sha256:}  -"
same "ours" "$(skopeo inspect --raw oci:theirs:new | sha256sum)" "${second#sha256:}  -"

# The same name again: its place, no other.
shale export one oci:theirs:new >/dev/null
same "entries" "$(json theirs/index.json "[m['digest'] for m in d['manifests']]")" \
  "['$first', 'sha256:$(printf '%064d' 0)', '$first']"
python3 - <<'END_OF_PYTHON'
import json
with open("theirs/index.json") as f:
    d = json.load(f)
d["manifests"].append(d["manifests"][2])
with open("theirs/index.json", "w") as f:
    json.dump(d, f)
END_OF_PYTHON
shale export two oci:theirs:new >/dev/null
same "entries after one twice" "$(json theirs/index.json "[m['digest'] for m in d['manifests']]")" \
  "['$first', 'sha256:$(printf '%064d' 0)', '$second']"

# What is there stays, and what is damaged there is replaced.
layer=$(layers two)
file=theirs/blobs/sha256/${layer#sha256:}
inode=$(stat -c %i "$file")
shale export two oci:theirs:new >/dev/null
same "a blob that is there" "$(stat -c %i "$file")" "$inode"
flip "$file" 30
shale export two oci:theirs:new >/dev/null
cmp "$file" "$(blob "$layer")"
: >"$file"
shale export two oci:theirs:other >/dev/null
cmp "$file" "$(blob "$layer")"
# A link in a blob's place is replaced, and leads nobody anywhere.
echo precious >elsewhere
ln -sf ../../../elsewhere "$file"
shale export two oci:theirs:new >/dev/null
cmp "$file" "$(blob "$layer")"
[ ! -L "$file" ] || fail "a link is still in the place of a blob"
same "what the link led to" "$(cat elsewhere)" precious
shale import -q --store back oci:theirs:new >/dev/null

# A directory that is empty is as good as none, and so is what a killed export left.
mkdir -p empty killed/blobs/sha256
: >killed/.shale-0123456789abcdef.tmp
for dir in empty killed; do
  shale export one "oci:$dir" >/dev/null
  same "skopeo, $dir" "$(skopeo inspect --raw "oci:$dir" | sha256sum)" "${first#sha256:}  -"
done

# refused STATUS GLOB DEST: nothing has changed.
refused() {
  cp -a "${3#oci:}" kept
  expect "$1" "$2" shale export one "$3"
  diff -r kept "${3#oci:}" >&2 || fail "$3 has changed"
  rm -rf kept
}
mkdir full links
echo x >full/file
echo x >file
ln -s nowhere dangling
cp -r before future
printf '{"imageLayoutVersion":"2.0.0"}' >future/oci-layout
cp -r before broken
echo '{"manifests": 7}' >broken/index.json
cp -r before linked
rm -r linked/blobs
ln -s ../before/blobs linked/blobs
refused 3 "*'full': is a directory of something else: it has no 'oci-layout'" oci:full
refused 2 "*'file': not a directory (did you mean oci-archive:?)" oci:file
refused 3 "*'future': oci-layout: version '2.0.0' is not 1.0.0" oci:future
refused 3 "*'broken': index.json*manifests*" oci:broken
refused 3 "*'linked': 'blobs' of the layout is no directory" oci:linked
refused 2 "*is in the store*" "oci:$SHALE_STORE"
cp -r "$SHALE_STORE" another
refused 2 "*is a store of shale*" oci:another
expect 9 "*'dangling': is a link that leads to nothing" shale export one oci:dangling
expect 8 "*'no/such/dir': cannot create the directory: No such file or directory" shale export one oci:no/such/dir
expect 2 "*cannot be the name of an image in a layout*" shale export one 'oci:new:a b'
[ ! -e new ] || fail "a refused name made a directory"

# Two at once: both are in it.
for i in 1 2 3 4 5 6; do
  shale export one "oci:together:$i" >/dev/null &
done
wait
same "six at once" "$(json together/index.json "sorted(m['annotations']['org.opencontainers.image.ref.name'] for m in d['manifests'])")" \
  "['1', '2', '3', '4', '5', '6']"
