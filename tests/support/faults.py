#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills a command of shale, or fails it, at its system calls, and looks at what it left.

Usage: faults.py --what (kill | ERRNO)[=SAMPLES] ... [--once] [--derived] [--parallel] [--partial] NAME PRISTINE -- COMMAND...

PRISTINE is a folder that holds all that the command changes, among it the store (PRISTINE/store), which may be
missing.  For each call that is looked at, PRISTINE is copied to "work", and the command runs with $WORK being its
path and its system call, as counted in a first run, being cut short: by SIGKILL, or by returning ERRNO.  After that

- `shale fsck` finds no error;
- with ERRNO, the command has ended with 7 and a message, which names the file when it is one of the sources, or was
  right in spite of it;
- what it writes outside of the store is there whole, or is what it was; who was not killed has taken away the rest (with
  --partial he may leave a part of his files, each of them whole);
- the command runs again, and prints and writes what it does on a fresh copy;
- after `shale gc` the same files are there as after a run on a fresh copy.

SIGKILL comes at every system call, or with SAMPLES at some of those that change files.  Of errors of the disk (EIO) calls on
the store, the output and the sources, which are all else below the current directory,
count, reads too; of a lack of room (ENOSPC, EDQUOT) those that take some; of a lack of descriptors (EMFILE, ENFILE) all that
make one, but those of the loader; of threads (EAGAIN) those that start one.  SAMPLES 0 looks at every call, else each kind
of call comes first.

Prints "WHAT NAME: N of M calls, E ended it, S states, T s" for each WHAT: S is how many different states of the disk they
left that had not been seen before.

