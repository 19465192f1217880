#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Options are taken as --name=VALUE, --name VALUE, -xVALUE, -x VALUE and -xy, before and after arguments; -- ends them.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
echo hello >context/file
printf 'FROM scratch\nCOPY file /\n' >context/Shalefile
want=$(shale build -q context)
same "-tNAME" "$(shale build -qta context)" "$want"
same "-t NAME" "$(shale build -q -t b context)" "$want"
same "--tag NAME" "$(shale build --quiet --tag c context)" "$want"
same "--tag=NAME" "$(shale build --tag=d -q context)" "$want"
same "after the argument" "$(shale build context -q -t e)" "$want"
same "the last of two" "$(shale build -q --compression zstd:9 --compression zstd:3 -t f context)" "$want"
same "names" "$(shale images | sed 1d | cut -d: -f1 | tr '\n' ' ')" \
  "localhost/a localhost/b localhost/c localhost/d localhost/e localhost/f "
mv context ./--context
same "after --" "$(shale build -q -- --context)" "$want"
same "-lR" "$(shale ls -lR a)" "$(shale ls -l -R a)"
