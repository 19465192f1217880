#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A full disk, a full quota, a broken disk, and no descriptor or thread to be had, at whichever system call on the store,
# the output or a source, reads too: the command says so and ends with 7, leaves no litter, and works the next time.  In a
# usual run it is fault/leaks that fails some of these calls.
# NEEDS: root strace skopeo setfattr
# TIMEOUT: 500
# FULL: only
# SANITIZERS: no
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/fault.sh"

faulted errors changes reads
