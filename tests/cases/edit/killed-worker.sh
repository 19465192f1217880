#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tar unpacks 3,000 files while the process that answers is killed again and again: tar notices nothing, the tree is what
# was packed, and so it is after unmounting and resuming, and committed.
# NEEDS: root fuse getfattr
# TIMEOUT: 120
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

rounds=10
# Files of all kinds; each directory is named by its turn.
mkdir tree
python3 - <<'END_TREE'
import os, random
random.seed(7)
for d in range(10):
    top = f"tree/{d}"
    os.mkdir(top)
    for i in range(300):
        path = f"{top}/{i}-" + "n" * random.choice((1, 20, 240)) if i else f"{top}/0-first"
        kind = random.random() if i else 1
        if kind < 0.05:
            os.symlink("t" * random.randrange(1, 300), path)
        elif kind < 0.1:
            os.link(f"{top}/0-first", path)
        elif kind < 0.15:
            os.mkdir(path)
            os.mkfifo(f"{path}/fifo", 0o600)
        else:
            with open(path, "wb") as f:
                f.write(random.randbytes(random.choice((0, 1, 100, 4095, 4097, 20000, 70000))))
            os.chown(path, random.randrange(3), random.randrange(70000))
            os.chmod(path, random.choice((0o644, 0o600, 0o4755, 0o2711, 0)))
            if kind > 0.9:
                os.setxattr(path, "user.note", random.randbytes(random.randrange(1, 200)))
        os.utime(path, ns=(0, random.randrange(1700000000) * 10**9 + random.randrange(10**9)), follow_symlinks=False)
END_TREE
tar -cf tree.tar --xattrs --format=posix --sort=name -C tree .

# A part of the archive for each directory.
python3 - <<'END_PARTS'
import tarfile
with tarfile.open("tree.tar") as tar, open("tree.tar", "rb") as whole:
    starts = [m.offset for m in tar if m.isdir() and m.name.count("/") == 1]
    for i, start in enumerate(starts):
        whole.seek(start if i else 0)
        end = starts[i + 1] if i + 1 < len(starts) else None
        with open(f"part.{i}", "wb") as part:
            part.write(whole.read(end - whole.tell()) if end else whole.read())
END_PARTS

small_image app >/dev/null
mkdir mnt
shale mount --edit --session work app "$PWD/mnt" >/dev/null
supervisor=$(supervisor_of mnt)
mkdir mnt/tree
mkfifo parts
tar -xpf parts --xattrs --xattrs-include='*' --numeric-owner -C mnt/tree >out 2>&1 &
tar=$!
exec 3>parts
kills=0
while [ "$kills" -lt "$rounds" ]; do
  # tar gets no more than this directory: the kill meets it at work, however slow this loop is.
  cat "part.$kills" >&3 &
  feed=$!
  wait_for test -e "mnt/tree/$kills/0-first" -o ! -e "/proc/$tar"
  is_gone "$tar" && fail "tar has ended after $kills kills: $(cat out)"
  kill_server mnt
  wait "$feed" || fail "tar did not read part $kills: $(cat out)"
  kills=$((kills + 1))
done
exec 3>&-
wait "$tar" || fail "tar: $(cat out)"
same "what tar said" "$(cat out)" ""
same "the supervisor" "$(supervisor_of mnt)" "$supervisor"
same_trees tree mnt/tree
kill_server mnt
same_trees tree mnt/tree
shale umount mnt

shale mount --edit --session work "$PWD/mnt" >/dev/null
same_trees tree mnt/tree
shale umount mnt
shale commit -q -t new work >/dev/null
shale mount new mnt
same_trees tree mnt/tree
shale umount mnt
expect 0 "*0 errors*" shale fsck --read-data
