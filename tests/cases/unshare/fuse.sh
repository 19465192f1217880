#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What Linux does with a FUSE file system that is mounted inside by mount(2), allow_other and default_permissions: what
# shale-unshare(1), LIMITATIONS, says, and edit mounts build upon.  The server is not shale.
# NEEDS: root fuse userns setpriv newuidmap newgidmap python3 setfattr
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_CASES/unshare/users.sh"

begin_with_users "$0"
mkdir mnt
chown 1000:1000 mnt

cat >inside.sh <<'END'
. "$SHALE_CASES/lib.sh"
kept=0

# sent REQUEST...: these, and no others, have reached the server since the last time.
sent() {
  same "requests" "$(tail -n "+$((kept + 1))" ../log)" "$(printf '%s\n' "$@" | sed '/^$/d')"
  kept=$(wc -l <../log)
}

# refused REASON COMMAND...: by the kernel, which has asked nobody.
refused() {
  refused_reason=$1
  shift
  LC_ALL=C "$@" >../out 2>&1 && fail "'$*' was not refused"
  grep -q "$refused_reason" ../out || fail "'$*': $(cat ../out)"
  sent
}

# as ID COMMAND...
as() {
  as_id=$1
  shift
  setpriv --reuid "$as_id" --regid "$as_id" --clear-groups -- "$@"
}
END

cat >with-ids.sh <<'END'
. ../inside.sh
# Owners as they are inside.
mkdir dir
sent "mkdir dir mode=0755 by 0:0"
chown 1000:65536 dir
sent "setattr dir uid=1000 gid=65536 by 0:0"
same "owner" "$(stat -c %u:%g dir)" 1000:65536
refused "Invalid argument" chown 65537 dir
refused "Invalid argument" chgrp 4000000000 dir
as 1000 mkfifo fifo
sent "mknod fifo mode=010644 rdev=0:0 by 1000:1000"
as 1000 chmod 700 dir
sent "setattr dir mode=0700 by 1000:1000"
refused "not permitted" as 1001 chmod 755 dir
refused "not permitted" as 1000 chown 5 dir
refused "Permission denied" as 1001 python3 -c "import os; os.mkdir('dir/sub')"

# Setuid bits count, and go with the owner.
same "setuid" "$(./program -u):$(./program -g)" 7:8
chown 9:9 program
sent "setattr program uid=9 gid=9 mode=0755 by 0:0"

# An owner that is not mapped.
same "nobody" "$(stat -c %u:%g unknown half | paste -s -d ' ')" "65534:65534 0:65534"
head -c 4 unknown | grep -q ELF || fail "it cannot be read"
refused "Permission denied" sh -c 'echo x >>unknown'
refused "Value too large" chmod 600 unknown
refused "Value too large" chown 0 unknown
refused "Value too large" chmod 600 half
chown 0:0 unknown
chgrp 0 half
chmod 600 unknown
sent "setattr unknown uid=0 gid=0 by 0:0" "setattr half gid=0 by 0:0" "setattr unknown mode=0600 by 0:0"
END

cat >devices.sh <<'END'
. ../inside.sh
refused "not permitted" mknod character c 1 5
refused "not permitted" mknod block b 7 0
refused "not permitted" mknod block b 0 0
mknod whiteout c 0 0
mkfifo fifo
python3 -I -c "import socket; socket.socket(socket.AF_UNIX).bind('socket')"
: >file
sent "mknod whiteout mode=020644 rdev=0:0 by 0:0" "mknod fifo mode=010644 rdev=0:0 by 0:0" \
  "mknod socket mode=140755 rdev=0:0 by 0:0" "mknod file mode=100644 rdev=0:0 by 0:0"
refused "Permission denied" head -c 1 zero

refused "not permitted" setfattr -n trusted.note -v x file
setfattr -n user.note -v x file
# As it is given, and not with the root of the namespace in it.
setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 file
sent "setxattr file user.note=78 by 0:0" \
  "setxattr file security.capability=0100000200200000000000000000000000000000 by 0:0"
END

cat >without-ids.sh <<'END'
. ../inside.sh
mkdir dir
chown 0:0 dir
sent "mkdir dir mode=0755 by 0:0" "setattr dir uid=0 gid=0 by 0:0"
refused "Invalid argument" chown 1 dir
refused "Invalid argument" chgrp 1 dir
END

# look SCRIPT: runs it in a new mount.
look() {
  # shellcheck disable=SC2016 # for the shell inside
  as_user shale unshare python3 "$SHALE_SOURCE/tests/support/fuse_ids.py" mnt log \
    sh -c 'cd mnt && exec sh "$1"' - "../$1" 2>err || fail "$1: $(cat err log)"
}

subordinate_ids alice:100000:65536
look with-ids.sh
look devices.sh
subordinate_ids
look without-ids.sh
look devices.sh
