#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tests/support/stress.py has nothing against tmpfs, and sees calls that lose what others do.
# NEEDS: root
# SANITIZERS: no
# TIMEOUT: 300
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
stress="$SHALE_SOURCE/tests/support/stress.py"

mkdir mnt
mount -t tmpfs none mnt
expect 0 "*8 scenes, 8 processes, *turns, 0 failed" "$stress" mnt --seconds 8
same "what is left" "$(ls -A mnt)" ""

# broken SCENE GLOB WHAT: the scene complains when a system call does WHAT.
broken() {
  expect 1 "$1: *wrong:*$2*1 scenes, *1 failed" python3 - "$stress" "$3" "$1" <<'END'
import errno
import os
import runpy
import shutil  # before the call is another: it looks then which ones take dir_fd
import sys

stress, what, scene = sys.argv[1:]
call, code = what.split(" ", 1)
right = getattr(os, call)
setattr(os, call, eval(code))
sys.argv = [stress, "mnt", "--seconds", "2", "--only", scene]
sys.path.insert(0, os.path.dirname(stress))
runpy.run_path(stress, run_name="__main__")
END
}

# Calls with dir_fd are those that clean up.
broken append "is no record" "open lambda path, flags, *m, **k: right(path, flags & ~os.O_APPEND, *m, **k)"
broken exclusive "lock-mkdir" "mkdir lambda path, *mode: os.path.isdir(path) or right(path, *mode)"
broken names "are there" "unlink lambda path, **k: right(path, **k) if k or path.endswith('a') else None"
broken atomic "FileNotFoundError" "rename lambda old, new: (os.unlink(new), right(old, new))"
broken readdir "a name that is gone is listed" "unlink lambda path, **k: right(path, **k) if k or not path.endswith('7') else None"
broken mapped "wrote last" "pwrite lambda fd, data, at: right(fd, data + b'?', at)"
broken remove "not empty" "unlink lambda path, **k: right(path, **k) if k or not path.endswith('7') else None"
umount mnt
