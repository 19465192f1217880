#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The Debian package is built from a plain copy of the source; lintian has nothing to say of it; what the program needs is
# among its dependencies; it can be installed, used, and purged without a trace.  It is built once more, elsewhere and
# otherwise, and has the same bytes.  All that takes minutes: with --full alone.
# NEEDS: root dpkg-buildpackage dh lintian git man zsh
# TIMEOUT: 600
# FULL: only
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_CASES/install/files.sh"

# It is the same whatever build the case runs with.
if has_sanitizers; then exit 0; fi

# build DIR OPTION...: the packages of a copy of the source, into DIR.
build() {
  build_dir=$1
  shift
  mkdir -p "$build_dir/shale"
  (cd "$SHALE_SOURCE" && git ls-files -z -co --exclude-standard | tar --null --no-recursion -T - -cf -) |
    tar -xf - -C "$build_dir/shale"
  (cd "$build_dir/shale" && dpkg-buildpackage -us -uc -Pnocheck "$@") >"$build_dir/log" 2>&1 ||
    fail "dpkg-buildpackage: $(tail -n 30 "$build_dir/log")"
}

# Its compiler is the one that debhelper takes, not that of the build that is tested.
unset CC CFLAGS LDFLAGS
build first -F
cd first || exit
version=$(sed -n '1s/.*(\(.*\)).*/\1/p' shale/debian/changelog)
deb=shale_${version}_$(dpkg --print-architecture).deb
[ -e "$deb" ] || fail "$(ls)"

lintian --allow-root --display-info --pedantic --fail-on error,warning,info,pedantic "shale_${version}"_*.changes \
  >tags 2>&1 || fail "lintian ended with $?: $(cat tags)"
same "what lintian says" "$(cat tags)" ""

# What is loaded by name is in no ELF header.
library=$(sed -n 's/^#define LIBARCHIVE_SONAME "\(.*\)"/\1/p' "$SHALE_SOURCE/packer/libarchive.c")
library=$(ldconfig -p | sed -n "s/^[[:space:]]*$library .*=> //p" | head -n 1)
package=$(dpkg-query -S "$(readlink -f "$library")" | cut -d : -f 1)
dpkg-deb -f "$deb" Depends | tr ',|' '\n' | sed 's/ *(.*//; s/^ *//; s/ *$//' >depends
grep -qx "$package" depends || fail "$package is no dependency: $(cat depends)"
grep -qx "$(dpkg-query -S '*bin/fusermount3' | cut -d : -f 1)" depends || fail "fusermount3 is no dependency"

# Debian has the licence elsewhere, and two files of its own; what is long is compressed.
{
  expected_files usr/bin usr/share/man usr/share | sed '/\/LICENSE$/d; s/zsh\/site-functions/zsh\/vendor-completions/'
  printf 'usr/share/doc/shale/%s\n' changelog copyright
} | LC_ALL=C sort >want
dpkg-deb --fsys-tarfile "$deb" | tar -t | sed -n 's|^\./||; s|\.gz$||; /[^/]$/p' | LC_ALL=C sort >got
diff -u want got >&2 || fail "the package has other files"
zsh_looks_in /usr/share/zsh/vendor-completions

mkdir -p root/var/lib/dpkg/info root/var/lib/dpkg/updates
: >root/var/lib/dpkg/status
(cd root && find . | LC_ALL=C sort) >before
# This machine has what it depends on, that root has not.
dpkg --root="$PWD/root" --force-depends --force-script-chrootless -i "$deb" >dpkg.log 2>&1 || fail "$(cat dpkg.log)"
smoke "$PWD/root" usr/bin usr/share/man
dpkg --root="$PWD/root" --force-script-chrootless --purge shale >dpkg.log 2>&1 || fail "$(cat dpkg.log)"
same "what is left" "$(cd root && find . ! -path './var/lib/dpkg/*' | LC_ALL=C sort)" "$(grep -v '^./var/lib/dpkg/' before)"

(
  cd ..
  umask 077
  export TZ=Asia/Tokyo LC_ALL=C.UTF-8 LANG=C DEB_BUILD_OPTIONS=parallel=1 HOME="$PWD/home"
  build elsewhere/and/deeper -b
)
for file in *.deb; do
  cmp "$file" "../elsewhere/and/deeper/$file" || fail "$file depends on where it is built"
done
