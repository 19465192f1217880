#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An OCI archive is the same bytes whenever it is made, is read by skopeo, GNU tar and bsdtar, and comes back with its
# digest and name, from a file and from a pipe.
# NEEDS: root skopeo umoci setfattr bsdtar
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

umoci_layout
shale import -q -t app:1 oci:layout:app >/dev/null
digest=$(inspect app:1 "d['digest']")

same "what is printed" "$(shale export app:1 oci-archive:app.tar)" "$digest"
touch -d '2001-02-03' "$SHALE_STORE"/blobs/sha256/*
(
  umask 077
  TZ=Asia/Tokyo LC_ALL=C.UTF-8 shale export app:1 oci-archive:again.tar >/dev/null
)
cmp app.tar again.tar
same "mode by the umask" "$(stat -c %a app.tar again.tar)" "644
600"
shale export app:1 oci-archive:- | cmp - app.tar
shale export app:1 - >redirected.tar
cmp app.tar redirected.tar
shale export -q --workers 0 app:1 oci-archive:again.tar >/dev/null
cmp app.tar again.tar

same "the first members" "$(tar tf app.tar | head -n 4)" "oci-layout
index.json
blobs/
blobs/sha256/"
same "metadata" "$(TZ=UTC tar tvf app.tar --numeric-owner | sed 's/  */ /g' | cut -d ' ' -f 1,2,4,5 | sort -u)" \
  "-rw-r--r-- 0/0 1970-01-01 00:00
drwxr-xr-x 0/0 1970-01-01 00:00"
for program in tar bsdtar; do
  mkdir "with-$program"
  "$program" -xf app.tar -C "with-$program"
done
shale export app:1 oci:out >/dev/null
diff -r with-tar out
diff -r with-bsdtar out

same "skopeo" "$(skopeo inspect --raw oci-archive:app.tar | sha256sum)" "${digest#sha256:}  -"
skopeo --insecure-policy copy -q oci-archive:app.tar:localhost/app:1 oci:copy:1
same "skopeo's copy" "$(json copy/index.json "d['manifests'][0]['digest']")" "$digest"

same "what comes back" "$(shale import -q --store back oci-archive:app.tar)" "$digest"
shale images --store back --json >back.json
same "its name" "$(json back.json "[i['name'] for i in d]")" "['localhost/app:1']"
shale export --store back app:1 oci-archive:again.tar >/dev/null
cmp app.tar again.tar

# Under another name.
shale export app:1 oci-archive:other.tar:registry.example:5000/team/app:2 >/dev/null
same "another name" "$(shale import -q --json --store other oci-archive:other.tar >r.json && json r.json "d['names']")" \
  "['registry.example:5000/team/app:2']"
