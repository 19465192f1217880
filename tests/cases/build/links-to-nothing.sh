#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A source that is a link to nothing, or in a circle, is told as what it is, with its place.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context/dir
ln -s loop context/loop
ln -s none context/broken
ln -s ../broken context/dir/on

# refused STATUS SOURCE WHAT
refused() {
  printf 'FROM scratch\nCOPY %s /x/\n' "$2" >context/Shalefile
  expect "$1" "shale: Shalefile:2:6: $3
COPY $2 /x/
     ^" shale build -t app context
}
for source in loop 'lo*' loop/below; do
  path=$source
  [ "$source" != 'lo*' ] || path=loop
  refused 3 "$source" "'$path' of the context leads through links without an end"
done
refused 8 broken "'broken' of the context: what the link 'broken' leads to is missing"
refused 8 'br*' "'broken' of the context: what the link 'broken' leads to is missing"
refused 8 broken/x "'broken/x' of the context: what the link 'broken' leads to is missing"
refused 8 dir/on "'dir/on' of the context: what the link 'dir/on' leads to is missing"
# Found below a directory, it is copied as a link.
printf 'FROM scratch\nCOPY . /x\n' >context/Shalefile
shale build -q -t app context >/dev/null
