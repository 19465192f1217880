#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A Debian system as an image, and apt in it: a package is installed as on any machine, and what that changed is a layer.
#
# Usage: examples/debian.sh [PACKAGE [ROOT]]
#   PACKAGE  what to install; default: tree
#   ROOT     a directory that holds a Debian system with apt; default: mmdebstrap makes one of this machine's apt sources
#
# As root, with the shale of this source, built in build/, or the one that is installed.  It works in a directory of its own below
# $TMPDIR, which it removes at the end.
set -eu
package=${1-tree}
root=${2-}
source=$(dirname "$0")/..
if [ -x "$source/build/cli/shale" ] && ! command -v shale >/dev/null; then
  PATH=$(cd "$source" && pwd)/build/cli:$PATH
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "debian.sh: only root can make a Debian system and edit an image with it; run it with sudo, or inside of 'shale unshare'" >&2
  exit 1
fi

say() {
  printf '\n\033[1m%s\033[0m\n' "$*"
}

run() {
  printf '$ %s\n' "$*"
  "$@"
}

work=$(mktemp -d "${TMPDIR:-/tmp}/shale-debian.XXXXXX")
SHALE_STORE=$work/store
export SHALE_STORE
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say "1. A Debian system"
if [ -z "$root" ]; then
  root=$work/root
  set --
  for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list; do
    [ ! -e "$list" ] || set -- "$@" "$list"
  done
  run mmdebstrap --quiet --variant=minbase "" "$root" "$@"
fi
run shale import -q -t debian:1 "dir:$root"

say "2. A package, installed by its own apt"
run shale edit -q debian:1 -t debian:2 -m "$package" --chroot -- \
  sh -c "apt-get update && apt-get install -y --no-install-recommends $package && apt-get clean"

say "3. What that changed"
run shale diff --stat debian:1 debian:2
run shale history debian:2

say "4. Taken out again, with what only it needed"
run shale edit -q debian:2 -t debian:3 --chroot -- apt-get purge -y --auto-remove "$package"
run shale diff debian:1 debian:3

say "Done."
