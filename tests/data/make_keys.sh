#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes tests/data/keys/: keys and signatures by openssl and tests/support/keyfile.py, for tests
# only.  The seeds are published ones: RFC 8032, 7.1, test 1, and RFC 6979, A.2.5.
# Needs openssl, python3.  Run it in tests/data.  Only ECDSA's signatures and the RSA,
# P-384 and X25519 keys differ from run to run.
set -eu
export LC_ALL=C
umask 022

out=$PWD/keys
keyfile=$PWD/../support/keyfile.py
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$out"
mkdir -p "$out"
cd "$work"

unhex() {
	python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.argv[1]))' "$1"
}

seed=9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60
unhex "302e020100300506032b657004220420$seed" >ed25519.der
scalar=c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721
point=0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6
point=${point}7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299
unhex "30770201010420${scalar}a00a06082a8648ce3d030107a144034200$point" >sec1.der
openssl pkcs8 -topk8 -nocrypt -inform DER -in sec1.der -outform DER -out p256.der
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -outform DER -out rsa.der 2>/dev/null
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -outform DER -out p384.der
for k in rsa p384; do
	openssl pkcs8 -topk8 -nocrypt -inform DER -in $k.der -outform DER -out $k.p8
	mv $k.p8 $k.der
done
openssl genpkey -algorithm X25519 -outform DER -out x25519.der

for k in ed25519 p256 rsa p384 x25519; do
	openssl pkey -inform DER -in $k.der -pubout -out "$out/$k.pub"
done
openssl rsa -inform DER -in rsa.der -RSAPublicKey_out -out "$out/rsa-pkcs1.pub" 2>/dev/null
openssl ec -inform DER -in p256.der -pubout -conv_form compressed \
	-out "$out/p256-compressed.pub" 2>/dev/null
openssl ec -inform DER -in p256.der -pubout -param_enc explicit \
	-out "$out/p256-explicit.pub" 2>/dev/null

# Signatures of openssl over a payload.
printf '%s' '{"critical":{"identity":{"docker-reference":"localhost/app:1"},"image":{"docker-manifest-digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},"type":"cosign container image signature"},"optional":null}' \
	>"$out/payload.json"
openssl pkeyutl -sign -rawin -keyform DER -inkey ed25519.der -in "$out/payload.json" \
	-out "$out/payload.ed25519.sig"
openssl pkeyutl -sign -rawin -digest sha256 -keyform DER -inkey p256.der -in "$out/payload.json" \
	-out "$out/payload.p256.sig"

# Key files.  Salt and nonce are fixed, which nobody but a test should do.
salt=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
nonce=202122232425262728292a2b2c2d2e2f3031323334353637
box() {
	python3 "$keyfile" encrypt "$1" --salt $salt --nonce $nonce \
		--passphrase "$3" --cost "$4" --type "ENCRYPTED $5 PRIVATE KEY" >"$out/$2.key"
}
box ed25519.der cosign-ed25519-32768 'open sesame' 32768 COSIGN
box ed25519.der cosign-ed25519-65536 'open sesame' 65536 COSIGN
box ed25519.der cosign-ed25519-131072 'open sesame' 131072 COSIGN
box ed25519.der sigstore-ed25519-65536 'open sesame' 65536 SIGSTORE
box ed25519.der cosign-ed25519-empty '' 32768 COSIGN
box p256.der cosign-p256-32768 'open sesame' 32768 COSIGN
box p256.der sigstore-p256-65536 'open sesame' 65536 SIGSTORE
box rsa.der cosign-rsa 'open sesame' 32768 COSIGN
box p384.der cosign-p384 'open sesame' 32768 COSIGN
printf 'not a key' >text.der
box text.der cosign-text 'open sesame' 32768 COSIGN
openssl pkey -inform DER -in ed25519.der -out "$out/plain-ed25519.pem"
openssl pkey -inform DER -in ed25519.der -out "$out/openssl-encrypted.pem" -aes128 \
	-passout 'pass:open sesame'
# An image, and what signing it as localhost/app:1 must give, byte for byte.
python3 - "$out" ed25519.der <<'PY'
import base64, hashlib, json, subprocess, sys
out, key = sys.argv[1:]

def digest(b):
    return "sha256:" + hashlib.sha256(b).hexdigest()

head = bytearray(512)
for at, text in ((0, b"file"), (100, b"0000644"), (108, b"0000000"), (116, b"0000000"),
                 (124, b"%011o" % 6), (136, b"02263123400"), (148, b" " * 8), (156, b"0"),
                 (257, b"ustar\00000")):
    head[at:at + len(text)] = text
head[148:156] = b"%06o\0 " % sum(head)
layer = bytes(head) + b"hello\n".ljust(512, b"\0") + bytes(1024)
oci = "application/vnd.oci.image."
config = ('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["%s"]}}'
          % digest(layer)).encode()
manifest = ('{"schemaVersion":2,"mediaType":"%smanifest.v1+json","config":{"mediaType":"%sconfig.v1+json",'
            '"digest":"%s","size":%d},"layers":[{"mediaType":"%slayer.v1.tar","digest":"%s","size":%d}]}'
            % (oci, oci, digest(config), len(config), oci, digest(layer), len(layer))).encode()
payload = ('{"critical":{"identity":{"docker-reference":"localhost/app:1"},"image":'
           '{"docker-manifest-digest":"%s"},"type":"cosign container image signature"},"optional":null}'
           % digest(manifest)).encode()
open("payload", "wb").write(payload)
subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", key,
                "-in", "payload", "-out", "sig"], check=True)
sig_config = ('{"architecture":"","os":"","config":{},"rootfs":{"type":"layers","diff_ids":["%s"]}}'
              % digest(payload)).encode()
artifact = {
    "schemaVersion": 2, "mediaType": oci + "manifest.v1+json",
    "config": {"mediaType": oci + "config.v1+json", "digest": digest(sig_config),
               "size": len(sig_config)},
    "layers": [{"mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
                "digest": digest(payload), "size": len(payload),
                "annotations": {"dev.cosignproject.cosign/signature":
                                base64.b64encode(open("sig", "rb").read()).decode()}}],
}
open(out + "/known.image", "w").write(digest(manifest))
open(out + "/known.artifact.json", "w").write(json.dumps(artifact, sort_keys=True,
                                                         separators=(",", ":")))
PY
chmod 600 "$out"/*.key "$out"/*.pem
ls -l "$out"
