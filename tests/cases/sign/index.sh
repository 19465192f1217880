#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An image of several platforms is signed as a whole; --recursive signs each platform's manifest, too.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

digest=$(two_platforms app)
make_key team
sign app
for platform in amd64 arm64; do
  shale verify --json --key team.pub --platform "linux/$platform" app >verify.json
  same "digest" "$(json verify.json "d['digest']")" "$digest"
  same "manifest" "$(json verify.json "d['manifest']")" \
    "$(shale inspect --json --platform "linux/$platform" app >i.json && json i.json "d['manifest']")"
  same "content" "$(shale cat --platform "linux/$platform" app /arch)" "$platform"
done
expect 8 '*linux/amd64*' shale verify --key team.pub --platform linux/s390x app
arm=$(json verify.json "d['manifest']")
expect 6 '*' shale verify --key team.pub "app@$arm"
sign -r app
same "one platform" "$(shale verify --key team.pub --platform linux/arm64 "app@$arm")" "$arm"

# As buildx has it: an attestation beside each image.  It is about an image and is none.
python3 - platforms/store <<'END'
import hashlib, json, sys
store = sys.argv[1]
def put(doc, kind, **more):
    data = json.dumps(doc).encode()
    digest = hashlib.sha256(data).hexdigest()
    with open(f"{store}/blobs/sha256/{digest}", "wb") as f:
        f.write(data)
    return {"mediaType": kind, "digest": "sha256:" + digest, "size": len(data), **more}
with open(f"{store}/index.json") as f:
    top = json.load(f)
entry = next(m for m in top["manifests"] if "index" in m["mediaType"])
with open(f"{store}/blobs/{entry['digest'].replace(':', '/')}") as f:
    index = json.load(f)
statement = put({"_type": "https://in-toto.io/Statement/v0.1"}, "application/vnd.in-toto+json")
config = put({"architecture": "unknown", "os": "unknown", "config": {},
              "rootfs": {"type": "layers", "diff_ids": [statement["digest"]]}},
             "application/vnd.oci.image.config.v1+json")
kind = "application/vnd.oci.image.manifest.v1+json"
for image in list(index["manifests"]):
    index["manifests"].append(
        put({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [statement]}, kind,
            annotations={"vnd.docker.reference.type": "attestation-manifest",
                         "vnd.docker.reference.digest": image["digest"]},
            platform={"architecture": "unknown", "os": "unknown"}))
top["manifests"] = [put(index, index["mediaType"],
                        annotations={"org.opencontainers.image.ref.name": "attested"})]
with open(f"{store}/index.json", "w") as f:
    json.dump(top, f)
END
shale import -q -t attested:1 oci:platforms/store:attested >/dev/null
shale sign --json -r --key team.key --passphrase-file pass attested:1 >signed.json
same "signatures" "$(json signed.json "[d['added'], d['kept']]")" "[3, 0]"
for platform in amd64 arm64; do
  shale verify --key team.pub --platform "linux/$platform" attested:1 >/dev/null
done
same "one platform" "$(shale verify --key team.pub "attested@$arm" --identity attested:1)" "$arm"

# A platform that cannot be signed: nothing is.
before=$(cat "$SHALE_STORE/index.json")
flip "$(blob "$arm")" 20
expect 5 '*attested*' shale sign -r --key team.key --passphrase-file pass --identity other:1 attested:1
same "index.json" "$(cat "$SHALE_STORE/index.json")" "$before"
