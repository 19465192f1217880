#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tests/support/posix.py has nothing against tmpfs, and something against each call that is wrong.
# NEEDS: root
# SANITIZERS: no
# TIMEOUT: 300
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
posix="$SHALE_SOURCE/tests/support/posix.py"

mkdir mnt
mount -t tmpfs none mnt
expect 0 "*checks, 0 failed" "$posix" mnt
same "what is left" "$(ls -A mnt)" ""
[ "$("$posix" --list | wc -l)" -gt 2000 ] || fail "few checks"
expect 0 "49 checks, 0 failed" "$posix" mnt --only '^exchange of a \w+ and a \w+$'

# broken NAME WHAT: the check NAME fails when a system call does WHAT.
broken() {
  expect 1 "$1: *checks, * failed" python3 - "$posix" "$2" "$1" <<'END'
import os
import re
import runpy
import sys

posix, what, name = sys.argv[1:]
call, code = what.split(" ", 1)
right = getattr(os, call)
setattr(os, call, eval(code))
sys.argv = [posix, "mnt", "--only", f"^{re.escape(name)}$"]
sys.path.insert(0, os.path.dirname(posix))
runpy.run_path(posix, run_name="__main__")
END
}

# Calls with dir_fd are those that clean up.
broken "rmdir of a folder with a fifo in it: ENOTEMPTY" "rmdir lambda *a, **k: right(*a, **k) if k else None"
broken "unlink of a socket" "unlink lambda *a, **k: right(*a, **k) if k else None"
broken "rename of a file over a fifo" "rename lambda old, new: None"
broken "write by the owner clears setuid and setgid: 4755" "write lambda fd, data: None"
broken "write by root keeps setuid and setgid: 4755" "write lambda fd, data: (right(fd, data), os.fchmod(fd, 0o755))"
broken "write: mtime and ctime move" "write lambda fd, data: None"
broken "write of no bytes: neither mtime nor ctime moves" "write lambda fd, data: right(fd, b'x')"
broken "truncate of 4097 bytes to 1: what is kept is kept, what is new is zeros" "truncate lambda path, size: right(path, size + 1)"
broken "mkdir with umask 022 and mode 777" "mkdir lambda path, mode=0o777: (right(path, mode), os.chmod(path, mode))"
broken "open(O_WRONLY) with the bits 4 for group, of a file" "setresgid lambda *ids: None"
broken "unlink of others' file in others' sticky folder" "chown lambda path, *ids, **k: right(path, 1003, 1003)"
umount mnt
