#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does the same random operations on two directory trees, which start equal, and compares all that can be seen of them.

Usage: model.py A B [--ops N] [--seed S] [OPTION]...
       model.py --populate DIR

A is a file system that is known to be right (ext4), B the one under test; to be run as root.  Each operation's result is
compared: its value or error, the file's mode, links, owner, size, device, its mtime where that was set, its data.  Every
--compare-every operations, and at the end, so are the whole trees: names, types, attributes, digests of content, which names
are links of one file, extended attributes, targets.  No file's inode number may change, readdir's and stat's are one, and a
link count is that of the names.

Ends with 1 at the first difference, after printing what differs, the seed, and the last operations as a command that replays
them; --log has all.  --minimise drops operations while the trees still differ: for that --fresh is a shell command that makes
both anew, else they are emptied (and populated, with --populate).

--disturb N COMMAND runs a shell command every N operations, as one that kills a server; --restart N COMMAND does so while
nothing is open, as for one that mounts anew, and compares.

Differences that are none: --no-dir-nlink (file systems that do not count subdirectories), --no-dir-mtime (those that touch
directories when files in them are copied up), --no-ino (numbers that change),
--no-users (all is done by root), --without OP,... (operations that are not done; user_writes: those that
write, by users, which FUSE has other rules for: see lockstep/run.py), --tolerate ERROR,... (what fails so in B, as
in "EOPNOTSUPP,EXDEV", is not done in A).  Sizes of directories and numbers of blocks are never compared.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

from lockstep import minimise, populate
from lockstep.choice import USERS, Choice
from lockstep.operation import OPERATIONS
from lockstep.run import Difference, Lockstep, as_text, from_text, run_random
from lockstep.side import Rules

SHOWN = 30  # operations


def take_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", metavar="DIR")
    parser.add_argument("--ops", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--compare-every", type=int, default=5_000, metavar="N")
    parser.add_argument("--populate", action="store_true", help="fill the directory, or both, which must be empty")
    parser.add_argument("--replay", metavar="FILE", help="instead of random operations; - is standard input")
    parser.add_argument("--log", metavar="FILE", help="write all operations there as they happen")
    parser.add_argument("--minimise", type=int, default=0, metavar="SECONDS")
    parser.add_argument("--fresh", metavar="COMMAND")
    parser.add_argument("--disturb", nargs=2, action="append", default=[], metavar=("N", "COMMAND"))
    parser.add_argument("--restart", nargs=2, action="append", default=[], metavar=("N", "COMMAND"))
    parser.add_argument("--without", default="", metavar="OP,...")
    parser.add_argument("--tolerate", default="", metavar="ERROR,...")
    parser.add_argument("--list", action="store_true", help="name the operations")
    parser.add_argument("--no-dir-nlink", action="store_true")
    parser.add_argument("--no-dir-mtime", action="store_true")
    parser.add_argument("--no-ino", action="store_true")
    parser.add_argument("--no-users", action="store_true")
    options = parser.parse_args()
    options.commands = [
        ({"op": "shell", "command": command, "is_restart": is_restart}, int(every))
        for pairs, is_restart in ((options.disturb, False), (options.restart, True))
        for every, command in pairs
    ]
    options.tolerate = list(filter(None, options.tolerate.split(",")))
    options.without = set(filter(None, options.without.split(",")))
    if unknown := options.without - set(OPERATIONS) - {"user_writes"}:
        parser.error(f"no operation is named {', '.join(sorted(unknown))}")
    if len(options.folders) != 2 and not (options.populate and len(options.folders) == 1):
        parser.error("two directories, or --populate and one")
    options.folders = [os.path.abspath(folder) for folder in options.folders]
    return options


def empty(folder):
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


def make_fresh(options):
    if options.fresh:
        subprocess.run(options.fresh, shell=True, check=True)
        return
    for folder in options.folders:
        empty(folder)
        if options.populate:
            populate.populate(folder)


def open_both(options):
    rules = Rules(not options.no_dir_nlink, not options.no_dir_mtime, not options.no_ino, options.tolerate)
    return Lockstep(*options.folders, rules, options.compare_every)


def attempt(options, entries):
    make_fresh(options)
    lockstep = open_both(options)
    try:
        lockstep.replay(entries)
    finally:
        lockstep.close()


def replay_command(options, entries):
    flags = [flag for flag in ("--no-dir-nlink", "--no-dir-mtime", "--no-ino") if getattr(options, flag[2:].replace("-", "_"))]
    if options.tolerate:
        flags.append("--tolerate " + ",".join(options.tolerate))
    command = " ".join([sys.argv[0], *options.folders, *flags, "--replay -"])
    return f"{command} <<'END'\n{as_text(entries)}END"


def report(options, difference, log):
    last = log[-1]["op"] if log else "nothing yet"
    print(f"model: seed {options.seed}, operation {len(log)} ({last}): the trees differ")
    for text in difference.texts:
        print(f"  {text}")
    print(f"The last {min(SHOWN, len(log))} of {len(log)} operations:\n{replay_command(options, log[-SHOWN:])}")
    if not options.log:
        with tempfile.NamedTemporaryFile("w", prefix="model-", suffix=".ops", delete=False) as f:
            f.write(as_text(log))
        print(f"All are in {f.name}")


def report_fewest(options, log):
    fewest, last = minimise.minimise(log, lambda entries: attempt(options, entries), options.minimise)
    if last is None:
        print("The trees do not differ when the operations are replayed on fresh ones.")
        return
    print(f"{len(fewest)} operations are enough:\n{replay_command(options, fewest)}")
    for text in last.texts:
        print(f"  {text}")


def run(options):
    """The number of operations; raises Difference."""
    lockstep = open_both(options)
    note_file = open(options.log, "w", encoding="ascii") if options.log else None

    def note(entry):
        if note_file:
            note_file.write(as_text([entry]))
            note_file.flush()

    try:
        if options.replay:
            with sys.stdin if options.replay == "-" else open(options.replay, encoding="ascii") as f:
                lockstep.replay(from_text(f.read()))
        else:
            choice = Choice(options.seed, lockstep.a, [] if options.no_users else USERS)
            run_random(lockstep, choice, options.ops, options.without, options.commands, note)
    except Difference as difference:
        report(options, difference, lockstep.log)
        if options.minimise and lockstep.log:
            lockstep.close()
            report_fewest(options, lockstep.log)
        return None
    finally:
        if note_file:
            note_file.close()
    lockstep.close()
    return len(lockstep.log)


def main():
    options = take_arguments()
    if options.list:
        print("\n".join(OPERATIONS))
        return 0
    if options.populate:
        for folder in options.folders:
            populate.populate(folder)
        if len(options.folders) == 1:
            return 0
    started = time.monotonic()
    count = run(options)
    if count is None:
        return 1
    seconds = time.monotonic() - started
    print(f"model: seed {options.seed}, {count} operations, no difference, {seconds:.1f} s, {count / seconds:.0f} a second")
    return 0


if __name__ == "__main__":
    sys.exit(main())
