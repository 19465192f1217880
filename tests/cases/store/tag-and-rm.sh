#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tag gives another name, moving it when it is taken; rm takes names away, and what they named stays until gc.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

# names: of the store, in one line.
names() {
  shale images | sed '1d;s/ .*//' | sort | paste -sd' '
}
one=$(small_image app:1)
two=$(small_image app:2 other)
shale tag app:1 registry.example/team/app:stable
shale tag "$two" app:newest
same "names" "$(names)" "localhost/app:1 localhost/app:2 localhost/app:newest registry.example/team/app:stable"
same "the new name" "$(inspect registry.example/team/app:stable "d['digest']")" "$one"
shale tag app:2 registry.example/team/app:stable
same "a name that moved" "$(inspect registry.example/team/app:stable "d['digest']")" "$two"
same "rm" "$(shale rm app:1 app:2)" "untagged localhost/app:1
untagged localhost/app:2"
same "names" "$(names)" "localhost/app:newest registry.example/team/app:stable"
same "by digest" "$(inspect "$one" "d['digest']")" "$one"
expect 8 "*no image 'localhost/app:1'*" shale rm app:1
shale rm -f app:1
expect 2 '*' shale rm "app@$one"
expect 2 '*' shale tag app:newest "app@$one"
expect 8 '*' shale tag none app:3
expect 2 '*' shale tag app:newest 'NOT A NAME'

# What is damaged gets no second name.
manifest=$(blob "$(small_image whole)")
truncate -s -1 "$manifest"
expect 5 "*image 'localhost/whole:latest': *" shale tag whole second
rm "$manifest"
expect 8 "*image 'localhost/whole:latest': *not in the store*" shale tag whole second
! shale images | grep second || fail "it got a name"
