#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Owners by name and by number are those that buildah gives to the same files of the same manifest.
# NEEDS: root buildah
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

export HOME="$PWD"
storage="--root $PWD/root --runroot $PWD/run --storage-driver vfs"

mkdir context
echo x >context/x
printf 'root:x:0:0::/:\nal:x:1001:1002::/:\n' >context/passwd
printf 'root:x:0:\nstaff:x:50:\n' >context/group
cat >context/Dockerfile <<'END'
FROM scratch
COPY passwd group /etc/
COPY --chown=al x /name
COPY --chown=al:staff x /name-and-group
COPY --chown=al:7 x /name-and-number
COPY --chown=9 x /number
COPY --chown=9:staff x /number-and-group
END
shale build -q -t ours context >/dev/null
files ours | grep -v '^/etc' >ours.files
same "owners" "$(cut -d' ' -f1,3 ours.files | paste -sd' ')" \
  "/name 1001:1002 /name-and-group 1001:50 /name-and-number 1001:7 /number 9:9 /number-and-group 9:50"
# shellcheck disable=SC2086 # several words
buildah $storage bud -q --isolation chroot -t theirs context >/dev/null 2>err || skip "buildah does not work here: $(cat err)"
# shellcheck disable=SC2086
buildah $storage push -q theirs oci-archive:theirs.tar:theirs
shale import -t theirs oci-archive:theirs.tar >/dev/null
files theirs | grep -v '^/etc' >theirs.files
diff -u theirs.files ours.files >&2 || fail "buildah gives other owners"
