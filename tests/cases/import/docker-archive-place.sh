#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Of a docker archive with several images one can be taken by its place, as skopeo takes it; also one without a name.
# NEEDS: skopeo
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir saved
for name in one two three; do
  small_image "$name" "$name" >/dev/null
  shale export "$name" "docker-archive:$name.tar" >/dev/null
  tar -xf "$name.tar" -C saved
  mv saved/manifest.json "$name.json"
done
python3 - <<'END'
import json
images = [json.load(open(f"{name}.json"))[0] for name in ("one", "two", "three")]
images[1]["RepoTags"] = None
images[2]["RepoTags"] = ["three:1", "three:2"]
with open("saved/manifest.json", "w") as f:
    json.dump(images, f)
END
tar -cf many.tar -C saved .

expect 2 "*3 images, say which one (:NAME or :@NUMBER)*" shale import docker-archive:many.tar
at=0
for name in one two three; do
  shale import -q --store new -t "$name" "docker-archive:many.tar:@$at" >/dev/null
  same "what is @$at" "$(shale cat --store new "$name" /hello)" "$name"
  skopeo inspect --config "docker-archive:many.tar:@$at" >config.json
  same "what skopeo has @$at" "$(json config.json "d['rootfs']['diff_ids']")" \
    "$(shale inspect --store new --config "$name" >c.json && json c.json "d['rootfs']['diff_ids']")"
  at=$((at + 1))
done
# Without --tag it has all its names.
shale import -q --store named docker-archive:many.tar:@2 >/dev/null
same "names" "$(shale images --store named --names | sort | paste -sd' ')" "localhost/three:1 localhost/three:2"
expect 2 "*the source has no name: say one with --tag*" shale import --store named docker-archive:many.tar:@1
expect 8 "*no image @3; it has 3, from @0 on*" shale import docker-archive:many.tar:@3
expect 2 "*'@x' is no name and no @NUMBER" shale import docker-archive:many.tar:@x
