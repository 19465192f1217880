# SPDX-License-Identifier: Apache-2.0
# Packages that do what packages do to a root: version 1 of each in /srv/one, version 2 of some in /srv/two.  After debian.sh:
# . "$SHALE_SOURCE/tests/support/debian_packages.sh"
#
# alpha: conffiles, hard links, setuid, owners, a capability, an alternative, many files, a trigger for what others bring.
# beta: depends on alpha, diverts a file of it, activates two triggers.
# gamma: its scripts wait for as long as /srv/pause-SCRIPT is there, and make /srv/at-SCRIPT.
# shellcheck shell=sh disable=SC2154 # $package is debian.sh's

# alpha VERSION REPOSITORY
alpha() {
  begin_package alpha "$1"
  mkdir -p "$package/etc/alpha.d" "$package/usr/lib/alpha" "$package/usr/share/alpha/parts" "$package/usr/share/alpha/many" \
    "$package/var/lib/alpha"
  echo "version $1" >"$package/etc/alpha.conf"
  echo "version $1" >"$package/etc/alpha.d/local.conf"
  printf '/etc/alpha.conf\n/etc/alpha.d/local.conf\n' >"$package/DEBIAN/conffiles"
  alpha_programs "$1"
  alpha_data "$1"
  alpha_scripts
  echo 'interest-noawait /usr/share/alpha/parts' >"$package/DEBIAN/triggers"
  end_package "$2"
}

alpha_programs() {
  printf '#!/bin/sh\necho alpha %s\n' "$1" >"$package/usr/lib/alpha/tool"
  chmod 755 "$package/usr/lib/alpha/tool"
  ln "$package/usr/lib/alpha/tool" "$package/usr/lib/alpha/again"
  for name in setuid setgid owned capable; do
    echo "$name $1" >"$package/usr/lib/alpha/$name"
  done
  chown 0:4 "$package/usr/lib/alpha/setgid" "$package/var/lib/alpha"
  chown 1:2 "$package/usr/lib/alpha/owned"
  chmod 4755 "$package/usr/lib/alpha/setuid"
  chmod 2755 "$package/usr/lib/alpha/setgid"
  chmod 2775 "$package/var/lib/alpha"
  # A link that becomes a file.
  if [ "$1" = 1 ]; then ln -s tool "$package/usr/lib/alpha/kind"; else echo file >"$package/usr/lib/alpha/kind"; fi
}

# Of the many, each version has some that the other has not; half of the rest is the same.
alpha_data() {
  seq "$1" 100000 >"$package/usr/share/alpha/numbers"
  number=$(($1 * 10))
  while [ "$number" -lt $(($1 * 10 + 80)) ]; do
    echo "$((number % 2 * $1)) $number" >"$package/usr/share/alpha/many/$number"
    number=$((number + 1))
  done
}

alpha_scripts() {
  package_script postinst <<'END'
case $1 in
configure)
  echo "configured over '$2'" >>/var/lib/alpha/log
  ls /usr/share/alpha/parts >/var/lib/alpha/parts
  update-alternatives --install /usr/bin/alpha-tool alpha-tool /usr/lib/alpha/again 10
  setcap cap_net_raw+ep /usr/lib/alpha/capable
  ;;
triggered)
  echo "triggered by $2" >>/var/lib/alpha/log
  ls /usr/share/alpha/parts >/var/lib/alpha/parts
  ;;
esac
END
  package_script prerm <<'END'
[ "$1" != remove ] || update-alternatives --remove alpha-tool /usr/lib/alpha/again
END
  package_script postrm <<'END'
[ "$1" != purge ] || rm -rf /var/lib/alpha
END
}

# beta VERSION REPOSITORY
beta() {
  begin_package beta "$1" "Depends: alpha (>= $1)"
  mkdir -p "$package/etc" "$package/usr/lib/alpha" "$package/usr/share/alpha/parts"
  printf '#!/bin/sh\necho beta %s\n' "$1" >"$package/usr/lib/alpha/tool"
  chmod 755 "$package/usr/lib/alpha/tool"
  echo "version $1" >"$package/usr/share/alpha/parts/beta"
  echo "version $1" >"$package/etc/beta.conf"
  echo /etc/beta.conf >"$package/DEBIAN/conffiles"
  echo 'activate-noawait ldconfig' >"$package/DEBIAN/triggers"
  package_script preinst <<'END'
dpkg-divert --package beta --add --rename --divert /usr/lib/alpha/tool.alpha /usr/lib/alpha/tool
END
  package_script postrm <<'END'
[ "$1" != remove ] || dpkg-divert --package beta --remove --rename --divert /usr/lib/alpha/tool.alpha /usr/lib/alpha/tool
END
  end_package "$2"
}

# gamma VERSION REPOSITORY
gamma() {
  begin_package gamma "$1"
  mkdir -p "$package/usr/share/gamma"
  for number in 0 1 2 3 4 5 6 7 8 9; do
    seq "$number" 2000 >"$package/usr/share/gamma/$number"
  done
  for name in preinst postinst; do
    package_script "$name" <<END
while [ -e /srv/pause-$name ]; do
  >/srv/at-$name
  sleep 0.05
done
END
  done
  end_package "$2"
}

# add_repositories ROOT: both, of which apt there has the first in its sources.
add_repositories() {
  alpha 1 "$1/srv/one"
  beta 1 "$1/srv/one"
  gamma 1 "$1/srv/one"
  alpha 2 "$1/srv/two"
  beta 2 "$1/srv/two"
  index_repository "$1/srv/one"
  index_repository "$1/srv/two"
  rm -r packages
  echo 'deb [trusted=yes] file:/srv/one ./' >"$1/etc/apt/sources.list"
}
