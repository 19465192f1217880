#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# examples/debian.sh does what it says, and leaves nothing; with --full also with a root that mmdebstrap makes.
# NEEDS: root fuse apt-get dpkg-deb dpkg-scanpackages mmdebstrap
# TIMEOUT: 120
# SANITIZERS: no
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_CASES/edit-command/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/debian.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/debian_packages.sh"

mkdir tmp
TMPDIR=$PWD/tmp
export TMPDIR

# example ARGUMENT...: its output is in `out`.
example() {
  status=0
  sh "$SHALE_SOURCE/examples/debian.sh" "$@" >out 2>&1 || status=$?
  same "its status, after $(tail -n 5 out)" "$status" 0
  is_clean || fail "left: $(ls -A tmp)"
}

debian_root root
add_repositories root
example beta "$PWD/root"
grep -q '^A .* /usr/lib/alpha/tool.alpha$' out || fail "nothing was installed: $(cat out)"
grep -q '^C /var/lib/dpkg/status$' out || fail "nothing was removed: $(cat out)"
grep -q '^[AC] /usr/lib/alpha' out && fail "something was not removed: $(cat out)"
[ -z "$SHALE_FULL" ] || example
expect 1 "debian.sh: only root can *" as_user sh "$SHALE_SOURCE/examples/debian.sh"
