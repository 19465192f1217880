#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A full disk and a broken disk, at whichever system call on the store: the command says so and ends
# with 7, leaves no litter, and works the next time.  Every call with --full, else about twenty of each command.
# NEEDS: root strace
# TIMEOUT: 400
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/fault.sh"

for error in ENOSPC EIO; do
  for name in build-new build import-oci import-dir sign tag rm gc; do
    faulted "$error" "$name"
  done
done
