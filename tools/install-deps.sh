#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what debian/control names and this machine lacks; with --nocheck only what a build of the program needs, not of
# the package.
set -eu
cd "$(dirname "$0")/.."

profile=
list=$PWD
if [ "${1-}" = --nocheck ]; then
  profile=nocheck
  list=$(mktemp -d)
  trap 'rm -r "$list"' EXIT
  # debhelper must not be put under a profile: it reads its own version from its line.
  mkdir "$list/debian"
  grep -v '^ debhelper-compat ' debian/control >"$list/debian/control"
fi

# dpkg-checkbuilddeps is quiet and quick when all is there; it is itself missing on a bare machine.
if command -v dpkg-checkbuilddeps >/dev/null 2>&1 &&
  dpkg-checkbuilddeps ${profile:+-P "$profile"} "$list/debian/control" >/dev/null 2>&1; then
  exit 0
fi

as_root=
if [ "$(id -u)" -ne 0 ]; then
  as_root=sudo
  command -v sudo >/dev/null 2>&1 || {
    echo "install-deps: packages are missing, and neither root nor sudo is here to install them" >&2
    exit 1
  }
fi
echo "installing the build dependencies of debian/control${profile:+ (profile $profile)}"
$as_root apt-get update -q
$as_root env DEBIAN_FRONTEND=noninteractive apt-get build-dep -y -q --no-install-recommends \
  ${profile:+-P "$profile"} "$list"