strace counts the calls of a thread.  Give the command --workers 0, or say --parallel: then a fault meets each thread that
comes so far, and none when the others were quicker.
"""
import argparse
import collections
import os
import re
import time

from undisturbed import STORE, WORK, Reference, check_outside, check_store, check_success, check_taken_away
from undisturbed import fail, fresh, run, take_arguments, tree

WRITE_CALLS = (
    "openat,openat2,write,pwrite64,writev,pwritev,fsync,fdatasync,ftruncate,fallocate,fchmod,fchown,flock,linkat,link,"
    "renameat,renameat2,rename,unlinkat,unlink,mkdirat,mkdir,symlinkat,utimensat,copy_file_range,sendfile"
)
READ_CALLS = (
    "read,pread64,readv,preadv,mmap,getdents64,readlink,readlinkat,newfstatat,statx,fstatfs,statfs,"
    "getxattr,lgetxattr,fgetxattr,listxattr,llistxattr,flistxattr"
)
# What a full disk or quota says no to.
ROOM_CALLS = (
    "openat,write,pwrite64,writev,pwritev,fsync,fdatasync,ftruncate,fallocate,linkat,link,renameat,renameat2,rename,"
    "mkdirat,mkdir,symlinkat,copy_file_range,sendfile"
)
DESCRIPTOR_CALLS = (
    "openat,openat2,open,creat,dup,dup2,dup3,fcntl,pipe,pipe2,socket,socketpair,accept,accept4,memfd_create,eventfd2,"
    "timerfd_create,signalfd4,epoll_create1,inotify_init1,pidfd_open,fsopen,open_tree"
)
THREAD_CALLS = "clone,clone3"
# Not close among those that fail: strace would leave the descriptor open, and its lock held, as no Linux does.
CALLS = {
    "kill": WRITE_CALLS + ",getdents64,close",
    "EIO": WRITE_CALLS + "," + READ_CALLS,
    "ENOSPC": ROOM_CALLS,
    "EDQUOT": ROOM_CALLS,
    "EMFILE": DESCRIPTOR_CALLS,
    "ENFILE": DESCRIPTOR_CALLS,
    "EAGAIN": THREAD_CALLS,
}
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
STANDARD_OUTPUT = re.compile(r"^\d+ +[a-z0-9_]+\(1<")
# Of the loader and of the sanitizers, which give up without.
LOADER = re.compile(r'"(/usr)?/lib|"/etc/ld\.so|"/proc/self/(maps|exe|cmdline|environ)"')
KILLED = -9
EFFECT_AMONG = 5  # of so many faults one must have had an effect; fewer may all be such that one can do without
FAILED, IO_FAILED = 1, 7
OUTPUT = re.compile(r"'work/out|'(work/)?copy\b")  # where exports and copies go, as a message has it
MESSAGES = {
    "EMFILE": "Too many open files",
    "ENFILE": "Too many open files in system",
    "EAGAIN": "Resource temporarily unavailable",
}


def traced(calls, command, log, inject=None):
    argv = ["strace", "-f", "-y", "-o", log, "-e", f"trace={calls}"]
    # Quicker, but where seccomp stops a process ptrace(2) cannot give it a signal.
    if not inject or ":signal=" not in inject:
        argv.append("--seccomp-bpf")
    if inject:
        argv += ["-e", f"inject={inject}"]
    return run([*argv, *command])


def is_of_store(line):
    return STORE in line


def is_output(line):
    """A file that the user named for it, or standard output."""
    return not is_of_store(line) and (WORK in line or STANDARD_OUTPUT.search(line) is not None)


def is_ours(line):
    """Whether it is about the store, the output or a source, not about a library or the terminal."""
    here = re.escape(os.getcwd())
    return is_output(line) or re.search(rf'{here}/|{here}>, "(?!/)', line) is not None


def can_fail(what, every, name, line):
    """Whether the call is one of those that a fault of this kind meets, of `every` of them or a choice."""
    if what == "kill":
        return every or name in CALLS[what].split(",")
    if name not in CALLS[what].split(","):
        return False
    if CALLS[what] == DESCRIPTOR_CALLS:
        return not LOADER.search(line) and (name != "fcntl" or "F_DUPFD" in line)
    if CALLS[what] == ROOM_CALLS:
        return is_of_store(line) or is_output(line)
    return what == "EAGAIN" or is_ours(line)


def calls_of(log):
    """(name, ordinal among the calls of that name of its thread, the line) of each call."""
    seen = collections.Counter()
    found = []
    with open(log, encoding="utf-8", errors="surrogateescape") as f:
        for line in f:
            match = CALL.match(line)
            # strace's own, and the last one, after which the process is gone anyhow.
            if not match or match.group(2) in ("execve", "exit_group"):
                continue
            name = match.group(2)
            seen[match.groups()] += 1
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


def has_other_room(place):
    """Whether a call that met a full disk is done in another way: leases become locks that need no room, index.json is
    written again in the room that is set aside for it, what is derived is right though the sync of its name failed, or is
    not kept when its frames are in the blob, what a build would remember (shale/builds) is not remembered, and re-encoded
    layers wait in $TMPDIR."""
    if re.search("^export-recoded.*: (ENOSPC|EDQUOT) at .*/store/blobs/sha256(/#|>, )", place):
        return True
    other = r"/store(/shale/leases|/shale/layers(>\)|/#|>, \"\.shale-)|(/shale)?/#|(/shale)?>\)|(/shale)?>, \"\.shale-)"
    return re.search(": (ENOSPC|EDQUOT) at ", place) and re.search(other, place)


def names_the_file(message, line):
    """Whether a message names what a call on a source was about, or the directory that it is read for; or the output,
    whose file has no name yet."""
    if STANDARD_OUTPUT.search(line):
        return "standard output" in message
    if OUTPUT.search(message):
        return True
    found = [name for pattern in (QUOTED, OPENED) for name in pattern.findall(line)]
    return not found or any(os.path.basename(name.rstrip("/")) in message for name in found)


def is_look_ahead(name, line):
    """Whether a source is a file (openat2 of a path, newfstatat) is asked before a build starts, for the owners that it may
    change; the build itself asks again.  That it packed all is what the digest tells."""
    return name == "openat2" and "O_PATH" in line


def may_be_ignored(reference, name, line, place):
    """Whether a command may go on after that; that it was right all the same is what its output tells."""
    # A catalog is derived: who cannot keep it works without.  fsck tells that something cannot be made anew.
    if is_of_store(line):
        if reference.derived and "/shale/layers" in place:
            return True
        return name not in NEVER_IGNORED or "/shale/catalogs" in place or has_other_room(place)
    if is_output(line):
        return name not in NEVER_IGNORED
    return not is_ours(line) or name not in NEVER_IGNORED_OF_SOURCES or is_look_ahead(name, line)


def check_failed(done, reference, what, hit, place):
    """After an error was injected."""
    name, line = hit
    message = done.stderr.decode(errors="replace")
    if done.returncode == 0:
        if not may_be_ignored(reference, name, line, place):
            fail(f"{place}: succeeded")
        check_success(done, reference, place)
        return
    if done.returncode != (FAILED if what == "EAGAIN" else IO_FAILED) or not message.startswith("shale: "):
        fail(f"{place}: ended with {done.returncode}: {message}")
    if MESSAGES.get(what, "") not in message:
        fail(f"{place}: ended with {done.returncode}: {message}")
    # A descriptor that is needed twice is nobody's file.
    if name != "fcntl" and is_ours(line) and not is_of_store(line) and not names_the_file(message, line):
        fail(f"{place}: does not name the file: {message}")


def litter(here):
    """Names in the store that a process that lives must not leave."""
    return [path for path in here if path.startswith("store/") and (path.endswith(".tmp") or "/leases/" in path)]


class Command:
    """What is disturbed, and the calls of it that can be."""

    def __init__(self, options, kinds):
        self.name, self.pristine, self.argv = options.name, options.pristine, options.command
        self.parallel, self.partial = options.parallel, options.partial
        calls = {call for what in kinds for call in CALLS[what].split(",")}
        self.trace = "all" if kinds.get("kill") == 0 else ",".join(sorted(calls))
        self.reference = Reference(options)
        fresh(self.pristine)
        traced(self.trace, self.argv, "strace.log")
        self.calls = calls_of("strace.log")

    def cut(self, what, call):
        """Runs it with this call cut short: whether that had an effect."""
        name, ordinal, line = call
        killing = what == "kill"
        fault = "signal=KILL" if killing else f"error={what}"
        place = f"{self.name}: {what} at {name} {ordinal} [{line[:200]}]"
        fresh(self.pristine)
        done = traced(self.trace, self.argv, "strace.cut", f"{name}:{fault}:when={ordinal}")
        here = tree()
        if killing:
            if done.returncode != KILLED and not (self.parallel and done.returncode == 0):
                fail(f"{place}: ended with {done.returncode}")
        else:
            for hit in injected("strace.cut") if self.parallel else [line]:
                check_failed(done, self.reference, what, (name, hit), place)
            self.check_left(name, here, place)
        check_outside(self.reference, here, place)
        check_store(self.reference, place)
        return done.returncode != 0

    def check_left(self, name, here, place):
        # Who cannot remove his lease leaves it to gc, and what he wrote to the user.
        if name == "unlinkat":
            return
        if left := litter(here):
            fail(f"{place}: left {left}")
        if not self.partial:
            check_taken_away(self.reference, here, place)

    def disturb(self, what, samples):
        started = time.monotonic()
        calls = [call for call in self.calls if can_fail(what, samples == 0, call[0], call[2])]
        chosen = sample(calls, samples)
        known = len(self.reference.states)
        hits = sum(self.cut(what, call) for call in chosen)
        states = len(self.reference.states) - known
        seconds = time.monotonic() - started
        print(
            f"{what} {self.name}: {len(chosen)} of {len(calls)} calls, {hits} ended it, {states} states, {seconds:.0f} s",
            flush=True,
        )
        # A full disk may be coped with; and fsck tells of what is derived and damaged, in whatever way.
        if what in ("EIO", "EMFILE") and hits == 0 and len(chosen) >= EFFECT_AMONG and not self.reference.derived:
            fail(f"{self.name}: no {what} had any effect")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--what", action="append", required=True)
    parser.add_argument("--parallel", action="store_true")
    parser.add_argument("--partial", action="store_true")
    take_arguments(parser)
    options = parser.parse_args()

    kinds = {what: int(samples or 0) for what, _, samples in (text.partition("=") for text in options.what)}
    command = Command(options, kinds)
    for what, samples in kinds.items():
        command.disturb(what, samples)


if __name__ == "__main__":
    main()
