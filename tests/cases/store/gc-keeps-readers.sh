#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An image that is removed while a command reads it, and gc after that, take nothing from the command: each is stopped as
# soon as it has its lease, and goes on when its image is gone for all others.
# NEEDS: flock
# TIMEOUT: 200
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir layout
# A layer that has to be read and framed anew takes a while.
python3 - "$SHALE_SOURCE/tests/hostile" <<'END'
import gzip, random, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from layout import LAYER, tar_of, write_image
content = random.Random(4).randbytes(30000000)
with open("big", "wb") as f:
    f.write(content)
tar = tar_of([("big", content)])
write_image("layout", [(LAYER + "+gzip", gzip.compress(tar, 0, mtime=0), tar)])
END
make_key team

has_lease() {
  grep -qs "^$digest\$" "$SHALE_STORE"/shale/leases/*
}

is_stopped() {
  kill -STOP "$pid" && ! is_gone "$pid" || return 1
  # Not while it holds the lock that gc waits for.
  flock -n "$SHALE_STORE/shale/gc.lock" true && return 0
  kill -CONT "$pid"
  return 1
}

# caught COMMAND...: it runs, and is stopped with a lease.
caught() {
  rm -rf "$SHALE_STORE"/shale/layers/* "$SHALE_STORE"/shale/catalogs/* copied
  "$@" >out 2>err &
  pid=$!
  until has_lease; do
    if is_gone "$pid"; then
      wait "$pid" || fail "'$*' ended with $?: $(cat err)"
      return 1
    fi
  done
  wait_for is_stopped
}

# kept COMMAND...: it ends well, though its image is gone before it is half done; its output is in `out`.
kept() {
  shale import -q -t app oci:layout >/dev/null
  digest=$(inspect app "d['digest']")
  sign app
  tries=0
  # On a busy machine it may be done before anybody looked.
  until caught "$@"; do
    tries=$((tries + 1))
    [ "$tries" -lt 5 ] || fail "'$*' had no lease: $(cat err)"
  done
  shale rm app >/dev/null
  timeout 20 shale gc >/dev/null || fail "gc beside '$*'"
  kill -CONT "$pid"
  wait "$pid" || fail "'$*' ended with $?: $(cat err)"
  shale gc >/dev/null
  same "blobs after '$*'" "$(find "$SHALE_STORE/blobs" -type f | wc -l)" 0
}

kept shale verify -q --key team.pub app
same "verify" "$(cat out)" "$digest"
kept shale ls app
same "ls" "$(cat out)" big
kept shale cat app /big
cmp out big
kept shale cp -q app:/big copied
cmp copied big
