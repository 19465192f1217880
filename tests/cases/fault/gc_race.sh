#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# gc again and again beside builds, imports, tags, removals, signing and mounts takes nothing that is used; and when all
# is quiet it leaves exactly what is referenced.  60 rounds, 1000 with --full.
# NEEDS: root fuse
# TIMEOUT: 300
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

rounds=60
[ -z "${SHALE_FULL:-}" ] || rounds=1000

mkdir context
seq 20000 >context/numbers
python3 - "$SHALE_SOURCE/tests/hostile" <<'END'
import gzip, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from layout import LAYER, tar_of, write_image
tar = tar_of([("file", b"imported\n" * 20000)])
write_image("layout", [(LAYER + "+gzip", gzip.compress(tar, mtime=0), tar)])
END
printf 'FROM scratch\nCOPY numbers /\n' | build_text kept context >/dev/null
make_key team

# Each goes on until the file `stop` is there, and leaves the file `failed` when something is wrong.
repeat() {
  repeat_round=0
  while [ ! -e stop ]; do
    repeat_round=$((repeat_round + 1))
    # A condition would switch `set -e` off in the subshell.
    set +e
    (
      set -e
      "$1" "$repeat_round"
    ) >"log.$1" 2>&1
    repeat_status=$?
    set -e
    if [ "$repeat_status" -ne 0 ]; then
      cp "log.$1" "failed.$1"
      echo "$1 $repeat_round ended with $repeat_status" >>"failed.$1"
      return
    fi
  done
  echo "$repeat_round" >"rounds.$1"
}

builds() {
  printf 'FROM scratch\nLABEL round=%s\nCOPY --chown=%s numbers /\n' "$1" "$1" | build_text "built:$1" context
  shale cat "built:$1" /numbers | cmp - context/numbers
  shale rm "built:$1"
}

builds_on() {
  printf 'FROM kept\nLABEL round=%s\nCOPY numbers /more-%s\n' "$1" "$1" | build_text on context
  shale cat on /numbers "/more-$1" >on.out
  cat context/numbers context/numbers | cmp - on.out
}

imports() {
  shale import -q -t imported oci:layout
  [ "$(shale cat imported /file | wc -l)" -eq 20000 ]
  shale rm imported
}

tags() {
  shale tag kept "name:$1"
  shale cat "name:$1" /numbers | cmp - context/numbers
  shale rm "name:$1"
}

signs() {
  printf 'FROM scratch\nLABEL signed=%s\nCOPY numbers /\n' "$1" | build_text "signed:$1" context
  sign "signed:$1"
  shale verify -q --key team.pub "signed:$1"
  shale rm "signed:$1"
}

mounts() {
  printf 'FROM scratch\nLABEL mounted=%s\nCOPY --chown=0:%s numbers /\n' "$1" "$1" | build_text "mounted:$1" context
  mkdir -p mnt
  shale mount "mounted:$1" mnt
  shale rm "mounted:$1"
  sleep 0.1
  cmp mnt/numbers context/numbers
  shale umount mnt
}

pids=
for job in builds builds_on imports tags signs mounts; do
  repeat "$job" &
  pids="$pids $!"
done
round=0
while [ "$round" -lt "$rounds" ] && ! ls failed.* >/dev/null 2>&1; do
  round=$((round + 1))
  shale gc >gc.out 2>&1 || fail "gc $round: $(cat gc.out)"
done
: >stop
for pid in $pids; do
  wait "$pid"
done
! ls failed.* >/dev/null 2>&1 || fail "$(cat failed.*)"
echo "$rounds rounds of gc beside $(cat rounds.* | paste -sd+) rounds of work"

shale fsck --read-data -q >/dev/null
shale cat kept /numbers | cmp - context/numbers
if shale inspect on >/dev/null; then
  shale cat on /numbers | cmp - context/numbers
fi
no_leases() {
  [ -z "$(ls -A "$SHALE_STORE/shale/leases")" ]
}
wait_for no_leases
shale gc >/dev/null
# Another walk than gc's own.
python3 - "$SHALE_STORE" <<'END' || fail "what is left is not what is referenced"
import json, os, sys
store = sys.argv[1]
def load(digest):
    return json.load(open(f"{store}/blobs/{digest.replace(':', '/')}"))
live, manifests = set(), set()
for entry in json.load(open(f"{store}/index.json"))["manifests"]:
    manifests.add(entry["digest"])
    document = load(entry["digest"])
    live |= {entry["digest"], document["config"]["digest"], *(l["digest"] for l in document["layers"])}
there = {f"sha256:{name}" for name in os.listdir(f"{store}/blobs/sha256")}
catalogs = {f"sha256:{name}" for name in os.listdir(f"{store}/shale/catalogs")}
layers = {f"sha256:{name.split('.')[0]}" for name in os.listdir(f"{store}/shale/layers")}
print("missing", live - there, "too many", there - live, catalogs - manifests, layers - live)
sys.exit(there != live or not catalogs <= manifests or not layers <= live)
END
