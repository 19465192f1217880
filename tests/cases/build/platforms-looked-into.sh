#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every command works on an index that was built: what looks into it takes --platform, what signs, exports or removes it
# takes all of it.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context mnt
for arch in amd64 arm64; do seq "${#arch}" 100 >"context/app-$arch"; done
echo more >>context/app-arm64
echo same >context/same
cat >manifest <<'END'
FROM scratch
ARG TARGETARCH
COPY same /
COPY app-$TARGETARCH /app
LABEL arch=$TARGETARCH
END
list=linux/amd64,linux/arm64
digest=$(shale build -q -f manifest --platform $list -t app:1 context)
same "inspect --raw" "sha256:$(shale inspect --raw app:1 | sha256sum | cut -d ' ' -f 1)" "$digest"
same "images" "$(shale images --json >images.json && json images.json "[(i['name'], i['digest']) for i in d]")" \
  "[('localhost/app:1', '$digest')]"

make_key team
shale sign --key team.key --passphrase-file pass -r app:1 >/dev/null
shale export app:1 oci:layout:app >/dev/null
for arch in amd64 arm64; do
  on="--platform linux/$arch"
  # shellcheck disable=SC2086 # an option and its value
  {
    shale cat $on app:1 /app | cmp - "context/app-$arch"
    same "ls, $arch" "$(shale ls $on app:1 | paste -sd' ')" "app same"
    shale cp $on app:1:/app "copy-$arch"
    cmp "copy-$arch" "context/app-$arch"
    shale inspect --json $on app:1 >inspect.json
    same "inspect, $arch" "$(json inspect.json "d['digest'], d['platform'], d['config']['config']['Labels']['arch'], \
[m['platform'] for m in d['manifests']]")" "('$digest', 'linux/$arch', '$arch', ['linux/amd64', 'linux/arm64'])"
    manifest=$(json inspect.json "d['manifest']")
    shale size --json $on app:1 >size.json
    same "size, $arch" "$(json size.json "d['content']")" "$(cat context/same "context/app-$arch" | wc -c)"
    shale history $on app:1 >steps
    grep -q "arch=$arch" steps || fail "history, $arch: $(cat steps)"
    same "diff, $arch" "$(shale diff $on "app:1@$manifest" app:1)" ""
    same "verify, $arch" "$(shale verify --key team.pub $on app:1)" "$digest"
    same "verify one, $arch" "$(shale verify --key team.pub "app:1@$manifest")" "$manifest"
    shale mount --key team.pub $on app:1 mnt
    cmp mnt/app "context/app-$arch"
    shale umount mnt
    same "export, $arch" "$(shale export $on app:1 "docker-archive:$arch.tar")" "$manifest"
    same "by skopeo's rules, $arch" "$(shale import -q --store "$arch" $on -t one oci:layout:app)" "$manifest"
  }
done
same "what differs" "$(shale diff "app:1@$manifest" "app:1@$(json inspect.json "d['manifests'][0]['digest']")")" "C /app"
same "export and import of all" "$(shale import -q --store back oci:layout:app)" "$digest"
same "its signature" "$(shale verify --store back --key team.pub --identity localhost/app:1 --platform linux/arm64 \
  "$(shale images --store back --names)")" "$digest"

# gc keeps all of it while it has a name, with a layer that another build remembers, and nothing after that.
shale build -q -f manifest --platform linux/amd64 -t one context >/dev/null
blobs=$(find "$SHALE_STORE/blobs" -type f | wc -l)
shale gc -q
same "blobs" "$(find "$SHALE_STORE/blobs" -type f | wc -l)" "$blobs"
shale fsck -q --read-data >/dev/null
shale tag app:1 app:2
shale rm app:1 >/dev/null
shale gc -q
shale cat --platform linux/arm64 app:2 /app | cmp - context/app-arm64
shale rm app:2 >/dev/null
shale gc -q
shale fsck -q --read-data >/dev/null
# The manifest, the config and two layers of the other build, whose manifest is the signed one of amd64: three more.
same "blobs of one" "$(find "$SHALE_STORE/blobs" -type f | wc -l)" 7
shale rm one >/dev/null
shale gc -q
same "blobs of none" "$(find "$SHALE_STORE/blobs" -type f | wc -l)" 0
# What is not whole is said.
digest=$(shale build -q -f manifest --platform $list -t app context)
rm "$(blob "$(json "$(blob "$digest")" "d['manifests'][1]['digest']")")"
expect 5 "*localhost/app:latest*" shale fsck
