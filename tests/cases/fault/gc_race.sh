#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# gc again and again beside builds, imports, tags, removals, signing and mounts takes nothing that is used; and when all
# is quiet it leaves exactly what is referenced, what an index of two platforms refers to among it.  60 rounds and five
# of each job, 1000 and 20 with --full.
# NEEDS: root fuse
# TIMEOUT: 300
# SANITIZERS: no
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

rounds=60
least=5
if [ -n "${SHALE_FULL:-}" ]; then
  rounds=1000
  least=20
fi

mkdir context
seq 20000 >context/numbers
python3 - "$SHALE_SOURCE/tests/hostile" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from blobs import zstd_raw
from layout import LAYER, tar_of, write_image
tar = tar_of([("file", b"imported\n" * 20000)])
write_image("layout", [(LAYER + "+zstd", zstd_raw(tar), tar)])
END
printf 'FROM scratch\nCOPY numbers /\n' | build_text kept context >/dev/null
make_key team
two_platforms both >/dev/null

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
    echo "$repeat_round" >"rounds.$1.new"
    mv "rounds.$1.new" "rounds.$1"
  done
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

indexes() {
  shale import -q -t "both:$1" oci:platforms/store:both
  for platform in linux/amd64 linux/arm64; do
    [ "$(shale cat --platform "$platform" "both:$1" /arch)" = "${platform#linux/}" ]
    [ "$(shale cat --platform "$platform" both /arch)" = "${platform#linux/}" ]
  done
  shale rm "both:$1"
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

# Each job has had its rounds, however slow this machine is.
jobs="builds builds_on imports indexes tags signs mounts"
enough() {
  [ "$round" -ge "$rounds" ] || return 1
  for job in $jobs; do
    [ -e "rounds.$job" ] && [ "$(cat "rounds.$job")" -ge "$least" ] || return 1
  done
}

pids=
for job in $jobs; do
  repeat "$job" &
  pids="$pids $!"
done
round=0
while ! enough && ! ls failed.* >/dev/null 2>&1; do
  round=$((round + 1))
  shale gc >gc.out 2>&1 || fail "gc $round: $(cat gc.out)"
done
: >stop
for pid in $pids; do
  wait "$pid"
done
! ls failed.* >/dev/null 2>&1 || fail "$(cat failed.*)"
for job in $jobs; do
  [ "$(cat "rounds.$job")" -ge "$least" ] || fail "only $(cat "rounds.$job") rounds of $job"
done
echo "$round rounds of gc beside $(cat rounds.* | paste -sd+) rounds of work"

shale fsck --read-data -q >/dev/null
shale cat kept /numbers | cmp - context/numbers
for platform in amd64 arm64; do
  same "the index, for $platform" "$(shale cat --platform "linux/$platform" both /arch)" "$platform"
done
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
def walk(digest):
    document = load(digest)
    live.add(digest)
    for child in document.get("manifests", []):
        walk(child["digest"])
    if "config" in document:
        manifests.add(digest)
        live.update([document["config"]["digest"], *(l["digest"] for l in document["layers"])])
for entry in json.load(open(f"{store}/index.json"))["manifests"]:
    walk(entry["digest"])
there = {f"sha256:{name}" for name in os.listdir(f"{store}/blobs/sha256")}
catalogs = {f"sha256:{name}" for name in os.listdir(f"{store}/shale/catalogs")}
layers = {f"sha256:{name.split('.')[0]}" for name in os.listdir(f"{store}/shale/layers")}
print("missing", live - there, "too many", there - live, catalogs - manifests, layers - live)
sys.exit(there != live or not catalogs <= manifests or not layers <= live)
END
