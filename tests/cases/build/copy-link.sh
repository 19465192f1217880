#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# COPY --link makes a layer that does not depend on what is below it: the same blob over any base.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
echo x >context/x
mkdir -p root/usr/bin
ln -s usr/bin root/bin
shale import -q -t merged dir:root >/dev/null
for base in scratch merged; do
  printf 'FROM %s\nCOPY --link --chown=3:4 x /bin/x\n' "$base" | build_text "linked-$base" context >/dev/null
  printf 'FROM %s\nCOPY --chown=3:4 x /bin/x\n' "$base" | build_text "plain-$base" context >/dev/null
done
same "the layer of --link" "$(layers linked-scratch | tail -n 1)" "$(layers linked-merged | tail -n 1)"
same "no link of the base is followed by --link" "$(files linked-merged | grep /x)" "/bin/x -0644 3:4 2"
same "and without it is" "$(files plain-merged | grep /x)" "/usr/bin/x -0644 3:4 2"
