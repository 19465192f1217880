#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Whatever a power failure takes of what a command had not synced, in whichever order the disk wrote: the store is whole, no
# image that was there is gone, an export is there whole or not at all, nothing is lost that a command had said, the same
# command works, and gc leaves no litter.  Every disk that can be left with --full, else about six of each command.
# NEEDS: root strace skopeo setfattr
# TIMEOUT: 400
# SANITIZERS: no
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/fault.sh"

faulted power changes commit cat
