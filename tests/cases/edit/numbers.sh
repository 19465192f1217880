#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Inode numbers: a session keeps its own, whoever serves it; another session has others.  So ldconfig, which remembers libraries
# by number, size and time, and does so in the image, does not take one for its neighbour of the image before.
# NEEDS: root fuse cc ldconfig
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

# Of one package: of one time, and of one size.
mkdir -p tree/lib tree/etc tree/var/cache/ldconfig mnt
echo /lib >tree/etc/ld.so.conf
for name in a b c d; do
  echo "int $name;" | cc -shared -nostdlib -x c -Wl,-soname,"lib$name.so.1" -o "tree/lib/lib$name.so.1" -
done
touch -d '2001-02-03 04:05:06 UTC' tree/lib/*
same "sizes" "$(stat -c %s tree/lib/* | sort -u | wc -l)" 1
shale import -q -t app:1 dir:tree >/dev/null

# ids: number, time, size and name of each file, where readdir(3) and stat(2) say the same; also "." and "..".
ids() {
  python3 - mnt <<'END'
import ctypes, os, sys
libc = ctypes.CDLL(None)
libc.opendir.restype = libc.readdir64.restype = ctypes.c_void_p
libc.readdir64.argtypes = [ctypes.c_void_p]
for folder in sys.argv[1], f"{sys.argv[1]}/lib":
    listing = libc.opendir(folder.encode())
    while entry := libc.readdir64(listing):
        # struct dirent64: d_ino is its first member, d_name begins at byte 19.
        number, path = ctypes.c_uint64.from_address(entry).value, f"{folder}/{os.fsdecode(ctypes.string_at(entry + 19))}"
        if path == f"{sys.argv[1]}/..":
            continue  # of another file system
        st = os.lstat(path)
        assert number == st.st_ino, f"{path}: readdir says {number}, stat {st.st_ino}"
        assert st.st_ino < 1 << 32, f"{path}: {st.st_ino} is more than programs of 32 bits can read"
        print(st.st_ino, int(st.st_ctime), st.st_size, path)
END
}

libraries() {
  ldconfig -p -C mnt/etc/ld.so.cache | sed -n 's/^[[:space:]]*\(lib[a-z.0-9]*\) .*/\1/p' | LC_ALL=C sort | paste -s -d ' '
}

shale mount --edit --session one app:1 "$PWD/mnt" >/dev/null
ldconfig -r mnt
same "libraries" "$(libraries)" "liba.so.1 libb.so.1 libc.so.1 libd.so.1"
ids >first
kill_server mnt
ids >again
cmp first again || fail "another worker has other numbers"
shale umount mnt
shale mount --edit --session one "$PWD/mnt" >/dev/null
ids >again
cmp first again || fail "the session has other numbers when it is resumed"
# A name more before them, and one less: what was `a` is where `b` was, when numbers are all that counts.
cp -p mnt/lib/libd.so.1 mnt/lib/lib0.so.1
rm mnt/lib/libb.so.1
shale commit -q -t app:2 one >/dev/null
shale umount mnt

shale mount --edit --session two app:2 "$PWD/mnt" >/dev/null
ids >second
ldconfig -r mnt
same "libraries" "$(libraries)" "liba.so.1 libc.so.1 libd.so.1"
shale umount mnt
cut -d ' ' -f 1-3 first | LC_ALL=C sort >first.ids
cut -d ' ' -f 1-3 second | LC_ALL=C sort >second.ids
same "what would be taken for another" "$(LC_ALL=C comm -12 first.ids second.ids)" ""
