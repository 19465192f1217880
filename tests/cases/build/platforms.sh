#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --platform with several makes an image for each and one index of them, which skopeo reads; each image is the one that a
# build for its platform alone makes.
# NEEDS: skopeo
# shellcheck disable=SC2016 # variables of the manifest
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
for arch in amd64 arm64 arm; do echo "$arch" >"context/app-$arch"; done
echo same >context/same
cat >context/Shalefile <<'END'
FROM scratch
ARG TARGETPLATFORM TARGETOS TARGETARCH TARGETVARIANT BUILDPLATFORM
ENV T="$TARGETPLATFORM $TARGETOS $TARGETARCH $TARGETVARIANT"
COPY same /
COPY app-$TARGETARCH /app
END
list=linux/amd64,linux/arm64,linux/arm/v7
digest=$(shale build -q --platform "$list" --iidfile iid --metadata-file report -t app:1 -t app:other context)
same "--iidfile" "$(cat iid)" "$digest"
same "names" "$(shale images --names | sort | paste -sd' ')" "localhost/app:1 localhost/app:other"

# The index: the members of the specification, the platforms in the order that was given.
source=oci:$SHALE_STORE:localhost/app:1
skopeo inspect --raw "$source" >index.json
same "the digest" "sha256:$(sha256sum <index.json | cut -d ' ' -f 1)" "$digest"
same "members" "$(json index.json "sorted(d)")" "['manifests', 'mediaType', 'schemaVersion']"
same "types" "$(json index.json "d['schemaVersion'], d['mediaType']")" "(2, 'application/vnd.oci.image.index.v1+json')"
same "members of entries" "$(json index.json "{' '.join(sorted(m)) for m in d['manifests']}")" \
  "{'digest mediaType platform size'}"
same "platforms" "$(json index.json "[m['platform'] for m in d['manifests']]")" \
  "[{'architecture': 'amd64', 'os': 'linux'}, {'architecture': 'arm64', 'os': 'linux'}, \
{'architecture': 'arm', 'os': 'linux', 'variant': 'v7'}]"
manifest_of() {
  json index.json "d['manifests'][$1]['digest']"
}
same "the report" "$(json report "d['containerimage.digest'], d['containerimage.descriptor']['mediaType'], \
[m['digest'] for m in d['containerimage.manifests']]")" \
  "('$digest', 'application/vnd.oci.image.index.v1+json', ['$(manifest_of 0)', '$(manifest_of 1)', '$(manifest_of 2)'])"
skopeo copy -q --all --preserve-digests "$source" oci:copy:app
same "skopeo's copy of all" "$(shale import -q --store other oci:copy:app)" "$digest"

# Each image, as skopeo chooses it, and as a build for it alone makes it, with other names for it.
at=0
while read -r arch target spelling variant; do
  skopeo inspect --config --override-arch "$arch" --override-variant "$variant" "$source" >config.json
  same "config of $arch" "$(json config.json "d['os'], d['architecture'], d.get('variant', ''), d['config']['Env'][-1]")" \
    "('linux', '$arch', '$variant', 'T=$target linux $arch $variant')"
  same "files of $arch" "$(shale cat --platform "$target" app:1 /app /same | paste -sd' ')" "$arch same"
  same "$arch alone" "$(shale build -q --platform "$spelling" -t alone context)" "$(manifest_of "$at")"
  at=$((at + 1))
done <<'END'
amd64 linux/amd64 linux/x86_64
arm64 linux/arm64 linux/arm64/v8
arm linux/arm/v7 linux/armhf v7
END
# What is the same for all is one blob.
for at in 0 1 2; do
  json "$(blob "$(manifest_of "$at")")" "d['layers'][0]['digest']"
done | uniq >shared
same "the shared layer" "$(wc -l <shared)" 1

# Reproducible: again, anew, in another store, with other spellings, twice, and repeated.
for options in "" --no-cache "--store fresh" "--workers 0"; do
  # shellcheck disable=SC2086 # words
  same "again, $options" "$(shale build -q $options --platform "$list" context)" "$digest"
done
same "repeated" "$(shale build -q --platform linux/amd64 --platform linux/arm64 --platform linux/arm context)" "$digest"
same "taken once" "$(shale build -q --platform "linux/x86_64,$list,linux/arm64/v8" --platform "$list" context)" "$digest"
[ "$(shale build -q --platform linux/arm64,linux/amd64,linux/arm/v7 context)" != "$digest" ] ||
  fail "the order of the platforms is not that of the index"
same "one in many spellings" "$(shale build -q --platform linux/arm64,linux/aarch64,linux/arm64/v8 context)" \
  "$(manifest_of 1)"

# On standard error each step, and at the end each manifest, names its platform; a warning for all is said once.
printf 'FROM scratch\nARG TARGETARCH\nCOPY none* /\nCOPY app-$TARGETARCH /app\n' >warn
shale build -f warn --platform linux/amd64,linux/arm64 --json context >report 2>err
same "steps" "$(grep -c '^\[linux/arm64 [1-3]/3\] ' err)" 3
same "warnings" "$(grep -c 'warning' err)" 1
same "manifests" "$(tail -n 2 err)" "$(json report "'\n'.join('linux/%s: %s' % (m['platform']['architecture'], m['digest'])
  for m in d['containerimage.manifests'])")"
shale fsck -q --read-data >/dev/null
