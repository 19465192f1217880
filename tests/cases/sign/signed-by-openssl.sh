#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A signature that openssl made over the payload, put into the artifact by hand, is verified like one of shale.
# NEEDS: openssl
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

digest=$(small_image app:1)
make_key team
sign app:1
signature app:1
# resign KEY: replaces the signature in the artifact by one of openssl.
resign() {
  openssl "$@" || fail "openssl $*"
  shale rm "localhost/app:$(echo "$digest" | tr : -).sig" >/dev/null
  python3 - "$SHALE_STORE" "$digest" <<'END'
import base64, hashlib, json, os, sys
store, digest = sys.argv[1:]
def put(data):
    name = hashlib.sha256(data).hexdigest()
    with open(f"{store}/blobs/sha256/{name}", "wb") as f:
        f.write(data)
    return {"digest": f"sha256:{name}", "size": len(data)}
config = {"mediaType": "application/vnd.oci.image.config.v1+json", **put(b"{}")}
layer = {"mediaType": "application/vnd.dev.cosign.simplesigning.v1+json", **put(open("payload", "rb").read()),
         "annotations": {"dev.cosignproject.cosign/signature": base64.b64encode(open("made", "rb").read()).decode()}}
kind = "application/vnd.oci.image.manifest.v1+json"
manifest = put(json.dumps({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [layer]}).encode())
with open(f"{store}/index.json") as f:
    index = json.load(f)
tag = digest.replace(":", "-") + ".sig"
index["manifests"].append({"mediaType": kind, **manifest,
                           "annotations": {"org.opencontainers.image.ref.name": f"localhost/app:{tag}"}})
with open(f"{store}/index.json", "w") as f:
    json.dump(index, f)
END
}
openssl genpkey -algorithm ed25519 -out ed.pem
openssl pkey -in ed.pem -pubout -out ed.pub
resign pkeyutl -sign -rawin -inkey ed.pem -in payload -out made
same "Ed25519" "$(shale verify --key ed.pub app:1)" "$digest"
expect 6 '*' shale verify --key team.pub app:1
openssl ecparam -name prime256v1 -genkey -noout -out ec.pem
openssl ec -in ec.pem -pubout -out ec.pub 2>/dev/null
resign dgst -sha256 -sign ec.pem -out made payload
same "P-256" "$(shale verify --key ec.pub app:1)" "$digest"
expect 6 '*' shale verify --key ed.pub app:1
