#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A directory of thousands of names is listed once each, however it is read, and deep paths are reached.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir mnt
python3 - <<'END'
import io, tarfile
with tarfile.open("tree.tar", "w", format=tarfile.PAX_FORMAT) as tar:
    for i in range(20000):
        info = tarfile.TarInfo(f"many/{'n' * (i % 200)}{i}")
        info.size = 5
        tar.addfile(info, io.BytesIO(b"%05d" % i))
    deep = tarfile.TarInfo("/".join(["d"] * 1000) + "/file")
    deep.size = 4
    tar.addfile(deep, io.BytesIO(b"deep"))
END
shale import -q -t app rootfs:tree.tar >/dev/null
shale mount app mnt
python3 - <<'END'
import os, sys
names = os.listdir("mnt/many")
if len(names) != 20000 or len(set(names)) != 20000:
    sys.exit(f"{len(names)} names, {len(set(names))} of them different")
for i in range(0, 20000, 371):
    with open(f"mnt/many/{'n' * (i % 200)}{i}", "rb") as f:
        if f.read() != b"%05d" % i:
            sys.exit(f"file {i} differs")
os.chdir("mnt")
for _ in range(1000):
    os.chdir("d")
if open("file").read() != "deep":
    sys.exit("the deep file differs")
END
same "names by find" "$(find mnt -name 'n*' -type f | wc -l)" 19900
shale umount mnt
