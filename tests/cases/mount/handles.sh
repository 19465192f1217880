#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A file handle, as an NFS server keeps it, opens its file in a later mount of the image, too; one that is none is stale.
# NEEDS: root fuse
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context/dir/sub mnt
echo content >context/dir/sub/file
printf 'FROM scratch\nCOPY . /\n' | build_text app context >/dev/null
cat >handles.py <<'END'
import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)
AT_FDCWD = -100
class Handle(ctypes.Structure):
    _fields_ = [("bytes", ctypes.c_uint), ("type", ctypes.c_int), ("data", ctypes.c_char * 128)]
def save(path, name):
    handle, mount = Handle(bytes=128), ctypes.c_int()
    if libc.name_to_handle_at(AT_FDCWD, path.encode(), ctypes.byref(handle), ctypes.byref(mount), 0) < 0:
        sys.exit(f"name_to_handle_at: {os.strerror(ctypes.get_errno())}")
    with open(name, "wb") as f:
        f.write(bytes(handle))
def load(name):
    with open(name, "rb") as f:
        return Handle.from_buffer_copy(f.read())
def opened(handle):
    mount = os.open("mnt", os.O_RDONLY)
    fd = libc.open_by_handle_at(mount, ctypes.byref(handle), os.O_RDONLY)
    number = ctypes.get_errno()
    os.close(mount)
    if fd < 0:
        raise OSError(number, os.strerror(number))
    return fd
if sys.argv[1] == "save":
    save("mnt/dir/sub/file", "file.handle")
    save("mnt/dir/sub", "dir.handle")
else:
    fd = opened(load("file.handle"))
    if os.read(fd, 100) != b"content\n":
        sys.exit("another file was opened")
    if os.readlink(f"/proc/self/fd/{fd}").rpartition("/")[2] not in ("file", ""):
        sys.exit(os.readlink(f"/proc/self/fd/{fd}"))
    if os.listdir(opened(load("dir.handle"))) != ["file"]:
        sys.exit("another directory was opened")
    # The node's number is in front.
    for number in 99, 2**32 + 1, 2**63:
        handle = load("file.handle")
        data = bytearray(bytes(handle))
        data[8:12], data[12:16] = (number >> 32).to_bytes(4, "little"), (number & 0xFFFFFFFF).to_bytes(4, "little")
        try:
            opened(Handle.from_buffer_copy(bytes(data)))
            sys.exit(f"a handle of node {number} was opened")
        except OSError as e:
            if e.errno != errno.ESTALE:
                sys.exit(f"a handle of node {number}: {e}")
END
shale mount app mnt
python3 handles.py save
python3 handles.py load
shale umount mnt
wait_for is_unmounted mnt
shale mount app mnt
python3 handles.py load
shale umount mnt
