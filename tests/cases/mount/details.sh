#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What programs ask of a file system: inode numbers of hardlinks, link counts, statfs, holes, seeking, nodev, times, names.
# NEEDS: root fuse getfattr
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

make_rootfs tree
shale import -q -t app dir:tree >/dev/null
mkdir mnt
shale mount app mnt
python3 - tree mnt <<'END'
import errno, os, stat, sys
tree, mnt = sys.argv[1:]

def check(what, ok, *values):
    if not ok:
        sys.exit(f"{what}: {values}")

def fails(what, number, call, *args):
    try:
        call(*args)
    except OSError as e:
        check(what, e.errno == number, e)
    else:
        sys.exit(f"{what}: it worked")

a, b = os.stat(f"{mnt}/bin/tool"), os.stat(f"{mnt}/home/user/tool3")
check("hardlinks", a.st_ino == b.st_ino and a.st_nlink == b.st_nlink == 3, a, b)
inodes = {}
for folder, dirs, files in os.walk(mnt):
    for entry in os.scandir(folder):
        st = entry.stat(follow_symlinks=False)
        check("d_ino", entry.inode() == st.st_ino, entry.path)
        check("one device", st.st_dev == a.st_dev, entry.path)
        inodes.setdefault(st.st_ino, []).append(entry.path)
check("inode numbers", sorted(map(len, inodes.values()))[-2:] == [1, 3], inodes)
check("directories", os.stat(f"{mnt}/home").st_nlink == 3, os.stat(f"{mnt}/home"))
check("the root", os.stat(mnt).st_nlink == os.stat(tree).st_nlink)
check("..", os.stat(f"{mnt}/bin/..").st_ino == os.stat(mnt).st_ino)

vfs = os.statvfs(mnt)
check("statfs", vfs.f_namemax == 255 and vfs.f_bfree == 0 and vfs.f_files > 20 and vfs.f_blocks > 0, vfs)
check("read-only", vfs.f_flag & os.ST_RDONLY)

sparse = os.open(f"{mnt}/home/user/sparse", os.O_RDONLY)
data = os.lseek(sparse, 0, os.SEEK_DATA)
hole = os.lseek(sparse, data, os.SEEK_HOLE)
check("holes", 0 < data <= 4000000 < hole < 8 * 1024 * 1024, data, hole)
check("data", os.pread(sparse, 6, 4000000) == b"middle" and os.pread(sparse, 5, 0) == bytes(5))
fails("no data behind", errno.ENXIO, os.lseek, sparse, hole, os.SEEK_DATA)
fails("SEEK_DATA at the end", errno.ENXIO, os.lseek, sparse, 8 * 1024 * 1024, os.SEEK_DATA)
check("reading at the end", os.pread(sparse, 10, 8 * 1024 * 1024) == b"")
check("reading across the end", len(os.pread(sparse, 10, 8 * 1024 * 1024 - 3)) == 3)
check("st_blocks", os.fstat(sparse).st_blocks * 512 < 1024 * 1024, os.fstat(sparse))

fails("a device does not work", errno.EACCES, os.open, f"{mnt}/dev/null", os.O_RDONLY)
st = os.stat(f"{mnt}/dev/null")
check("but is shown", stat.S_ISCHR(st.st_mode) and st.st_rdev == os.makedev(1, 3), st)
check("a link", os.readlink(f"{mnt}/etc/link") == "../bin/tool")
check("a link is followed", os.stat(f"{mnt}/etc/link").st_ino == a.st_ino)
st = os.stat(f"{mnt}/etc/passwd")
check("times", st.st_mtime_ns == st.st_atime_ns == st.st_ctime_ns == 981173106789012345, st)

for path in "/etc/passwd", "/bin/tool", "/etc/empty":
    names = os.listxattr(mnt + path)
    check("xattrs", sorted(names) == sorted(os.listxattr(tree + path)), path, names)
    for name in names:
        check("xattr", os.getxattr(mnt + path, name) == os.getxattr(tree + path, name), path, name)
fails("no such xattr", errno.ENODATA, os.getxattr, f"{mnt}/etc/passwd", "user.none")
fails("no such file", errno.ENOENT, os.stat, f"{mnt}/none")
fails("no such file, again", errno.ENOENT, os.stat, f"{mnt}/none")
fails("below a file", errno.ENOTDIR, os.stat, f"{mnt}/bin/tool/x")
fails("a name too long", errno.ENAMETOOLONG, os.stat, f"{mnt}/" + "x" * 256)
fails("reading a directory", errno.EISDIR, os.read, os.open(f"{mnt}/bin", os.O_RDONLY), 1)
END
shale umount mnt
