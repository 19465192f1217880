#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every command that writes adds shale's folder to the layout of another tool; those that only read do without.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

digest=$(small_image app)
shale export -q app oci:layout >/dev/null
make_key team

# fresh: a layout as another tool leaves it, as the store.
fresh() {
  rm -rf plain
  cp -r layout plain
  export SHALE_STORE="$PWD/plain"
}

# reads COMMAND...: works, and the layout stays as it was.
reads() {
  fresh
  "$@" >reads.out || fail "'$*' failed"
  diff -r layout plain >&2 || fail "'$*' changed the layout"
}
reads shale images
reads shale ls app
same "what is read" "$(shale cat app /hello)" hello
reads shale inspect app
reads shale export -q app oci-archive:app.tar
reads shale fsck --read-data
reads shale gc --dry-run
same "a dry run" "$(cut -d , -f 1 reads.out)" "would remove 0 blobs and 0 derived files"

# writes COMMAND...: works, and the layout is a store then, with the image that it had.
writes() {
  fresh
  "$@" >writes.out || fail "'$*' failed"
  same "version after '$*'" "$(cat plain/shale/version)" 1
  diff -r layout/blobs/sha256 plain/blobs/sha256 | grep '^Only in layout' && fail "'$*' took away what was there"
  shale fsck -q >/dev/null
}
writes shale tag app other
same "the second name" "$(shale inspect --json other >i.json && json i.json "d['digest']")" "$digest"
writes shale rm app
same "the names that are left" "$(shale images --names)" ""
writes shale gc
writes shale fsck --repair
writes sign app
shale verify --key team.pub app >/dev/null
writes small_image new content
writes shale import -q oci:layout

# What is empty is no layout: these commands make none.
mkdir empty
expect 8 "*no store at*" shale gc --store empty
same "what is made of nothing" "$(ls -A empty)" ""
