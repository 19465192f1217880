# SPDX-License-Identifier: Apache-2.0
"""Single checks of what POSIX and Linux promise of a file system; see posix.py beside it.

    harness      how a check is written and run
    calls        the calls that take a path, for tables over all of them
    paths        errors of looking a path up
    permissions  who may do what
    modes        setuid, setgid, umask, and what takes them away
    links        link, unlink, rmdir, rename, and link counts
    files        open, read, write, truncate, fallocate
    times        what a call does to which time
    attributes   chmod, chown, utimensat, mknod, symlink, extended attributes
"""
