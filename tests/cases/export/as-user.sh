#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A normal user exports from his own store, whatever owners the files in the image have, to where he may write.
# NEEDS: root setpriv setfattr
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

make_rootfs tree
shale import -q -t app dir:tree >/dev/null
for form in oci-archive docker-archive rootfs; do
  shale export app "$form:root-$form.tar" >/dev/null
done
mkdir user closed
shale export app oci-archive:image.tar >/dev/null
chown 1000 user
export SHALE_STORE="$PWD/user/store"
as_user shale import -q oci-archive:image.tar >/dev/null
for form in oci-archive docker-archive rootfs; do
  as_user shale export app "$form:user/$form.tar" >/dev/null
  cmp "user/$form.tar" "root-$form.tar"
  same "owner" "$(stat -c %u "user/$form.tar")" 1000
  expect 1 "*cannot write 'closed/new': Permission denied" as_user shale export app "$form:closed/new"
done
as_user shale export app oci:user/layout >/dev/null
expect 1 "*'closed/new': cannot create the directory: Permission denied" as_user shale export app oci:closed/new
cp -r user/layout roots
chown -R 0:0 roots
expect 1 "*'roots': *Permission denied" as_user shale export app oci:roots:other
