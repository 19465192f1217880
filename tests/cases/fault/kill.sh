#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Whichever system call of a command is its last one, the store is whole, the same command then works, and gc leaves
# no litter.  Every call with --full, else about fifteen of each command.
# NEEDS: root strace skopeo setfattr
# TIMEOUT: 400
# SANITIZERS: no
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/fault.sh"

for name in build-new build build-parallel import-oci import-oci-archive import-docker-archive import-dir import-rootfs sign tag rm gc cat export-oci export-oci-archive \
  export-docker-archive export-rootfs; do
  faulted kill "$name"
done
