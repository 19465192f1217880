#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ADD of a tar for several platforms: it is unpacked for each as for one, and what is left out of it is told once.
# shellcheck disable=SC2016 # variables of the manifest
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
python3 - <<'END'
import tarfile
for name, tool in ("plain.tar", ""), ("packed.tar", "xz"), ("amd64.tar", ""), ("arm64.tar", ""):
    with tarfile.open("context/" + name, "w:" + tool, format=tarfile.PAX_FORMAT) as tar:
        for file in name + ".1", name + ".2":
            f = tarfile.TarInfo(file)
            f.pax_headers = {"SCHILY.acl.access": "user::rw-,user:guest:r--:1001,group::r--,mask::r--,other::r--"}
            tar.addfile(f)
END
cat >context/Shalefile <<'END'
FROM scratch
ADD plain.tar packed.tar /a/
ARG TARGETARCH
ADD $TARGETARCH.tar /a/
ADD plain.tar /b/
END
shale build -q -t app --platform linux/amd64,linux/arm64 context >/dev/null 2>told
# In the order of the build; each is another file, or the only platform that has it.
same "what is told" "$(cat told)" "$(for name in plain packed amd64 arm64; do
  echo "shale: warning: '$name.tar': ACLs of 2 files are left out, the first of '$name.tar.1'"
done)"
for arch in amd64 arm64; do
  same "files of $arch" "$(shale ls -R --platform "linux/$arch" app / | paste -sd' ')" \
    "/a /a/$arch.tar.1 /a/$arch.tar.2 /a/packed.tar.1 /a/packed.tar.2 /a/plain.tar.1 /a/plain.tar.2 /b /b/plain.tar.1 /b/plain.tar.2"
  shale inspect --json --platform "linux/$arch" app >inspect.json
  same "$arch alone" "$(shale build -q --platform "linux/$arch" context 2>/dev/null)" "$(json inspect.json "d['manifest']")"
done
# Nothing of what was unpacked stays in the store.
same "the rest" "$(find "$SHALE_STORE/tmp" -type f 2>/dev/null)" ""
