#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fish completes commands, options, values and arguments, and shows their help beside them.
# NEEDS: root fuse fish
# SANITIZERS: no
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_CASES/completions/scenes.sh"

cat >offers.fish <<'END'
source $SHALE_BUILD/cli/completions/shale.fish
while read -l line
    printf '> %s\n' $line
    complete -C $line
end
END
make_scenes
fish -n "$SHALE_BUILD/cli/completions/shale.fish"
fish --no-config ../offers.fish <../lines >../described 2>../errors
same "messages" "$(cat ../errors)" ""
cut -f 1 ../described >../offered
check_offers ../offered
shale --help | sed -n 's/^  mount  *//p' >summary
grep -qx "mount	$(cat summary)" ../described || fail "mount has no description"
grep -qx -e "--json	print a JSON document" ../described || fail "--json has no description"
