#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Whichever allocation of memory fails, a library's too: the command says so and ends with 1, or copes; it leaves no litter
# and no memory, and the store is whole.  Every allocation with --full, else about six of each command.
# NEEDS: root skopeo setfattr
# TIMEOUT: 600
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/fault.sh"

faulted nomem changes reads commit diff-session
