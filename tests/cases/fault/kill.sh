#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Whichever system call of a command is its last one, the store is whole, what it writes elsewhere is there whole or not at
# all, the same command then works, and gc leaves no litter.  Every call with --full, else about ten of each command.
# NEEDS: root strace skopeo setfattr
# TIMEOUT: 400
# SANITIZERS: no
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/fault.sh"

faulted kill changes commit cat cp
