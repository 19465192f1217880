#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills a command of shale, or fails it, at its system calls, and looks at what it left.

Usage: faults.py --what (kill | ERRNO) [--samples N] [--once] [--parallel] NAME PRISTINE -- COMMAND...

PRISTINE is a folder that holds all that the command changes, among it the store (PRISTINE/store), which may be
missing.  For each call that is looked at, PRISTINE is copied to "work", and the command runs with $WORK being its
path and its system call, as counted in a first run, being cut short: by SIGKILL, or by returning ERRNO.  After that

- `shale fsck` finds no error;
- with ERRNO, the command has ended with 7 and a message, which names the file when it is one of the sources, or was
  right in spite of it;
- the command runs again, and prints what it prints on a fresh copy;
- after `shale gc` the same files are there as after a run on a fresh copy.

With --once the command does its work only once: the next run may find nothing to do, and print something else.
With EIO calls on files in the store and on the sources, which are all else below the current directory, count, reads
too; with other errors those that take room in the store.  --samples 0 looks at every call, else
each kind of call comes first.  Prints "NAME: N of M calls".

strace counts the calls of a thread.  Give the command --workers 0, or say --parallel: then a fault meets each thread that
comes so far, and none when the others were quicker.
"""
import argparse
import collections
import os
import re

from undisturbed import WORK, Reference, check_store, fail, fresh, run

WRITE_CALLS = (
    "openat,openat2,write,pwrite64,writev,pwritev,fsync,fdatasync,ftruncate,fallocate,fchmod,fchown,flock,linkat,link,"
    "renameat,renameat2,rename,unlinkat,unlink,mkdirat,mkdir,symlinkat,utimensat,copy_file_range,sendfile"
)
READ_CALLS = (
    "read,pread64,readv,preadv,mmap,getdents64,readlink,readlinkat,newfstatat,statx,fstatfs,statfs,"
    "getxattr,lgetxattr,fgetxattr,listxattr,llistxattr,flistxattr"
)
# What a full disk or quota says no to, on the store alone.
ROOM_CALLS = (
    "openat,write,pwrite64,writev,pwritev,fsync,fdatasync,ftruncate,fallocate,linkat,link,renameat,renameat2,rename,"
    "mkdirat,mkdir,symlinkat,copy_file_range,sendfile"
)
# Not close among those that fail: strace would leave the descriptor open, and its lock held, as no Linux does.
CALLS = {"kill": WRITE_CALLS + ",getdents64,close", "EIO": WRITE_CALLS + "," + READ_CALLS}
# Who goes on after one of these has failed has lost data.
NEVER_IGNORED = ("write", "pwrite64", "writev", "pwritev", "fsync", "fdatasync", "ftruncate", "fchmod",
                 "linkat", "renameat", "renameat2", "mkdirat")
# Who goes on after one of these, on a source, has packed something else than what is there.
NEVER_IGNORED_OF_SOURCES = ("openat", "openat2", "read", "pread64", "mmap", "getdents64", "readlinkat",
                            "llistxattr", "lgetxattr", "flistxattr", "fgetxattr")
CALL = re.compile(r"^(\d+) +([a-z0-9_]+)\(")
# A name in quotes, or what strace -y says that a descriptor is.
QUOTED = re.compile(r'"([^"]+)"')
OPENED = re.compile(r"\d<([^<>]+)>")
KILLED = -9
EFFECT_AMONG = 5  # of so many faults one must have had an effect; fewer may all be such that one can do without
IO_FAILED = 7
OUTPUT = "'work/out"  # where exports go, as a message has it


def traced(calls, command, log, inject=None):
    argv = ["strace", "-f", "-y", "-o", log, "-e", f"trace={calls}"]
    if inject:
        argv += ["-e", f"inject={inject}"]
    return run([*argv, *command])


def is_ours(line):
    """Whether it is about the store or a source, not about a library or the terminal."""
    here = re.escape(os.getcwd())
    return re.search(rf'{here}/|{here}>, "(?!/)', line) is not None


def calls_of(log, killing):
    """(name, ordinal among the calls of that name of its thread, the line) of each call."""
    seen = collections.Counter()
    found = []
    with open(log, encoding="utf-8", errors="surrogateescape") as f:
        for line in f:
            match = CALL.match(line)
            if not match:
                continue
            name = match.group(2)
            seen[match.groups()] += 1
            if killing or is_ours(line):
                found.append((name, seen[match.groups()], line.rstrip("\n")))
    return found


def injected(log):
    """The lines of the calls that were failed."""
    with open(log, encoding="utf-8", errors="surrogateescape") as f:
        return [line.rstrip("\n") for line in f if line.endswith("(INJECTED)\n")]


def sample(calls, count):
    """One of each kind, of sources and of the store apart, then others evenly."""
    if count == 0 or len(calls) <= count:
        return calls
    kinds = collections.defaultdict(list)
    for call in calls:
        kinds[call[0], is_of_store(call[2])].append(call)
    chosen = [found[len(found) // 2] for found in kinds.values()]
    if len(chosen) > count:
        return [chosen[i * len(chosen) // count] for i in range(count)]
    rest = [call for call in calls if call not in chosen]
    more = count - len(chosen)
    return chosen + [rest[i * len(rest) // more] for i in range(more)]


def is_of_store(line):
    return WORK + "/store" in line


def has_other_room(place):
    """Whether a call that met a full disk is done in another way: leases become locks that need no room, index.json is
    written again in the room that is set aside for it, what is derived is right though the sync of its name failed, or is
    not kept when its frames are in the blob, and what a build would remember (shale/builds) is not remembered."""
    other = r"/store(/shale/leases|/shale/layers(>\)|/#|>, \"\.shale-)|(/shale)?/#|(/shale)?>\)|(/shale)?>, \"\.shale-)"
    return re.search(": (ENOSPC|EDQUOT) at ", place) and re.search(other, place)


def names_the_file(message, line):
    """Whether a message names what a call on a source was about, or the directory that it is read for; or the output,
    whose file has no name yet."""
    if OUTPUT in message:
        return True
    found = [name for pattern in (QUOTED, OPENED) for name in pattern.findall(line)]
    return not found or any(os.path.basename(name.rstrip("/")) in message for name in found)


def is_look_ahead(name, line):
    """Whether a source is a file (openat2 of a path, newfstatat) is asked before a build starts, for the owners that it may
    change; the build itself asks again.  That it packed all is what the digest tells."""
    return name == "openat2" and "O_PATH" in line


def check_failed(done, reference, name, line, place):
    """After an error was injected."""
    message = done.stderr.decode(errors="replace")
    if done.returncode == 0:
        # A catalog is derived: who cannot keep it works without.
        if is_of_store(line):
            if name in NEVER_IGNORED and "/shale/catalogs" not in place and not has_other_room(place):
                fail(f"{place}: succeeded")
        elif name in NEVER_IGNORED_OF_SOURCES and not is_look_ahead(name, line):
            fail(f"{place}: succeeded")
        if done.stdout != reference.output and not reference.once:
            fail(f"{place}: succeeded with '{done.stdout.decode()}'")
    elif done.returncode != IO_FAILED or not message.startswith("shale: "):
        fail(f"{place}: ended with {done.returncode}: {message}")
    elif not is_of_store(line) and not names_the_file(message, line):
        fail(f"{place}: does not name the file: {message}")


def litter():
    """Names that a process that lives must not leave."""
    return [
        os.path.join(folder, name)
        for folder, _, files in os.walk(os.path.join(WORK, "store"))
        for name in files
        if name.endswith(".tmp") or os.path.basename(folder) == "leases"
    ]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--what", required=True)
    parser.add_argument("--samples", type=int, default=40)
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--parallel", action="store_true")
    parser.add_argument("name")
    parser.add_argument("pristine")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    command = options.command
    killing = options.what == "kill"

    reference = Reference(options.pristine, command, options.once)
    fresh(options.pristine)
    kinds = CALLS.get(options.what, ROOM_CALLS)
    traced(kinds, command, "strace.log")
    calls = calls_of("strace.log", killing)
    if kinds == ROOM_CALLS:
        calls = [call for call in calls if is_of_store(call[2])]
    chosen = sample(calls, options.samples)
    hits = 0
    for name, ordinal, line in chosen:
        fault = "signal=KILL" if killing else f"error={options.what}"
        place = f"{options.name}: {options.what} at {name} {ordinal} [{line[:200]}]"
        fresh(options.pristine)
        done = traced(kinds, command, "strace.cut", f"{name}:{fault}:when={ordinal}")
        if killing and done.returncode != KILLED and not (options.parallel and done.returncode == 0):
            fail(f"{place}: ended with {done.returncode}")
        if not killing:
            for hit in injected("strace.cut") if options.parallel else [line]:
                check_failed(done, reference, name, hit, place)
            hits += done.returncode != 0
            # Who cannot remove his lease leaves it to gc.
            if litter() and name != "unlinkat":
                fail(f"{place}: left {litter()}")
        check_store(reference, command, place)
    print(f"{options.name}: {options.what} at {len(chosen)} of {len(calls)} calls, store whole and next run right after each")
    if not killing and hits == 0 and len(chosen) >= EFFECT_AMONG:
        fail("no fault had any effect")


if __name__ == "__main__":
    main()
