# SPDX-License-Identifier: Apache-2.0
"""Operations on modes, owners, times and extended attributes."""
import os

import syscalls
from lockstep.content import content as bytes_of
from lockstep.operation import operation

# Small and few: ext4 has one block for them.
XATTRS = ["user.a", "user.a", "user.a", "user.b", "user." + "n" * 250, "trusted.t"]
REFUSED_XATTRS = ["user.", "user." + "n" * 251, "nowhere.x", "plain"]
VALUE_MAX = 300  # bytes
CAPABILITY = bytes.fromhex("0100000200040000000000000000000000000000")  # VFS_CAP_REVISION_2, CAP_NET_BIND_SERVICE


@operation(8, lambda c: {"path": c.path()})
def stat(side, path):
    return side.stat_of(path)


@operation(3, lambda c: {"path": c.path()})
def stat_target(side, path):
    return side.stat_of(path, follow=True)


@operation(2, lambda c: {"path": c.path(), "mode": c.number(0, 7), "uid": c.uid()})
def access(side, path, mode):
    return os.access(path, mode, effective_ids=True)


@operation(6, lambda c: {"path": c.path(), "mode": c.mode() if c.chance(70) else c.folder_mode()})
def chmod(side, path, mode):
    os.chmod(path, mode)
    return side.stat_of(path, follow=True)


@operation(2, lambda c: {"slot": c.slot(), "mode": c.mode()})
def fchmod(side, slot, mode):
    os.fchmod(side.handle(slot), mode)
    return side.stat_fd(side.handle(slot))


def owners(c):
    """At least one of them."""
    owner = c.owner()
    return {"owner": owner, "group": c.owner() if owner != -1 else c.pick([0, 1000, 1001, 65534])}


@operation(5, lambda c: {"path": c.path(), **owners(c), "follow": c.chance(50)})
def chown(side, path, owner, group, follow):
    os.chown(path, owner, group, follow_symlinks=follow)
    return side.stat_of(path, follow=follow)


@operation(0.5, lambda c: {"path": c.file()})
def chown_nothing(side, path):
    """Changes no owner, and clears setuid all the same."""
    os.chown(path, -1, -1)
    return side.stat_of(path, follow=True)


@operation(2, lambda c: {"slot": c.slot(), **owners(c)})
def fchown(side, slot, owner, group):
    os.fchown(side.handle(slot), owner, group)
    return side.stat_fd(side.handle(slot))


def times(c):
    return [c.pick([c.seconds(), c.seconds(), [0, syscalls.UTIME_NOW], [0, syscalls.UTIME_OMIT]]) for _ in range(2)]


@operation(8, lambda c: {"path": c.path(), "times": times(c), "follow": c.chance(50)})
def utimens(side, path, times, follow):
    """atime is looked at right away; later it depends on who read and how that is mounted."""
    atime, mtime = times
    syscalls.utimensat(path, atime, mtime, 0 if follow else syscalls.AT_SYMLINK_NOFOLLOW)
    is_set = atime[1] not in (syscalls.UTIME_NOW, syscalls.UTIME_OMIT)
    s = os.stat(path, follow_symlinks=follow)
    return [side.stat_result(s), s.st_atime_ns if is_set else "not set"]


@operation(6, lambda c: {"path": c.path(), "name": c.pick(XATTRS), "content": c.content(), "length": c.number(0, VALUE_MAX),
                         "flags": c.pick([0, 0, os.XATTR_CREATE, os.XATTR_REPLACE]), "follow": c.chance(50)})
def setxattr(side, path, name, content, length, flags, follow):
    os.setxattr(path, name, bytes_of(content, length), flags, follow_symlinks=follow)
    return os.getxattr(path, name, follow_symlinks=follow)


@operation(1, lambda c: {"path": c.file()})
def set_capability(side, path):
    os.setxattr(path, "security.capability", CAPABILITY)
    return [os.getxattr(path, "security.capability"), side.stat_of(path, follow=True)]


@operation(0.5, lambda c: {"path": c.path(), "name": c.pick(REFUSED_XATTRS)})
def set_bad_xattr(side, path, name):
    os.setxattr(path, name, b"value")
    return None


@operation(2, lambda c: {"path": c.path(), "name": c.pick(XATTRS), "follow": c.chance(50)})
def getxattr(side, path, name, follow):
    return os.getxattr(path, name, follow_symlinks=follow)


@operation(2, lambda c: {"path": c.path(), "follow": c.chance(50)})
def listxattr(side, path, follow):
    return sorted(os.listxattr(path, follow_symlinks=follow))


@operation(2, lambda c: {"path": c.path(), "name": c.pick(XATTRS + ["security.capability"]), "follow": c.chance(50)})
def removexattr(side, path, name, follow):
    os.removexattr(path, name, follow_symlinks=follow)
    return sorted(os.listxattr(path, follow_symlinks=follow))


@operation(1, lambda c: {"slot": c.slot(), "name": c.pick(XATTRS), "content": c.content()})
def fsetxattr(side, slot, name, content):
    fd = side.handle(slot)
    os.setxattr(fd, name, bytes_of(content, 20))
    return sorted(os.listxattr(fd))
