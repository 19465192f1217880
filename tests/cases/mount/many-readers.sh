#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Thousands of open files, hundreds of readers at a time and any number of lookups cost the server neither memory nor
# descriptors.
# NEEDS: root fuse
# TIMEOUT: 120
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context mnt
for i in $(seq 500); do
  head -c 40000 /dev/urandom >"context/$i"
done
printf 'FROM scratch\nCOPY . /\n' | build_text app context >/dev/null
shale mount --cache 4M app "$PWD/mnt"
server=$(server_of mnt)
cat mnt/1 >/dev/null
resident() {
  awk '/^VmRSS:/ { print $2 }' "/proc/$server/status"
}
before=$(resident)
descriptors=$(find "/proc/$server/fd" -type l | wc -l)
python3 - "$server" <<'END'
import os, resource, sys, threading
server = sys.argv[1]
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
many = min(20000, hard - 1000)
want = {}
for i in range(1, 501):
    with open(f"context/{i}", "rb") as f:
        want[i] = f.read()
held = [os.open(f"mnt/{1 + i % 500}", os.O_RDONLY) for i in range(many)]
problems = []
def read(worker):
    try:
        for step in range(40):
            i = 1 + (worker * 37 + step * 61) % 500
            if os.pread(held[(worker + 500 * step + i) % many], 1, 0) == b"":
                problems.append("a held file ended")
            with open(f"mnt/{i}", "rb") as f:
                if f.read() != want[i]:
                    problems.append(f"file {i} differs")
            if os.path.exists(f"mnt/none-{worker}-{step}"):
                problems.append("a name that is not there")
    except OSError as e:
        problems.append(str(e))
threads = [threading.Thread(target=read, args=(n,)) for n in range(300)]
for t in threads: t.start()
for t in threads: t.join()
if problems:
    sys.exit("; ".join(problems[:5]))
END
same "descriptors of the server" "$(find "/proc/$server/fd" -type l | wc -l)" "$descriptors"
rss=$(awk '/^VmHWM:/ { print $2 }' "/proc/$server/status")
# Sanitizers have memory of their own.
is_plain() {
  ! grep -q '__[at]san_init' "$(command -v shale)"
}
! is_plain || [ "$rss" -lt 65536 ] || fail "the server took $rss KiB"
# The kernel forgets all inodes, of which the server keeps none: beside its cache (4 MiB) it has what it began with, and
# what its threads and the allocator hold.
if [ -w /proc/sys/vm/drop_caches ]; then
  echo 2 >/proc/sys/vm/drop_caches
  cat mnt/1 >/dev/null
  after=$(resident)
  echo "resident: $before KiB, at most $rss KiB, in the end $after KiB"
  ! is_plain || [ "$after" -lt $((before + 4096 + 16384)) ] || fail "the server keeps $after KiB, and had $before KiB"
fi
threads=$(find "/proc/$server/task" -mindepth 1 -maxdepth 1 | wc -l)
[ "$threads" -le 12 ] || fail "the server has $threads threads"
shale umount mnt
