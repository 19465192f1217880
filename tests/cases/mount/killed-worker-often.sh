#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Hundreds of readers see right bytes, names and attributes while the process that answers is killed again and again.
# NEEDS: root fuse
# TIMEOUT: 180
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context/dir mnt
for i in $(seq 200); do
  head -c 200000 /dev/urandom >"context/$i"
  ln -s "../$i" "context/dir/$i"
done
printf 'FROM scratch\nCOPY . /\n' | build_text app context >/dev/null
shale mount --cache 4M app "$PWD/mnt"
supervisor=$(supervisor_of mnt)
descriptors=$(find "/proc/$supervisor/fd" -type l | wc -l)

# Until the file `stop` is there; each round asks the kernel for what it may not keep, too.
cat >readers.py <<'END'
import os, sys, threading
want = {}
for i in range(1, 201):
    with open(f"context/{i}", "rb") as f:
        want[i] = f.read()
problems = []
rounds = [0] * 100
def read(worker):
    step = worker
    try:
        while not os.path.exists("stop"):
            step += 1
            i = 1 + (worker * 37 + step * 61) % 200
            with open(f"mnt/{i}", "rb") as f:
                os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                if f.read() != want[i]:
                    problems.append(f"file {i} differs")
            if os.readlink(f"mnt/dir/{i}") != f"../{i}" or os.path.exists(f"mnt/none-{worker}-{step}"):
                problems.append(f"name {i}")
            if step % 10 == 0 and len(os.listdir("mnt")) != 201:
                problems.append("a directory")
            os.statvfs("mnt")
            rounds[worker] += 1
    except OSError as e:
        problems.append(str(e))
threads = [threading.Thread(target=read, args=(n,)) for n in range(len(rounds))]
for t in threads: t.start()
for t in threads: t.join()
if problems:
    sys.exit("; ".join(problems[:5]))
if min(rounds) == 0:
    sys.exit("a reader did nothing")
print(sum(rounds), "rounds")
END
python3 readers.py &
readers=$!
for _ in $(seq 30); do
  kill_server mnt
  is_gone "$readers" && fail "the readers have ended"
done
: >stop
wait "$readers"
same "the supervisor" "$(supervisor_of mnt)" "$supervisor"
same "its descriptors" "$(find "/proc/$supervisor/fd" -type l | wc -l)" "$descriptors"
shale umount mnt
wait_for is_gone "$supervisor"
same "servers" "$(server_of mnt)" ""
