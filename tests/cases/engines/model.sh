#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tests/support/model.py finds no difference between two trees of one file system, and each that is planted.
# NEEDS: root
# SANITIZERS: no
# TIMEOUT: 300
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
model="$SHALE_SOURCE/tests/support/model.py"

mkdir a b
mount -t tmpfs none a
mount -t tmpfs none b
expect 0 "*seed 3, 4000 operations, no difference*" "$model" a b --populate --ops 4000 --seed 3 --compare-every 1000

# again: both as they were in the beginning.
again() {
  umount a b
  mount -t tmpfs none a
  mount -t tmpfs none b
  "$model" --populate a
  "$model" --populate b
}

again
# A command between operations happens, in the log too.
expect 1 "*'planted' is only in *\"op\": \"shell\"*" "$model" a b --ops 300 --restart 200 "touch $PWD/b/planted"

# planted GLOB COMMAND...: what COMMAND changed in b is told.
planted() {
  planted_glob=$1
  shift
  again
  "$@"
  expect 1 "*the trees differ*$planted_glob*" "$model" a b --ops 0
}

planted "'files/small': mode: 100644 and 100640" chmod 640 b/files/small
planted "'files/small': uid: 0 and 7" chown 7 b/files/small
planted "'files/page': mtime: 14*" touch b/files/page
planted "'files/zeros': content:" sh -c 'printf x | dd of=b/files/zeros bs=1 seek=150000 conv=notrunc status=none'
planted "'links/to-one-again': a link to" sh -c 'rm b/links/to-one-again; ln -s one b/links/to-one-again'
planted "'files/empty' is only in $PWD/a" rm b/files/empty
planted "'specials/char': rdev:" sh -c 'rm b/specials/char; mknod -m 620 b/specials/char c 240 4'
planted "'links/to-nowhere': content:" ln -sfn elsewhere b/links/to-nowhere
planted "'xattrs/capable': security.capability:" setfattr -x security.capability b/xattrs/capable

# broken GLOB WHAT: a system call that does WHAT in b is noticed, by whichever operation; 3 is a difference, and 1 a program that
# fails.
broken() {
  again
  expect 3 "operation *: *$1*" python3 - "$SHALE_SOURCE/tests/support" "$2" <<'END'
import os
import sys

sys.path.insert(0, sys.argv[1])
from lockstep import choice, run, side

call, code = sys.argv[2].split(" ", 1)
right, wrong = getattr(os, call), eval(code)


def apply(self, *arguments):
    """As before, but in b with the wrong call."""
    setattr(os, call, wrong if self.root.endswith("/b") else right)
    try:
        return whole(self, *arguments)
    finally:
        setattr(os, call, right)


whole, side.Side.apply = side.Side.apply, apply
lockstep = run.Lockstep("a", "b", side.Rules(), 500)
try:
    run.run_random(lockstep, choice.Choice(1, lockstep.a), 4000, set(), [], lambda entry: None)
except run.Difference as e:
    print(f"operation {len(lockstep.log)}: {e}")
    sys.exit(3)
END
}

broken "" "pwrite lambda fd, data, at: right(fd, data[:-1] + b'?', at)"
broken "" "unlink lambda path, **folder: None"
broken "" "rename lambda old, new, **folders: None"
broken "mtime: " "pwrite lambda fd, data, at: (right(fd, data, at), os.utime(fd, (1, 1)))[0]"
broken "" "mkdir lambda *a, **folder: right(*a, **folder) if folder else None"
broken "" "ftruncate lambda fd, size: right(fd, size + 1)"
broken "" "setxattr lambda path, name, value, *flags, **follow: right(path, name, value + b'.', *flags, **follow)"
umount a b
