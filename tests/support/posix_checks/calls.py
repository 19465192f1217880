# SPDX-License-Identifier: Apache-2.0
"""The calls that take a path, for tables over all of them.

In the directory of the check there is a file "there", which the calls with two paths use for the other one.
"""
import os
import stat

import syscalls
from posix_checks.harness import write_file


def opened(path, flags, mode=0o644):
    os.close(os.open(path, flags, mode))


# Those that make a name, and fail when it is there.
MAKING = {
    "open(O_CREAT|O_EXCL)": lambda path: opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL),
    "mkdir": os.mkdir,
    "mkfifo": os.mkfifo,
    "mknod": lambda path: os.mknod(path, stat.S_IFREG | 0o644),
    "symlink": lambda path: os.symlink("target", path),
    "link(new)": lambda path: syscalls.linkat("there", path),
}
# Those that want a file, and look at a symbolic link's target.
FOLLOWING = {
    "open": lambda path: opened(path, os.O_RDONLY | os.O_NONBLOCK),
    "open(O_WRONLY)": lambda path: opened(path, os.O_WRONLY | os.O_NONBLOCK),
    "chmod": lambda path: os.chmod(path, 0o600),
    "chown": lambda path: os.chown(path, 0, 0),
    "truncate": lambda path: os.truncate(path, 1),
    "utimensat": lambda path: syscalls.utimensat(path, (1, 2), (3, 4)),
    "stat": os.stat,
    "statvfs": os.statvfs,
    "getxattr": lambda path: os.listxattr(path),
    "setxattr": lambda path: os.setxattr(path, "user.name", b"value"),
}
# Those that want a file, and take a symbolic link for what it is.
NOT_FOLLOWING = {
    "lchown": lambda path: os.lchown(path, 0, 0),
    "lstat": os.lstat,
    "unlink": os.unlink,
    "link(old)": lambda path: syscalls.linkat(path, "linked"),
    "rename(old)": lambda path: os.rename(path, "renamed"),
    "utimensat(AT_SYMLINK_NOFOLLOW)": lambda path: syscalls.utimensat(path, (1, 2), (3, 4), syscalls.AT_SYMLINK_NOFOLLOW),
}
# Those that want something else than a file.
OTHERS = {
    "open(O_DIRECTORY)": lambda path: opened(path, os.O_RDONLY | os.O_DIRECTORY),
    "readlink": os.readlink,
    "rmdir": os.rmdir,
    "rename(new)": lambda path: os.rename("there", path),
    "open(O_CREAT)": lambda path: opened(path, os.O_WRONLY | os.O_CREAT),
}
ALL = {**MAKING, **FOLLOWING, **NOT_FOLLOWING, **OTHERS}


def prepare():
    write_file("there", b"there")
