#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# When a session outlives its command: with --keep, a shell that somebody worked in, a commit that failed.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_CASES/edit-command/lib.sh"

edit_image
told="shale: warning: session 'app-1' is kept: go on with 'shale mount --edit --session app-1 MOUNTPOINT' or 'shale commit app-1', or 'shale session rm app-1'"

# check_kept: the session has the change, and is not in use.
check_kept() {
  is_clean || fail "left: $(ls -A tmp)"
  same "what it holds" "$(shale diff app-1 | grep -v /etc)" "A /new"
  shale commit -q -t kept app-1 >/dev/null
  same "what can be committed" "$(shale cat kept /new)" work
  shale session rm app-1 >/dev/null
}

expect 3 "$told" shale edit --keep app -- sh -c 'echo work >new; exit 3'
check_kept
shale edit --keep app -t good -- sh -c 'echo work >new' >/dev/null
no_trace

# The shell's status is that of the last line typed.
printf 'echo work >new\nnosuchcommand 2>/dev/null\n' >typed
printf '#!/bin/sh\nexec sh\n' >shell
chmod 755 shell
export SHELL="$PWD/shell"
expect 127 "$told" shale edit app -t shell <typed
check_kept
printf 'echo work >new\n' | shale edit app -t shell >/dev/null
same "by the shell" "$(shale cat shell /new)" work
no_trace
SHELL=/no/shell expect 127 "shale: cannot run '/no/shell': *" shale edit app
no_trace

# A commit that fails, for want of an index that can take its name.
# shellcheck disable=SC2016 # for the shell inside
expect 125 "$told
shale: *" shale edit app -t lost -- sh -c 'echo work >new; cp "$SHALE_STORE/index.json" "$SHALE_STORE/away"
  echo "{" >"$SHALE_STORE/index.json"'
mv "$SHALE_STORE/away" "$SHALE_STORE/index.json"
check_kept
expect 8 '*' shale inspect lost
