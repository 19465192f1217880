#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A file that changes between the look at it and the reading ends the build, and nothing gets a name.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context/dir
head -c 150000000 /dev/urandom >context/dir/a
echo before >context/dir/z
printf 'FROM scratch\nCOPY dir /\n' >context/Shalefile
shale build -t app context >out 2>err &
build=$!
wait_for grep -q COPY err
# The big file is being packed; the small one was looked at and comes next.
sleep 0.1
kill -STOP "$build"
echo 'something longer' >context/dir/z
kill -CONT "$build"
status=0
wait "$build" || status=$?
same "exit status" "$status" 9
grep -q "'dir/z' changed while it was read" err || fail "$(cat err)"
same "images" "$(shale images | wc -l)" 1
