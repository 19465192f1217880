# SPDX-License-Identifier: Apache-2.0
"""How a check is written and run.

A check is a function that runs in an empty directory of its own (mode 0755, of root) and raises Failed, or an OSError that it
did not expect.  `check` registers one for each row of its tables.
"""
import collections
import functools
import itertools
import os
import pickle
import socket
import stat
import time

from syscalls import error_name

CHECKS = {}

User = collections.namedtuple("User", "uid gid groups")
# To files of 1000:1000 these are their owner, their group in both ways, and others.
OWNER = User(1000, 1000, ())
MATE = User(1001, 1000, ())
MEMBER = User(1002, 1002, (1000,))
OTHER = User(1003, 1003, ())
USERS = {"owner": OWNER, "group": MATE, "supplementary group": MEMBER, "other": OTHER}

LONGEST_NAME = 255  # bytes
PATH_MAX = 4096  # bytes, with the NUL
CLOCK_REALTIME_COARSE = 5  # what the kernel takes times of files from
KINDS = ["file", "folder", "fifo", "char", "block", "socket", "symlink"]


class Failed(Exception):
    pass


def check(name, *tables):
    """Registers a check for each combination of the tables' rows, which are its arguments and fill in the name."""

    def register(function):
        for row in itertools.product(*tables):
            full = name.format(*row)
            assert full not in CHECKS, full
            CHECKS[full] = functools.partial(function, *row)
        return function

    return register


def outcome(function, *arguments):
    """"ok", or the name of the error."""
    try:
        function(*arguments)
        return "ok"
    except OSError as e:
        return error_name(e.errno)


def expect(wanted, function, *arguments, user=None):
    """`wanted` is "ok" or the name of an error; several are parted by "|"."""
    got = as_user(user, outcome, function, *arguments) if user else outcome(function, *arguments)
    if got not in wanted.split("|"):
        raise Failed(f"{got}, not {wanted}")


def same(what, got, wanted):
    if got != wanted:
        raise Failed(f"{what} is {got!r}, not {wanted!r}")


def same_mode(path, wanted, follow=True):
    got = stat.S_IMODE(os.stat(path, follow_symlinks=follow).st_mode)
    if got != wanted:
        raise Failed(f"mode is {got:04o}, not {wanted:04o}")


def run_child(write_end, user, function, arguments):
    try:
        os.setgroups(user.groups)
        os.setresgid(user.gid, user.gid, user.gid)
        os.setresuid(user.uid, user.uid, user.uid)
        answer = (True, function(*arguments))
    except Exception as e:
        answer = (False, e)
    with os.fdopen(write_end, "wb") as f:
        pickle.dump(answer, f)


def as_user(user, function, *arguments):
    """What it returns, or raises, in a process of this user."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        run_child(write_end, user, function, arguments)
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as f:
        answer = f.read()
    os.waitpid(child, 0)
    if not answer:
        raise Failed("the process of the user died")
    is_value, value = pickle.loads(answer)
    if not is_value:
        raise value
    return value


def write_file(path, data=b"", mode=0o644, owner=(0, 0)):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as f:
        f.write(data)
    os.chown(path, *owner)
    os.chmod(path, mode)


def read_file(path):
    with open(path, "rb") as f:
        return f.read()


def make_folder(path, mode=0o755, owner=(0, 0)):
    os.mkdir(path)
    os.chown(path, *owner)
    os.chmod(path, mode)


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(path)


MAKERS = {
    "file": lambda path: write_file(path, b"data"),
    "folder": os.mkdir,
    "fifo": os.mkfifo,
    "char": lambda path: os.mknod(path, stat.S_IFCHR | 0o644, os.makedev(240, 1)),
    "block": lambda path: os.mknod(path, stat.S_IFBLK | 0o644, os.makedev(241, 1)),
    "socket": make_socket,
    "symlink": lambda path: os.symlink("missing", path),
}


def make(kind, path, owner=(0, 0)):
    MAKERS[kind](path)
    os.chown(path, *owner, follow_symlinks=False)


def remove(kind, path):
    (os.rmdir if kind == "folder" else os.unlink)(path)


def next_tick():
    """Waits until files that change have another time than before: a tick may come late, and file systems with times finer
    than ticks are ahead of it then."""
    before = time.time_ns()
    while time.clock_gettime_ns(CLOCK_REALTIME_COARSE) <= before:
        time.sleep(0.001)


def run(name, folder):
    """None, or why it failed."""
    os.mkdir(folder, 0o755)
    os.chdir(folder)
    umask = os.umask(0o022)
    try:
        CHECKS[name]()
        return None
    except (Failed, OSError) as e:
        return str(e)
    finally:
        os.umask(umask)
        os.chdir("/")
