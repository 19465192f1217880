#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a tar says and an image cannot keep is told once for an import: ACLs as text, times out of range.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

python3 - <<'END'
import tarfile
def add(tar, name, **pax):
    f = tarfile.TarInfo(name)
    f.pax_headers = {key.replace("_", "."): value for key, value in pax.items()}
    tar.addfile(f)
acl = "user::rw-,user:guest:r--:1001,group::r--,mask::r--,other::r--"
with tarfile.open("acls.tar", "w", format=tarfile.PAX_FORMAT) as tar:
    add(tar, "plain")
    add(tar, "a'file", SCHILY_acl_access=acl)
    add(tar, "dir", SCHILY_acl_access=acl, SCHILY_acl_default=acl)
with tarfile.open("times.tar", "w", format=tarfile.PAX_FORMAT) as tar:
    add(tar, "early", mtime="-99999999999999999999")
    add(tar, "now", mtime="1700000000")
    add(tar, "late", mtime="99999999999999999999")
    add(tar, "later", mtime="99999999999999999999.5")
with tarfile.open("clean.tar", "w", format=tarfile.PAX_FORMAT) as tar:
    add(tar, "plain")
END
acls="shale: warning: ACLs of 2 files are left out, the first of 'a\\'file'"
times="shale: warning: mtimes of 3 files are out of range and clamped, the first of 'early'"
for name in acls times clean; do
  shale import -q -t "$name" "rootfs:$name.tar" >/dev/null 2>"$name.told"
done
same "of ACLs" "$(cat acls.told)" "$acls"
same "of times" "$(cat times.told)" "$times"
same "of nothing" "$(cat clean.told)" ""

# Of an image's layers, all together.
skopeo --version >/dev/null 2>&1 && umoci --version >/dev/null 2>&1 || exit 0
umoci init --layout layout
umoci new --image layout:app
umoci raw add-layer --image layout:app acls.tar
umoci raw add-layer --image layout:app times.tar
shale import -q -t app oci:layout:app >/dev/null 2>image
same "of an image" "$(cat image)" "$acls
$times"
