#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# With too few file descriptors a command says so, at whichever open it runs out, and harms nothing.
# NEEDS: skopeo setfattr
# TIMEOUT: 120
# SANITIZERS: no
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/fault.sh"

# starved STATUS-AFTER COMMAND...: with 3, 4, ... descriptors until it succeeds.
starved() {
  for limit in $(seq 3 64); do
    rm -rf work
    cp -a kept work
    got=0
    (
      # shellcheck disable=SC3045 # dash has it
      ulimit -n "$limit"
      exec "$@"
    ) >out 2>err || got=$?
    SHALE_STORE=$PWD/work/store shale fsck --read-data -q >/dev/null
    [ -z "$(ls work/store/shale/leases)" ] || fail "'$*' left a lease"
    [ "$got" -ne 0 ] || break
    # Below that the program itself is not loaded, which is not shale's message.
    if [ "$limit" -ge 4 ]; then
      same "exit status of '$*' with $limit" "$got: $(cat err)" "7: $(cat err)"
      grep -q '^shale: .*Too many open files' err || fail "'$*' with $limit said: $(cat err)"
    fi
  done
  same "'$*' in the end" "$got" 0
  echo "'$*' needs $limit descriptors"
}

export SHALE_STORE="$PWD"/work/store
starved shale build -q --workers 0 -f two -t next context
starved shale build -q --workers 2 -f two -t next context
starved shale import -q -t app oci:layout
starved shale import -q -t new dir:rootfs
starved shale sign --key kept/team.key --passphrase-file pass app
starved shale tag app other:2
starved shale rm app
starved shale gc
starved shale cat app /hello
starved shale cp app:/. copied
starved shale fsck
