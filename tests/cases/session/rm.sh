#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# session rm removes sessions with all that is in them, but none that is in use.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
session_user=

small_image app >/dev/null
for name in one two three; do make_session app "$name" >/dev/null; done
expect 0 "removed one
removed three" shale session rm one three
same "the others" "$(shale sessions -q)" two
same "folders" "$(find store/shale/sessions -mindepth 1 -maxdepth 1 | wc -l)" 1
expect 8 "*no session 'one' in the store" shale session rm one
expect 8 "*no session 'twp' in the store; did you mean 'two'?" shale session rm twp
expect 0 "" shale session rm -f one
expect 0 "removed two" shale session rm --force one two
expect 0 "" shale sessions -q

# In use.
use_session app used "mounted at /mnt"
expect 9 "*session 'used' is in use by process $session_user (mounted at /mnt)" shale session rm used
expect 9 "*in use*" shale session rm -f used
same "it is there" "$(shale sessions -q)" used
kill -9 "$session_user"
wait "$session_user" || true
expect 0 "removed used" shale session rm used
exec 9>&-

# By id, and by the beginning of one.
make_session app one >/dev/null
make_session app two >/dev/null
shale sessions --json >list.json
one=$(json list.json "d[0]['id']")
expect 0 "removed $one" shale session rm "$one"
two=$(json list.json "d[1]['id'][:5]")
expect 0 "removed $two" shale session rm "$two"
# make_as NAME ID: with an id that nobody can ask for.
make_as() {
  make_session app "$1" >/dev/null
  mv "$(dirname "$(grep -l "\"$1\"" store/shale/sessions/*/session.json)")" "store/shale/sessions/$2"
}
make_as one ab00000000000000
make_as two ac00000000000000
expect 2 "*'a' may be any of 2 sessions: *" shale session rm a
echo '{' >store/shale/sessions/ab00000000000000/session.json
expect 0 "removed ab" shale session rm ab
same "the other" "$(shale sessions -q)" two

# Nothing outside goes, whatever is in there.
mkdir precious
touch precious/file
ln -s "$PWD/precious" store/shale/sessions/ac00000000000000/data/link
expect 0 "removed two" shale session rm two
[ -e precious/file ] || fail "it followed a link"

# Wrong usage.
expect 2 "*" shale session
expect 2 "*" shale session rm
expect 2 "*'frob' is nothing that can be done to a session: rm, export" shale session frob one
expect 8 "*there is no store at *" shale session rm --store none one
same "litter" "$(ls -A store/shale/sessions)" ""
