#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What commands write never lands in the store, however its place is spelled: wrong usage, and the store stays as it was.
# NEEDS: root
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

digest=$(small_image app)
shale export -q app oci:plain >/dev/null
shale ls app >/dev/null
ln -s "$PWD/store" link
ln -s "$PWD/store/index.json" link-to-file
mkdir blobs
mount --bind store/blobs/sha256 blobs
trap 'umount blobs' EXIT
# Leases come and go.
(cd store && find . ! -path './shale/lease*' -printf '%p %i %s %m\n' | sort) >before

# refused GLOB COMMAND...: wrong usage, and nothing of the store has changed.
refused() {
  refused_glob=$1
  shift
  expect 2 "$refused_glob" "$@"
  (cd store && find . ! -path './shale/lease*' -printf '%p %i %s %m\n' | sort) | diff before - >&2 ||
    fail "'$*' changed the store"
}
for place in store/index.json "$PWD/store/new" store/../store/blobs/x "store/blobs/sha256/${digest#sha256:}" \
  link/index.json link/shale/x "blobs/${digest#sha256:}" store/shale/version; do
  for kind in oci-archive docker-archive rootfs oci; do
    refused "*'$place' is in the store '*/store'*outside of it*" shale export -q app "$kind:$place"
  done
  refused "*'$place' is in the store*" shale cp app:/hello "$place"
  for option in iidfile metadata-file; do
    refused "*'--$option': '$place' is in the store*" shale build -q -f - "--$option=$place" small </dev/null
  done
done
for place in store store/ store/shale link; do
  refused "*'$place' is in the store*" shale cp app:/hello "$place"
  refused "*'$place' is in the store*" shale export -q app "oci:$place"
done
refused "*is in the store*" shale cp app:/hello link-to-file
refused "*is in the store*" shale build -q -f - --iidfile=link-to-file small </dev/null
(
  cd store || exit
  expect 2 "*is in the store*" shale export -q app oci-archive:index.json
  expect 2 "*is in the store*" shale cp app:/hello .
  rm expect.out
)
# The layout of another tool that is the store is none, either.
refused "*'plain' is in the store*" shale export -q --store plain app oci:plain

# Beside it is well.
shale export -q app oci-archive:app.tar >/dev/null
shale export -q app oci:store-2 >/dev/null
shale cp app:/hello .
shale export -q app oci:not-there/x >/dev/null 2>&1 && fail "a directory that is not there"
shale fsck -q >/dev/null
