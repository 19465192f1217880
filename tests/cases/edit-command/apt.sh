#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# apt in the root of an image: what it installs, upgrades, removes and purges makes the tree that it makes in a directory; dpkg
# finds nothing amiss; `shale diff` lists what was changed and nothing else; umoci unpacks the same.  When all is killed in
# the middle, dpkg and apt mend it as anywhere.  With --full at more points, which chance chooses.
# NEEDS: root fuse getfattr umoci apt-get dpkg-deb dpkg-scanpackages setcap unshare
# SANITIZERS: no
# TIMEOUT: 180
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_CASES/edit-command/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/debian.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/debian_packages.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/debian_edits.sh"

debian_root root
begin_edits root
edit apt-get update
edit apt-get install -y beta
check_edits
same "the alternative" "$(in_root peer alpha-tool)" "alpha 1"
same "the capability" "$(in_root peer getcap /usr/lib/alpha/capable)" "/usr/lib/alpha/capable cap_net_raw=ep"
same "the diverted file" "$(shale cat base:3 /usr/lib/alpha/tool.alpha | tail -n 1)" "echo alpha 1"

edit sh -c 'echo mine >>/etc/alpha.d/local.conf
  echo "deb [trusted=yes] copy:/srv/two ./" >>/etc/apt/sources.list
  apt-get update && apt-get upgrade -y -o Dpkg::Options::=--force-confold'
check_edits
same_as_umoci 4
same "the conffiles" "$(shale cat base:4 /etc/alpha.conf)$(shale cat base:4 /etc/alpha.d/local.conf | paste -s -d ,)" \
  "version 2version 1,mine"

edit apt-get remove -y beta
same "what scripts wrote" "$(shale cat base:5 /var/lib/alpha/log | paste -s -d ,)" \
  "configured over '',configured over '1',triggered by /usr/share/alpha/parts"
edit apt-get purge -y alpha beta
check_edits
expect 8 "*" shale ls base:6 /var/lib/alpha

interrupt postinst
if [ -n "$SHALE_FULL" ]; then
  edit apt-get purge -y gamma
  interrupt preinst
  edit apt-get purge -y gamma
  for round in 1 2 3 4 5 6 7 8 9 10 11 12; do
    interrupt_by_chance "$round"
  done
fi
expect 0 "*0 errors*" shale fsck
