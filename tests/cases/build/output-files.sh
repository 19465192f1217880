#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --iidfile and --metadata-file replace what is there, appear only for a build that succeeds, and fail loudly.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
echo FROM scratch >context/Shalefile
mkdir sub
echo old >sub/iid
digest=$(shale build -q --iidfile sub/iid --metadata-file "$PWD/meta" context)
same "--iidfile" "$(cat sub/iid)" "$digest"
same "without a name" "$(json meta "d.get('image.name')")" None
same "mode" "$(stat -c %a sub/iid)" 644
echo FRUM >context/Shalefile
rm sub/iid
shale build -q --iidfile sub/iid context 2>/dev/null && fail "it was built"
[ ! -e sub/iid ] || fail "a failed build wrote --iidfile"
echo FROM scratch >context/Shalefile

# What cannot be written is told by the name that was given, before anything is built or named.
mkfifo fifo
ln -s sub/none dangling
for option in iidfile metadata-file; do
  expect 8 "shale: option '--$option': cannot write 'no/such/file': No such file or directory" \
    shale build -q -t late --$option no/such/file context
  expect 2 "shale: option '--$option': '.' is a directory" shale build -q -t late --$option . context
  expect 9 "shale: option '--$option': cannot write 'dangling': it is a link that leads to nothing" \
    shale build -q -t late --$option dangling context
  expect 8 "shale: option '--$option': cannot write 'sub/iid2/': No such file or directory" \
    shale build -q -t late --$option sub/iid2/ context
  expect 8 "shale: option '--$option': cannot write '': No such file or directory" shale build -q -t late "--$option=" context
done
# One file cannot hold both, whatever it is called.
ln -s new alias
for other in ./new sub/../new "$PWD/new"; do
  expect 2 "shale: options '--iidfile' and '--metadata-file' both write '$other': give two files" \
    shale build -q -t late --iidfile new --metadata-file "$other" context
done
: >new
expect 2 "*both write 'alias': give two files" shale build -q -t late --iidfile new --metadata-file alias context
same "what was there" "$(cat new)" ""
rm new alias
expect 7 "shale: cannot write to standard output: Bad file descriptor" sh -c 'exec shale build -q -t late context >&-'
same "names" "$(shale images | wc -l)" 1
[ -L dangling ] || fail "a dangling link was replaced"

# A link is followed, and what is no file is written to.
ln -s sub/target link
: >sub/target
same "a link" "$(shale build -q --iidfile link context && [ -L link ] && cat sub/target)" "$digest
$digest"
shale build -q --iidfile /dev/null --metadata-file /dev/null context >/dev/null || fail "the null device takes both"
same "the null device" "$(shale build -q --iidfile /dev/null context && [ -c /dev/null ])" "$digest"
cat fifo >got &
shale build -q --iidfile fifo context >/dev/null
wait
same "a FIFO" "$(cat got)" "$digest"
