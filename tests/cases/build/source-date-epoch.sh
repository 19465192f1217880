#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What builds make carries SOURCE_DATE_EPOCH, else 1980-01-01, and never the time of a file or of the clock.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context/dir
echo x >context/dir/file
ln -s file context/dir/link
printf 'FROM scratch\nCOPY dir /srv/dir\nWORKDIR /work\n' >context/Shalefile
# all_times: of all files, the image and its history.
all_times() {
  shale ls -R --json app >ls.json
  json ls.json "sorted({f['mtime'] for f in d})"
  inspect app "sorted({d['config']['created']} | {h['created'] for h in d['config']['history']})"
}
shale build -q -t app context >/dev/null
same "default" "$(all_times)" "[315532800]
['1980-01-01T00:00:00Z']"
SOURCE_DATE_EPOCH=0 shale build -q -t app context >/dev/null
same "0" "$(all_times)" "[0]
['1970-01-01T00:00:00Z']"
SOURCE_DATE_EPOCH=1700000000 shale build -q -t app context >/dev/null
same "1700000000" "$(all_times)" "[1700000000]
['2023-11-14T22:13:20Z']"
for wrong in '' -1 1.5 now 253402300800; do
  expect 2 "*SOURCE_DATE_EPOCH*'$wrong' is not a number*" env "SOURCE_DATE_EPOCH=$wrong" shale build context
done
