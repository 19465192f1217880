#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The same as fault/errors, untraced, so that no path of error leaks memory or uses it wrongly.  Every call with --full, else a
# sample of each command.
# NEEDS: root skopeo setfattr
# TIMEOUT: 500
# SANITIZERS: only
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/fault.sh"

faulted leaks changes reads
