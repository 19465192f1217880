#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A full disk, a full quota and a broken disk, at whichever system call on the store or a source, reads too: the command
# says so and ends with 7, leaves no litter, and works the next time.  Every call with --full, else a sample of each command.
# NEEDS: root strace skopeo setfattr
# TIMEOUT: 500
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/fault.sh"

for error in ENOSPC EDQUOT EIO; do
  for name in build-new build build-parallel import-oci import-oci-archive import-docker-archive import-dir import-rootfs \
    sign tag rm gc cat export-oci export-oci-archive \
    export-docker-archive export-rootfs; do
    faulted "$error" "$name"
  done
done
