#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills a command of shale, or fails it, at its system calls, and looks at what it left.

Usage: faults.py (kill | ERRNO) [--samples N] [--calls NAME,...] [--once] NAME PRISTINE -- COMMAND...

PRISTINE is a folder that holds all that the command changes, among it the store (PRISTINE/store), which may be
missing.  For each call that is looked at, PRISTINE is copied to "work", and the command runs with $WORK being its
path and its system call, as counted in a first run, being cut short: by SIGKILL, or by returning ERRNO.  After that

- `shale fsck` finds no error;
- with ERRNO, the command has ended with 7 and a message, or was right in spite of it;
- the command runs again, and prints what it prints on a fresh copy;
- after `shale gc` the same files are there as after a run on a fresh copy.

With --once the command does its work only once: the next run may find nothing to do, and print something else.
With ERRNO only calls on files in the store count.  --samples 0 looks at every call.  Prints "NAME: N of M calls".
The command runs in one thread (strace counts the calls of a thread), so give it --workers 0.
"""
import argparse
import collections
import os
import re
import shutil
import subprocess
import sys

KILL_CALLS = (
    "openat,write,pwrite64,writev,pwritev,fsync,fdatasync,ftruncate,fallocate,fchmod,fchown,flock,linkat,link,"
    "renameat,renameat2,rename,unlinkat,unlink,mkdirat,mkdir,symlinkat,utimensat,copy_file_range,sendfile,getdents64"
)
# Who goes on after one of these has failed has lost data.
NEVER_IGNORED = ("write", "pwrite64", "writev", "pwritev", "fsync", "fdatasync", "ftruncate", "fchmod",
                 "linkat", "renameat", "renameat2", "mkdirat")
CALL = re.compile(r"^\d+ +([a-z0-9_]+)\(")
KILLED = -9
IO_FAILED = 7
NOT_FOUND = 8

WORK = os.path.abspath("work")
ENV = {**os.environ, "SHALE_STORE": os.path.join(WORK, "store"), "WORK": WORK}


def run(command, **more):
    return subprocess.run(
        command, env=ENV, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, **more
    )


def fresh(pristine):
    shutil.rmtree(WORK, ignore_errors=True)
    shutil.copytree(pristine, WORK, symlinks=True)


def names():
    """All files below WORK, after gc."""
    collected = run(["shale", "gc"])
    if collected.returncode != 0:
        fail(f"gc ended with {collected.returncode}: {collected.stderr.decode()}")
    return {
        os.path.relpath(os.path.join(folder, name), WORK)
        for folder, _, files in os.walk(WORK)
        for name in files
    }


def fail(text):
    sys.exit(f"FAIL: {text}")


def traced(calls, command, log, inject=None):
    argv = ["strace", "-f", "-y", "-o", log, "-e", f"trace={calls}"]
    if inject:
        argv += ["-e", f"inject={inject}"]
    return run([*argv, *command])


def calls_of(log, in_store):
    """(name, ordinal among the calls of that name, the line) of each call."""
    seen = collections.Counter()
    found = []
    with open(log, encoding="utf-8", errors="surrogateescape") as f:
        for line in f:
            match = CALL.match(line)
            if not match:
                continue
            name = match.group(1)
            seen[name] += 1
            if not in_store or WORK + "/store" in line:
                found.append((name, seen[name], line.rstrip("\n")))
    return found


def sample(calls, count):
    if count == 0 or len(calls) <= count:
        return calls
    return [calls[i * len(calls) // count] for i in range(count)]


class Reference:
    """What the command does when nobody disturbs it."""

    def __init__(self, pristine, command, once):
        fresh(pristine)
        done = run(command)
        if done.returncode != 0:
            fail(f"'{' '.join(command)}' ended with {done.returncode}: {done.stderr.decode()}")
        self.once = once
        self.output = done.stdout
        self.names = names()


def has_other_room(place):
    """Whether a call that met a full disk is done in another way: leases become locks that need no room, and index.json
    is written again in the room that is set aside for it."""
    return ": ENOSPC at " in place and re.search(r"/store(/shale/leases|/#|>\)|>, \"\.shale-)", place)


def check_failed(done, reference, name, place):
    """After an error was injected."""
    message = done.stderr.decode(errors="replace")
    if done.returncode == 0:
        # A catalog is derived: who cannot keep it works without.
        if name in NEVER_IGNORED and "/shale/catalogs" not in place and not has_other_room(place):
            fail(f"{place}: succeeded")
        if done.stdout != reference.output and not reference.once:
            fail(f"{place}: succeeded with '{done.stdout.decode()}'")
    elif done.returncode != IO_FAILED or not message.startswith("shale: "):
        fail(f"{place}: ended with {done.returncode}: {message}")


def litter():
    """Names that a process that lives must not leave."""
    return [
        os.path.join(folder, name)
        for folder, _, files in os.walk(os.path.join(WORK, "store"))
        for name in files
        if name.endswith(".tmp") or os.path.basename(folder) == "leases"
    ]


def check_store(reference, command, place):
    checked = run(["shale", "fsck"])
    if checked.returncode not in (0, NOT_FOUND):
        fail(f"{place}: fsck ended with {checked.returncode}: {(checked.stdout + checked.stderr).decode()}")
    again = run(command)
    if again.returncode != 0 and not (reference.once and again.returncode == NOT_FOUND):
        fail(f"{place}: the next run ended with {again.returncode}: {again.stderr.decode()}")
    if again.stdout != reference.output and not reference.once:
        fail(f"{place}: the next run printed '{again.stdout.decode()}', not '{reference.output.decode()}'")
    left = names()
    if left != reference.names:
        fail(f"{place}: files too many: {left - reference.names}, missing: {reference.names - left}")
    checked = run(["shale", "fsck", "--read-data", "-q"])
    if checked.returncode != 0:
        fail(f"{place}: the last fsck ended with {checked.returncode}: {checked.stdout.decode()}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what")
    parser.add_argument("--samples", type=int, default=40)
    parser.add_argument("--calls", default=KILL_CALLS)
    parser.add_argument("--once", action="store_true")
    parser.add_argument("name")
    parser.add_argument("pristine")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    command = options.command
    killing = options.what == "kill"

    reference = Reference(options.pristine, command, options.once)
    fresh(options.pristine)
    traced(options.calls, command, "strace.log")
    calls = calls_of("strace.log", in_store=not killing)
    chosen = sample(calls, options.samples)
    hits = 0
    for name, ordinal, line in chosen:
        fault = "signal=KILL" if killing else f"error={options.what}"
        place = f"{options.name}: {options.what} at {name} {ordinal} [{line[:160]}]"
        fresh(options.pristine)
        done = traced(options.calls, command, "strace.cut", f"{name}:{fault}:when={ordinal}")
        if killing and done.returncode != KILLED:
            fail(f"{place}: ended with {done.returncode}")
        if not killing:
            check_failed(done, reference, name, place)
            hits += done.returncode != 0
            # Who cannot remove his lease leaves it to gc.
            if litter() and name != "unlinkat":
                fail(f"{place}: left {litter()}")
        check_store(reference, command, place)
    print(f"{options.name}: {options.what} at {len(chosen)} of {len(calls)} calls, store whole and next run right after each")
    if not killing and hits == 0 and chosen:
        fail("no fault had any effect")


if __name__ == "__main__":
    main()
