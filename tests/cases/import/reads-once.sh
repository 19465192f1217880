#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A directory becomes a layer in one pass: each file is read once, and nothing of the size of its tar is written but the
# blob, which nobody reads again, though the index of a gzip layer is not in it.
# NEEDS: root strace
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p tree/dir
head -c 5000000 /dev/urandom >tree/noise
head -c 3000001 /dev/urandom >tree/dir/more
seq 100000 >tree/dir/text
echo hello >tree/hello
: >tree/empty
for how in "zstd 0" "zstd 2" "gzip 0" "gzip 2"; do
  compression=${how% *}
  workers=${how#* }
  rm -rf store
  strace -f -y -s 0 -o log -e trace=read,readv,pread64,preadv,preadv2,mmap,copy_file_range,sendfile,splice,write,writev,pwrite64,pwritev,pwritev2 \
    shale import -q --compression "$compression" --workers "$workers" -t app dir:tree >/dev/null
  # The first who looks at the image has the index.
  strace -f -y -s 0 -o log-ls -e trace=read,pread64,mmap shale ls app >/dev/null
  ! grep "blobs/sha256/$(layers app | cut -d: -f2)>" log-ls || [ "$compression" = zstd ] || fail "'ls' read the blob"
  python3 - "$(blob "$(layers app)")" <<'END' || fail "$compression with $workers workers"
import collections, os, re, sys
blob = os.path.getsize(sys.argv[1])
here = os.getcwd()
sources = {os.path.join(folder, name): os.path.getsize(os.path.join(folder, name))
           for folder, _, names in os.walk(here + "/tree") for name in names}
call = re.compile(r"^\d+ +(\w+)\((.*)\) += (-?\d+|0x\w+)")
cut = re.compile(r"^(\d+) +(.*) <unfinished \.\.\.>$")
rest = re.compile(r"^(\d+) +<\.\.\. \w+ resumed>(.*)")
read, written, started = collections.Counter(), collections.Counter(), {}
for line in open("log", errors="surrogateescape"):
    line = line.rstrip("\n")
    if m := cut.match(line):
        started[m[1]] = line[: m.end(2)]
        continue
    if m := rest.match(line):
        line = started.pop(m[1]) + m[2]
    m = call.match(line)
    if not m:
        continue
    name, arguments, result = m.groups()
    file = re.search(r"\d<(/[^>]*)>", arguments)
    if not file:
        continue
    if file[1] in sources and name not in ("read", "readv", "pread64"):
        sys.exit(f"another way of reading: {line}")
    if name in ("read", "readv", "pread64", "preadv", "preadv2"):
        read[file[1]] += int(result)
    elif name != "mmap":
        written[file[1]] += int(result)
tar = sum(sources.values())
if tar < 8000000 or blob < tar * 3 // 4:
    sys.exit(f"a blob of {blob} of {tar} bytes")
wrong = {name: (read[name], size) for name, size in sources.items() if read[name] != size}
if wrong:
    sys.exit(f"bytes read, and sizes: {wrong}")
large = {name: size for name, size in written.items() if size > tar // 10}
if list(large.values()) != [blob]:
    sys.exit(f"written {large}, the blob has {blob}")
again = {name: size for name, size in read.items() if name.startswith(here + "/store/") and size > tar // 10}
if again:
    sys.exit(f"read again: {again}")
END
done
