#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A copy into a session that is stopped leaves no mount, no directory and no half a file; the session can be used at once.
# That holds for kill -9 too, but for the file under way.
# SANITIZERS: no
# NEEDS: root fuse python3
# TIMEOUT: 120
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_CASES/edit-command/lib.sh"

edit_image
mkdir many links mnt
python3 - <<'END'
import os
for i in range(30000):
    with open(f"many/{i:05}", "x") as f:
        f.write("some text\n" * 10)
    os.symlink("target", f"links/{i:05}")
# Of many pieces.
with open("large", "xb") as f:
    for i in range(40000):
        os.pwrite(f.fileno(), b"x" * 4096, i * 8192)
END
make_session app w >/dev/null

state() {
  shale sessions | sed -n 's/^w  *[^ ]*  *[^ ]*  *[0-9.]* [A-Za-z]*  *//p'
}

is_copying() {
  state | grep -q 'copying files into it'
}

is_idle() {
  [ "$(state)" = idle ]
}

# starts SOURCE: a copy that takes long, as $copier.
starts() {
  shale cp "$1" w:/ 2>errors &
  copier=$!
}

# ends WHAT STATUS
ends() {
  ended=0
  wait "$copier" || ended=$?
  same "$1" "$ended" "$2"
}

# left: the names of half files that the session has, and of the last ones of a copy.
left() {
  shale mount -q --edit --session w mnt >/dev/null
  find mnt -name '.shale-*' -o -name 29999
  shale umount mnt
}

# A shell ignores SIGINT for what it starts in the background.
for signal in HUP:129 TERM:143; do
  case $signal in HUP*) starts links ;; *) starts many ;; esac
  wait_for is_copying
  sleep 0.3
  kill -s "${signal%:*}" "$copier"
  ends "${signal%:*}" "${signal#*:}"
  is_clean || fail "left: $(ls -A tmp; grep " $PWD/tmp/" /proc/self/mountinfo)"
  is_idle || fail "the session is: $(state)"
  same "half files, or all" "$(left)" ""
done
python3 - <<'END'
import signal, subprocess, time
copier = subprocess.Popen(["shale", "cp", "many", "w:/"], preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
for _ in range(200):
    if b"copying files into it" in subprocess.run(["shale", "sessions"], capture_output=True).stdout:
        break
    time.sleep(0.05)
copier.send_signal(signal.SIGINT)
assert copier.wait() == -signal.SIGINT, copier.returncode
END
is_clean || fail "left: $(ls -A tmp)"
is_idle || fail "the session is: $(state)"
same "half files, or all" "$(left)" ""

starts many
wait_for is_copying
sleep 0.3
kill -9 "$copier"
ends killed 137
is_clean || fail "left: $(ls -A tmp; grep " $PWD/tmp/" /proc/self/mountinfo)"
wait_for is_idle

# While one copies another waits for nothing.
starts many
wait_for is_copying
kill -s STOP "$copier"
expect 9 "shale: session 'w' is in use by process * (copying files into it); no mount *" shale cp errors w:/x
kill "$copier"
kill -s CONT "$copier"
ends stopped 143

# In a session that is mounted.
shale mount -q --edit --session w mnt >/dev/null
rm -r mnt/many
starts many
wait_for test -e mnt/many/00100
kill "$copier"
ends mounted 143
same "half files" "$(find mnt -name '.shale-*')" ""
[ ! -e mnt/many/29999 ] || fail "it was too fast to be stopped"
same "what was copied" "$(cat mnt/many/00100)" "$(cat many/00100)"

# has_begun: with the large file, under another name.
has_begun() {
  [ -n "$(find mnt -maxdepth 1 -name '.shale-*' -size +1000k)" ]
}

printf before >mnt/large
starts large
wait_for has_begun
kill "$copier"
ends "a large file" 143
same "half files" "$(find mnt -name '.shale-*')" ""
same "the file that it would have replaced" "$(cat mnt/large)" before
shale umount mnt
