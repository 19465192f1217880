# SPDX-License-Identifier: Apache-2.0
# Debian roots, packages and repositories for cases of apt, as root; after lib.sh:
# . "$SHALE_SOURCE/tests/support/debian.sh"
# shellcheck shell=sh

# debian_root DIR: essential packages and apt of this machine, and setcap for scripts of packages.
debian_root() {
  "$SHALE_SOURCE/tests/support/debian_root.py" "$1" libcap2-bin
}

# debian_tree ...: see debian_tree.py.
debian_tree() {
  "$SHALE_SOURCE/tests/support/debian_tree.py" "$@"
}

# in_root DIR COMMAND...: in the root DIR, as `shale edit --chroot` runs it, with what a machine has for that: unshare, mount,
# chroot.
in_root() {
  # shellcheck disable=SC2016 # for the shell inside
  unshare --mount --propagation slave --pid --fork sh -c '
    dir=$1
    shift
    mount -t proc proc "$dir/proc" && mount --rbind /dev "$dir/dev" && mount --rbind /sys "$dir/sys" || exit 125
    exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root ${TERM+"TERM=$TERM"} \
      chroot "$dir" "$@"' - "$@"
}

# processes_in DIR NAME: those of that name (comm) whose root is DIR.
processes_in() {
  for processes_in in /proc/[0-9]*; do
    if [ "$(readlink "$processes_in/root" 2>/dev/null)" = "$PWD/$1" ] && [ "$(cat "$processes_in/comm" 2>/dev/null)" = "$2" ]; then
      echo "${processes_in#/proc/}"
    fi
  done
}

# begin_package NAME VERSION [FIELD]...: an empty tree, $package, of a package that has these fields as well.
begin_package() {
  package=packages/$1-$2
  mkdir -p "$package/DEBIAN"
  {
    printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: Nobody <nobody@nowhere.invalid>\n' "$1" "$2"
    shift 2
    [ $# -eq 0 ] || printf '%s\n' "$@"
    printf 'Description: something to install\n'
  } >"$package/DEBIAN/control"
}

# package_script NAME: a maintainer script, from standard input.
package_script() {
  {
    printf '#!/bin/sh\nset -e\n'
    cat
  } >"$package/DEBIAN/$1"
  chmod 755 "$package/DEBIAN/$1"
}

# end_package REPOSITORY
end_package() {
  mkdir -p "$1"
  find "$package" -exec touch -h -d '2024-01-02 03:04:05 UTC' {} +
  dpkg-deb -Zgzip -z1 --build "$package" "$1" >/dev/null
}

# index_repository REPOSITORY
index_repository() (
  cd "$1" || exit
  dpkg-scanpackages --multiversion . >Packages 2>scan.log || fail "$(cat scan.log)"
  rm scan.log
  {
    printf 'Suite: tests\nDate: Tue, 02 Jan 2024 03:04:05 UTC\nSHA256:\n'
    printf ' %s %d Packages\n' "$(sha256sum <Packages | cut -d ' ' -f 1)" "$(wc -c <Packages)"
  } >Release
)
