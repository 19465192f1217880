#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sessions lists what was changed over which image, who uses it, and what it takes; damaged ones are told of, and in nobody's
# way.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
session_user=

same "without a store" "$(shale sessions)" "$(printf 'NAME  IMAGE  CREATED  SIZE  STATE')"
same "and none is made" "$(shale sessions -q; shale sessions --json; ls)" "[]"
expect 8 "*there is no store at '*/none'*" shale sessions --store none

digest=$(small_image team/web:1)
shale tag team/web:1 registry.example:5000/web:2
expect 0 "" shale sessions -q
before=$(date +%s)
same "a name is made up" "$(make_session team/web:1)" "web-1"
same "of the last part" "$(make_session registry.example:5000/web:2)" "web-2"
same "of a digest there is none" "$(make_session "$digest")" "session-1"
same "a name is given" "$(make_session team/web:1 a.b_c-D)" "a.b_c-D"
expect 9 "*there is a session 'web-2' already*" make_session team/web:1 web-2
expect 2 "*'../x' cannot be the name of a session*" make_session team/web:1 ../x
same "names" "$(shale sessions -q)" "a.b_c-D
session-1
web-1
web-2"

# As a table and as a report.
head -c 3000000 /dev/urandom >"$(dirname "$(grep -l '"web-1"' store/shale/sessions/*/session.json)")/data/1"
use_session team/web:1 used "mounted at /mnt"
shale sessions >list
same "an idle one" "$(sed -n 's/  */ /g; s/^web-1 localhost\/team\/web:1 20[0-9T:-]*Z //p' list)" "2.9 MiB idle"
same "one in use" "$(sed -n 's/  */ /g; s/^used localhost\/team\/web:1 [^ ]* [^ ]* [^ ]* //p' list)" \
  "mounted at /mnt (process $session_user)"
shale sessions --json >list.json
same "one in use" "$(json list.json "[(s['name'], s['process'], s['use']) for s in d if s['in_use']]")" \
  "[('used', $session_user, 'mounted at /mnt')]"
same "the manifest" "$(json list.json "{s['manifest'] for s in d}")" "{'$digest'}"
same "the image of one that has no name" "$(json list.json "d[1]['image']")" "$digest"
du=$(du -s -B1 "store/shale/sessions/$(json list.json "d[3]['id']")" | cut -f1)
same "the size is that of du" "$(json list.json "d[3]['name'], d[3]['size']")" "('web-1', $du)"
made=$(date -d "$(json list.json "d[0]['created']")" +%s)
[ "$made" -ge "$before" ] || fail "made at $made, before $before"
[ "$made" -le "$(date +%s)" ] || fail "made at $made, which is to come"
end_session
shale sessions | grep -q '^used .* idle$' || fail "it is still in use"

# Damaged ones.
damaged=store/shale/sessions/$(json list.json "d[3]['id']")
cp "$damaged/session.json" kept
sed -i 's/"version":1/"version":2/' "$damaged/session.json"
expect 0 "*warning: session ${damaged##*/}: session.json has version 2, which is newer *use a newer shale*" shale sessions
shale sessions 2>/dev/null | grep -q "^${damaged##*/} *- *- .* damaged$" || fail "it is not listed"
same "names" "$(shale sessions -q 2>/dev/null | tail -n 1)" "${damaged##*/}"
same "others" "$(shale sessions -q 2>/dev/null | wc -l)" 5
cp kept "$damaged/session.json"
chmod o+w "$damaged/session.json"
expect 0 "*warning: session ${damaged##*/}: 'session.json' may be written by other users*" shale sessions
chmod o-w "$damaged/session.json"
expect 0 "*web-1 *idle*" shale sessions

# A lock file of somebody else's making moves no cursor.
printf '12 \033[2J\n' >"$damaged/lock"
python3 - "$damaged/lock" <<'END'
import fcntl, os, struct, subprocess, sys
with open(sys.argv[1], "r+") as f:
    F_OFD_SETLK = 37
    fcntl.fcntl(f, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    out = subprocess.run(["shale", "sessions"], stdout=subprocess.PIPE, check=True).stdout
    assert b"\\x1b[2J (process 12)" in out and b"\x1b" not in out, out
END
