# SPDX-License-Identifier: Apache-2.0
# Users of the case's own, seen by nobody else.
# shellcheck shell=sh

# begin_with_users CASE: begins the case anew where uid 1000 is alice, who owns the working directory and may use
# /dev/fuse, and where nobody has subordinate ids.  /etc/subuid and /etc/subgid are ./subuid and ./subgid.
begin_with_users() {
  [ -n "${CASE_HAS_USERS:-}" ] || exec env CASE_HAS_USERS=1 unshare -m sh "$1"
  printf 'root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::%s:/bin/sh\nbob:x:1001:1001::/:/bin/sh\n' "$PWD" >passwd
  printf 'root:x:0:\nalice:x:1000:\nbob:x:1001:\n' >group
  : >subuid
  : >subgid
  for users_file in passwd group subuid subgid; do
    mount --bind "$users_file" "/etc/$users_file"
  done
  mknod -m 666 fuse c 10 229
  mount --bind fuse /dev/fuse
  chown 1000:1000 .
}

# subordinate_ids LINE...: in both files.
subordinate_ids() {
  printf '%s\n' "$@" >subuid
  cat subuid >subgid
}

# map FILE: numbers with single blanks between.
map() {
  awk '{ print $1, $2, $3 }' "$1"
}
