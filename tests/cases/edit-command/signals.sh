#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Signals: what asks shale to end ends the command, and leaves nothing; what is typed goes to the command; what it leaves
# running loses the mount.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_CASES/edit-command/lib.sh"

edit_image

# start ARGUMENT...: shale edit in the background, as $editor; returns when its command has made the file `ready`.
start() {
  rm -f ready
  shale edit "$@" >out 2>errors &
  editor=$!
  wait_for test -e ready
}

# ends WHAT STATUS: $editor ends so.
ends() {
  ended=0
  wait "$editor" || ended=$?
  same "$1" "$ended" "$2"
}

# Asked to end.
for signal in HUP:129 TERM:143; do
  name=${signal%:*}
  start app -t never -- sh -c "trap 'echo $name >>$PWD/seen; exit 0' $name; touch x $PWD/ready; while :; do sleep 0.05; done"
  kill -s "$name" "$editor"
  ends "$name" "${signal#*:}"
  grep -qx "$name" seen || fail "the command did not get $name"
  no_trace
done
# With --keep what was done until then is there.
start app -t never --keep -- sh -c "touch x $PWD/ready; exec sleep 100"
kill "$editor"
ends "kept" 143
is_clean || fail "left: $(ls -A tmp)"
same "what it did" "$(shale diff app-1 | grep -v ' /$')" "A /x"
shale session rm app-1 >/dev/null
# One that does not listen, and one in the image that leaves others.
start app -t never -- sh -c "trap '' TERM; touch x $PWD/ready; while :; do sleep 0.05; done"
kill "$editor"
ends "deaf" 143
no_trace
expect 8 '*' shale inspect never

# The command's own end by a signal is no end of shale.
expect 143 '' shale edit app -- sh -c "kill \$\$"
no_trace

# A signal that is ignored stays ignored.
# shellcheck disable=SC2016 # for the shell inside
expect 0 'sha256:*' nohup sh -c 'shale edit "$1" -- sh -c "kill -HUP \$PPID; sleep 0.3"' - app
no_trace

# What it left running loses the mount, and what was done before is committed.
shale edit app -t left -- sh -c "touch x; sleep 100 >/dev/null 2>&1 & echo \$! >$PWD/sleeper" >out 2>errors
same "what is told" "$(cat errors)" \
  "shale: warning: what COMMAND has left running still used the mount, and has lost it"
same "what it did" "$(shale diff app left | grep -v ' /$')" "A /x"
kill "$(cat sleeper)"
no_trace

# It ended the mount itself.
# shellcheck disable=SC2016 # for the shell inside
shale edit app -t ended -- sh -c 'touch x; cd /; shale umount "$SHALE_MOUNT"' >out
same "what it did" "$(shale diff app ended | grep -v ' /$')" "A /x"
no_trace

# Ctrl-C at a terminal.
cat >typing.py <<'END'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
seen = b""
while True:
    try:
        part = os.read(fd, 4096)
    except OSError:
        break
    if not part:
        break
    if b"ready" in part:
        os.write(fd, b"\x03")
    seen += part
sys.stdout.write(seen.decode().replace("\r", ""))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) % 256)
END
expect 0 '*interrupted once*sha256:*' python3 typing.py shale edit -q app -t typed -- sh -c \
  'trap "echo interrupted once >>x" INT; echo ready; while [ ! -e x ]; do sleep 0.05; done; cat x'
same "what it did" "$(shale cat typed /x)" "interrupted once"
expect 130 '*ready*' python3 typing.py shale edit -q app -t never -- sh -c 'echo ready; exec sleep 100'
no_trace
