# SPDX-License-Identifier: Apache-2.0
"""Operations that read directories."""
import collections
import os

import syscalls
from lockstep.operation import operation

BUFFER = 400  # bytes: one of the longest names, or some of the short ones
GOING = 3  # names that are there at a time while others come


def all_entries(fd, size):
    entries = []
    while True:
        more = syscalls.getdents64(fd, size)
        if not more:
            return entries
        entries += more


def names_of(entries):
    return [e.name for e in entries if e.name not in (".", "..")]


@operation(4, lambda c: {"path": c.folder()})
def list_folder(side, path):
    return sorted(os.listdir(path))


@operation(2, lambda c: {"slot": c.slot()})
def list_open(side, slot):
    """A directory that may have been removed, from its beginning."""
    fd = side.handle(slot)
    os.lseek(fd, 0, os.SEEK_SET)
    return sorted(e.name for e in all_entries(fd, 1 << 15))


@operation(1.5, lambda c: {"path": c.folder(), "position": c.number(0, 10_000), "size": c.pick([BUFFER, 1 << 15])})
def seekdir(side, path, position, size):
    """From an entry's offset on come those that came behind it."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        entries = all_entries(fd, size)
        at = position % len(entries)
        os.lseek(fd, entries[at].next_offset, os.SEEK_SET)
        again = [e.name for e in all_entries(fd, size)]
        if again != [e.name for e in entries[at + 1 :]]:
            side.violation(f"readdir of {path!r} from entry {at} of {len(entries)} on: {again[:5]!r}... come, "
                           f"{[e.name for e in entries[at + 1:]][:5]!r}... came before")
        os.lseek(fd, 0, os.SEEK_SET)
        if [e.name for e in all_entries(fd, size)] != [e.name for e in entries]:
            side.violation(f"readdir of {path!r} from the beginning is not what it was before")
        return sorted(names_of(entries))
    finally:
        os.close(fd)


@operation(1.5, lambda c: {"path": c.folder(), "uid": 0})
def readdir_races(side, path):
    """Read in small pieces while other names come and go: each that stays comes once."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        stable = set(os.listdir(path))
        seen, going, number = [], [], 0
        while entries := syscalls.getdents64(fd, BUFFER):
            seen += names_of(entries)
            os.close(os.open(f"race-{number}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=fd))
            going.append(f"race-{number}")
            number += 1
            if len(going) > GOING:
                os.unlink(going.pop(0), dir_fd=fd)
            if number > 2 * len(stable) + 100:
                side.violation(f"readdir of {path!r} does not end while names come and go")
                break
        for name in going:
            os.unlink(name, dir_fd=fd)
        times = collections.Counter(seen)
        wrong = [f"{name!r} {times[name]} times" for name in sorted(stable) if times[name] != 1]
        if wrong:
            side.violation(f"readdir of {path!r} while other names came and went shows {', '.join(wrong[:5])}")
        return sorted(stable)
    finally:
        os.close(fd)
