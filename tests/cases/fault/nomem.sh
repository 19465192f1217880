#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Whichever allocation of memory fails, a library's too: the command says so and ends with 1, or copes; it leaves no litter,
# and the store is whole. (The sanitizers bring an allocator of their own, which this does not see.)  Every allocation with --full, else about ten of each command.
# NEEDS: root cc skopeo setfattr
# TIMEOUT: 600
# SANITIZERS: no
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/fault.sh"

cc -O2 -Wall -fPIC -shared -o nomem.so "$SHALE_SOURCE/tests/support/nomem.c"
for name in build-new build import-oci import-oci-archive import-docker-archive import-dir import-rootfs sign tag rm gc cat; do
  faulted nomem "$name"
done
