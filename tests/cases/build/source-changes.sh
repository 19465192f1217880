#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A file that changes between the look at it and the end of its reading ends the build, and nothing gets a name.
# NEEDS: strace
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/stop.sh"

mkdir -p context/dir
printf 'FROM scratch\nCOPY dir /\n' >context/Shalefile

# changed STATUS GLOB CHANGE: a build ends so when there is CHANGE after the first part of dir/a was read; by then each
# file was looked at, and dir/z is not open yet.
changed() {
  rm -f context/dir/z
  head -c 3000000 /dev/zero >context/dir/a
  echo before >context/dir/z
  stopped "$1" "$2" read "$PWD/context/dir/a" "$3" shale build -q --workers 0 -t app context
}

changed 0 'sha256:*' true
same "content" "$(shale cat app /z)" before
shale rm app >/dev/null
shale gc >/dev/null
changed 9 "*'dir/z' changed while it was read*" "echo 'something longer' >context/dir/z"
changed 9 "*'dir/z' changed while it was read*" "echo before >context/new && mv context/new context/dir/z"
changed 9 "*'dir/z' changed while it was read*" "ln -sf a context/dir/z"
changed 9 "*'dir/z' changed while it was read*" "rm context/dir/z && mkfifo context/dir/z"
changed 8 "*'dir/z'*No such file*" "rm context/dir/z"
changed 9 "*'dir/a': shrank while it was read*" "truncate -s 1000 context/dir/a"
changed 9 "*'dir/a': grew while it was read*" "echo more >>context/dir/a"
same "images" "$(shale images | wc -l)" 1
same "blobs" "$(find store/blobs -type f | wc -l)" 0
