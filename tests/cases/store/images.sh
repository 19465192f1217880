#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# images lists names, digests, platforms, layers and sizes; (+) marks an image of several platforms.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

same "an empty store" "$(shale images | tr -s ' ')" "NAME DIGEST PLATFORM LAYERS SIZE"
same "as JSON" "$(shale images --json)" "[]"
same "as names" "$(shale images --names 2>&1)" ""
[ ! -e "$SHALE_STORE" ] || fail "listing made a store"
expect 8 "*no store at '*/none'*" shale images --store none
digest=$(small_image app:1)
both=$(two_platforms both)
shale images >out
same "heads" "$(head -n 1 out | tr -s ' ')" "NAME DIGEST PLATFORM LAYERS SIZE"
short=$(echo "$digest" | cut -c1-19)
grep -Eq "^localhost/app:1  +$short  +linux/[a-z0-9]+  +1  +[0-9.]+ [A-Za-z]+$" out || fail "$(cat out)"
grep -Eq "^localhost/both:latest  +$(echo "$both" | cut -c1-19)  +linux/[a-z0-9]+ \(\+\)  +1  " out || fail "$(cat out)"
same "--digests" "$(shale images --digests | sed -n 's/^localhost\/app:1 *\([^ ]*\) .*/\1/p')" "$digest"
shale images --json >images.json
same "size" "$(json images.json "d[0]['size']")" "$(wc -c <"$(blob "$(layers app:1)")")"
same "created" "$(json images.json "d[0]['created']")" 1980-01-01T00:00:00Z
# Of an index without this machine's platform, its first image that is there stands for it.
python3 - platforms/store <<'END'
import hashlib, json, sys
store = sys.argv[1]
with open(f"{store}/index.json") as f:
    top = json.load(f)
with open(f"{store}/blobs/{top['manifests'][0]['digest'].replace(':', '/')}") as f:
    index = json.load(f)
for m, architecture in zip(index["manifests"], ("mips64le", "ppc64")):
    m["platform"]["architecture"] = architecture
def put(doc, kind, **more):
    data = json.dumps(doc).encode()
    digest = hashlib.sha256(data).hexdigest()
    with open(f"{store}/blobs/sha256/{digest}", "wb") as f:
        f.write(data)
    return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(data), **more}
for m in index["manifests"]:
    with open(f"{store}/blobs/{m['digest'].replace(':', '/')}") as f:
        manifest = json.load(f)
    with open(f"{store}/blobs/{manifest['config']['digest'].replace(':', '/')}") as f:
        config = json.load(f)
    config["architecture"] = m["platform"]["architecture"]
    config["created"] = "2001-01-01T00:00:00Z"
    config["config"]["Labels"] = {"of": config["architecture"]}
    manifest["config"] = put(config, manifest["config"]["mediaType"])
    m.update(put(manifest, m["mediaType"]))
top["manifests"] = [put(index, index["mediaType"],
                        annotations={"org.opencontainers.image.ref.name": "far"})]
with open(f"{store}/index.json", "w") as f:
    json.dump(top, f)
END
shale import -q -t far:1 oci:platforms/store:far >/dev/null
shale images | grep -Eq "^localhost/far:1  +[^ ]+  +linux/mips64le \(\+\)  +1  +[0-9.]+ [A-Za-z]+$" || fail "$(shale images)"
same "its label" "$(shale images -q --filter label=of=mips64le | wc -l)" 1
same "before it" "$(shale images --names --filter before=far:1 | tr '\n' ' ')" "localhost/app:1 localhost/both:latest "
same "before another" "$(shale images --names --filter since=app:1)" "localhost/far:1"
shale images --json >images.json
same "as JSON" "$(json images.json "[(i['platform'], i['layers']) for i in d if i['name'] == 'localhost/far:1']")" \
  "[('linux/mips64le', 1)]"
shale rm far:1 >/dev/null
# An image that cannot be read is listed all the same.
rm "$(blob "$digest")"
same "a damaged image" "$(shale images | sed -n 's/^\(localhost\/app:1\) .* \(-\) .*/\1 \2/p')" "localhost/app:1 -"
same "--names" "$(shale images --names | tr '\n' ' ')" "localhost/app:1 localhost/both:latest "
expect 2 "*'--names' and '--json' exclude each other*" shale images --names --json
# Whatever a name holds, a line is one name.
python3 - "$SHALE_STORE/index.json" <<'END'
import json, sys
with open(sys.argv[1]) as f:
    index = json.load(f)
index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"] = "two\nlines \033[1m"
with open(sys.argv[1], "w") as f:
    json.dump(index, f)
END
same "a hostile name" "$(shale images --names)" 'two\nlines \x1b[1m
localhost/both:latest'
