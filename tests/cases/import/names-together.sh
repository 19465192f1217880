#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An image that a docker archive gives several names gets all of them in one change of the store, or none.
# NEEDS: strace
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image app >/dev/null
shale export app docker-archive:app.tar >/dev/null
mkdir saved
tar -xf app.tar -C saved
python3 - <<'END'
import json
with open("saved/manifest.json") as f:
    images = json.load(f)
images[0]["RepoTags"] = [f"many:{n}" for n in range(5)]
with open("saved/manifest.json", "w") as f:
    json.dump(images, f)
END
tar -cf many.tar -C saved .

strace -f -qq -e trace=rename,renameat,renameat2,linkat -o trace timeout 60 \
  shale import -q docker-archive:many.tar >/dev/null
same "changes of names" "$(grep -c '"index.json".*= 0' trace)" 1
same "names" "$(shale images --names | grep many | paste -sd' ')" \
  "localhost/many:0 localhost/many:1 localhost/many:2 localhost/many:3 localhost/many:4"
