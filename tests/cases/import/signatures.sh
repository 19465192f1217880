#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Signatures that lie beside an image come with it, and are not lost when it is imported again.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir tree
echo hello >tree/hello
shale import -q -t app:1 dir:tree >/dev/null
printf 'secret\n' >pass
for key in one two; do
  shale keygen --passphrase-file pass "$key" >/dev/null
done
shale sign --key one.key --passphrase-file pass app:1 >/dev/null
digest=$(inspect app:1 "d['digest']")

shale import --store other "oci:$SHALE_STORE:localhost/app:1" >/dev/null
expect 0 "*" shale verify --store other --key one.pub app:1
shale import --store other "oci:$SHALE_STORE:localhost/app:1" -t registry.example/moved:2 >/dev/null
same "refs" "$(json other/index.json "sorted(m['annotations']['org.opencontainers.image.ref.name'] for m in d['manifests'])[2:]")" \
  "['registry.example/moved:2', 'registry.example/moved:sha256-${digest#sha256:}.sig']"

# The other store signs on its own; what it has stays, and what is more arrives.
shale sign --store other --key two.key --passphrase-file pass app:1 >/dev/null
shale import --store other "oci:$SHALE_STORE:localhost/app:1" >/dev/null 2>warning
expect 0 "*" shale verify --store other --key two.pub app:1
shale import "oci:other:localhost/app:1" >/dev/null
expect 0 "*" shale verify --key two.pub app:1
expect 0 "*" shale verify --key one.pub app:1
