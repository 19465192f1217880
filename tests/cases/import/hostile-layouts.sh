#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Layouts that lie about what they hold are refused with the status of their fault, and leave no name behind.
# NEEDS: umoci
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/hostile.sh"

umoci init --layout good
umoci new --image good:base
umoci unpack --rootless --image good:base bundle >/dev/null
echo hello >bundle/rootfs/hello
umoci repack --refresh-bundle --image good:app bundle >/dev/null
umoci rm --image good:base
umoci gc --layout good >/dev/null 2>&1

# refused STATUS GLOB: what the layout "bad" gives, as a directory.
refused() {
  expect "$1" "*bad*$2*" shale import -t x oci:bad
  same "names after a refusal" "$(names)" ""
  rm -rf bad
}

# document: the path of the manifest, the config or the layer in bad.
document() {
  python3 - "$1" <<'END'
import json, sys
read = lambda d: json.load(open("bad/blobs/sha256/" + d[7:]))
top = json.load(open("bad/index.json"))["manifests"][0]["digest"]
m = read(top)
print("bad/blobs/sha256/" + {"manifest": top, "config": m["config"]["digest"], "layer": m["layers"][0]["digest"]}[sys.argv[1]][7:])
END
}

cp -r good bad
rm bad/index.json
refused 3 index.json
cp -r good bad
echo garbage >bad/index.json
refused 3 "index.json*syntax error"
cp -r good bad
echo '{"imageLayoutVersion":"2.0.0"}' >bad/oci-layout
refused 3 2.0.0
cp -r good bad
mv bad/blobs moved
ln -s ../moved bad/blobs
refused 3 "symbolic link"
rm -r moved
cp -r good bad
sed -i 's|sha256:[0-9a-f]*|sha256:../../../../../etc/passwd|' bad/index.json
refused 3 digest
cp -r good bad
sed -i 's|"sha256:\([0-9a-f]*\)"|"SHA256:\1"|' bad/index.json
refused 3 SHA256
cp -r good bad
sed -i 's|"size":[0-9]*|"size":17|' bad/index.json
refused 5 bytes
for what in manifest config layer; do
  cp -r good bad
  flip "$(document "$what")" 20
  refused 5 digest
  cp -r good bad
  rm "$(document "$what")"
  refused 3 "is not in the layout"
  cp -r good bad
  printf x >>"$(document "$what")"
  refused 5 bytes
  cp -r good bad
  hidden=$(document "$what")
  rm "$hidden"
  mkfifo "$hidden"
  refused 3 "regular file"
  # A secret of the host behind a blob's name: hard links are read, and their bytes are others.
  echo "a secret of the host" >victim
  cp -r good bad
  ln -f victim "$(document "$what")"
  refused 5 bytes
  same "the victim" "$(cat victim)" "a secret of the host"
done

tar -C good -cf good.tar .
head -c 3000 good.tar >cut.tar
expect 3 "*cut.tar*" shale import -t x oci-archive:cut.tar
python3 -m zipfile -c good.zip good
expect 3 "*good.zip*" shale import -t x oci-archive:good.zip
expect 2 "*did you mean 'oci:good'*" shale import good
expect 2 "*did you mean 'rootfs:good.tar'*" shale import good.tar
expect 2 "*oci:*docker-archive:*rootfs:*" shale import docker://alpine
same "names" "$(names)" ""
shale import -q -t x oci-archive:good.tar >/dev/null
same "content" "$(shale cat x /hello)" hello
