#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is being exported stays until it is, with its signatures, though its name goes meanwhile and gc runs.
# NEEDS: strace
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/stop.sh"

make_key team
mkdir context out
head -c 300000 /dev/urandom >context/big
printf 'FROM scratch\nCOPY big /\n' >Shalefile
for form in oci oci-archive docker-archive rootfs; do
  shale build -q -f Shalefile -t app context >/dev/null
  sign app
  digest=$(inspect app "d['digest']")
  signatures=app:sha256-${digest#sha256:}.sig
  shale export app "$form:want-$form" >/dev/null
  # When it opens the destination, it has seen all documents, and copied nothing; the first look at it asks whether it is in
  # the store.
  case $form in
  oci) place=$PWD/out/oci ;;
  *) place=$PWD/out ;;
  esac
  # shellcheck disable=SC2034 # of stop.sh
  stopped_when=2
  stopped 0 'sha256:*' openat "$place" "shale rm app $signatures >/dev/null; timeout 20 shale gc >/dev/null" \
    shale export app "$form:$PWD/out/$form"
  diff -r "out/$form" "want-$form" >&2 || fail "$form is not what it was"
  shale gc >/dev/null
  same "blobs after $form" "$(find "$SHALE_STORE/blobs" -type f)" ""
done
