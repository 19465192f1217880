#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --chroot: the command runs in the image, with its environment, beside the host's devices and processes of its own, and
# nothing of these is committed or left.
# NEEDS: root fuse busybox
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_CASES/edit-command/lib.sh"

mkdir -p rootfs/bin rootfs/etc rootfs/dev rootfs/proc rootfs/sys rootfs/opt tmp
TMPDIR=$PWD/tmp
export TMPDIR
cp "$(command -v busybox)" rootfs/bin/busybox
ln -s busybox rootfs/bin/sh
echo in the image >rootfs/etc/resolv.conf
printf '#!/bin/sh\necho found by PATH\n' >rootfs/opt/tool
chmod 755 rootfs/opt/tool
(cd rootfs/bin && for name in env sort cat ls ps grep mount sleep touch rm; do ln -s busybox "$name"; done)
printf 'FROM scratch\nADD rootfs.tar /\nENV PATH=/opt:/bin GREETING="hello there"\n' >Shalefile
tar cf rootfs.tar -C rootfs .
shale build -q -t app . >/dev/null

# Its environment is the image's.
OUTSIDE=1 TERM=dumb shale edit -q app --chroot -- env >out
sed '$d' out | grep -v -e '^PWD=' -e '^SHLVL=' | LC_ALL=C sort >got
printf 'GREETING=hello there\nHOME=/root\nPATH=/opt:/bin\nTERM=dumb\n' >want
diff -u want got >&2 || fail "another environment"
expect 0 'found by PATH
sha256:*' shale edit app --chroot -- tool
expect 127 "shale: cannot run 'python3': *" shale edit app --chroot -- python3

# Its root, and what is mounted there.
shale edit -q app -t changed --chroot -- sh -c 'cd .. && ls && cat /etc/resolv.conf && ps | grep -c "[0-9] 0 " &&
  echo x >/dev/null && ls -d /sys/kernel && touch /etc/made /dev/shm/../../new' >out
same "what it saw" "$(sed '$d' out)" "bin
dev
etc
opt
proc
sys
$(cat /etc/resolv.conf)
4
/sys/kernel"
same "what it changed" "$(shale diff app changed)" "C /etc
A /etc/made
A /new"
no_trace
[ ! -e /new ] || fail "it was the host's root"

# The shell of the image; and what it leaves ends with it.
echo 'sleep 1000 & echo $! >/sleeper; touch /by-shell; rm /sleeper' | shale edit -q app -t shell --chroot >/dev/null 2>errors
same "errors" "$(cat errors)" ""
same "what it changed" "$(shale diff app shell)" "A /by-shell"
no_trace
! pgrep -f '^sleep 1000$' >/dev/null || fail "a process is left"

# Links of the image lead nowhere outside, and what it has no place for is not there.
rm -r rootfs/dev rootfs/sys rootfs/etc/resolv.conf
mkdir inside
ln -s "$PWD/inside" rootfs/dev
ln -s /nowhere rootfs/etc/resolv.conf
tar cf rootfs.tar -C rootfs .
shale build -q -t links . >/dev/null
# shellcheck disable=SC2016 # for the shell inside
expect 0 'proc /proc
sha256:*' shale edit -q links --chroot -- sh -c 'while read -r what where rest; do
  case $where in /) ;; *) echo "$what $where" ;; esac; done </proc/mounts'
same "the host's directory" "$(ls -A inside)" ""
no_trace

# Status, signals.
expect 9 '' shale edit app -t never --chroot -- sh -c 'exit 9'
expect 143 '' shale edit app -t never --chroot -- sh -c 'kill $$'
shale edit app -t never --chroot -- sh -c 'trap "" HUP; touch /ready; exec sleep 1000' &
editor=$!
is_ready() {
  [ -e "$(echo tmp/shale-edit-*/root/ready)" ]
}
wait_for is_ready
kill "$editor"
status=0
wait "$editor" || status=$?
same "by SIGTERM" "$status" 143
no_trace
expect 8 '*' shale inspect never
