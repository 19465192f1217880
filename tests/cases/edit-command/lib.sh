# SPDX-License-Identifier: Apache-2.0
# For the cases of shale edit: nothing of it is left.
# shellcheck shell=sh

# edit_image: `app`, of a directory that has /etc/conf.
edit_image() {
  mkdir -p tree/etc tmp
  echo old >tree/etc/conf
  touch -d '2001-02-03 04:05:06 UTC' tree/etc/conf tree/etc tree
  shale import -q -t app dir:tree >/dev/null
  TMPDIR=$PWD/tmp
  export TMPDIR
}

# is_clean: no mount, temporary file or process of an edit.
is_clean() {
  [ -z "$(ls -A tmp)" ] && ! grep -q " $PWD/tmp/" /proc/self/mountinfo
}

# no_trace: the same, and no session or lease.
no_trace() {
  is_clean || fail "left: $(ls -A tmp; grep " $PWD/tmp/" /proc/self/mountinfo)"
  same "sessions" "$(shale sessions -q)" ""
  same "leases" "$(ls "$SHALE_STORE/shale/leases")" ""
}
