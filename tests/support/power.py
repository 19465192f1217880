#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pulls the plug of a command of shale: replays what it wrote to the store, without what it had not synced.

Usage: power.py [--samples N] [--random N] [--once] [--derived] NAME PRISTINE -- COMMAND...

The command runs once, on a copy of PRISTINE, and strace writes down what it does to files there, of the store and of an
export.  For each of its calls the disk is then made as a power failure may leave it right after the call, and looked at as
faults.py does: fsck finds no error, no image or session that was there is gone, what was being exported is there whole under its name or
not at all, the command works, and gc leaves no litter.

What a power failure leaves: all that was synced; of the rest, which no order holds, anything.  So for each call there are
disks that lack

- nothing, and all that was pending;
- each pending change by itself, and all pending changes but one;
- random halves of them (--random for each call), a write also being cut in the middle.

What a change is, and which sync covers it, replay.py says.  When the command has ended nothing that it said may be lost: what
it printed is what a run afterwards prints, and what it exported is there.

Each disk is looked at once, however many ways lead to it.  --samples 0 looks at all, else at so many of them, evenly.
Prints "power NAME: N of M disks, T s".
"""
import argparse
import itertools
import json
import time

from replay import HEAD, STRACE, Log
from undisturbed import WORK, Reference, check_outside, check_store, fail, files, fresh, outside, run, take_arguments, tree


def ways_of(randoms):
    """See above; as Log.disks has it."""

    def ways(pending, chance):
        yield (), {}
        yield tuple(pending), {}
        for at in pending:
            yield (at,), {}
        for at in pending:
            others = tuple(i for i in pending if i != at)
            yield others, {}
            yield others, {at: HEAD}
        for _ in range(randoms if len(pending) > 1 else 0):
            yield tuple(at for at in pending if chance.random() < 0.5), {}

    return ways


def listed(command, member):
    """name -> what identifies it, or nothing without a store."""
    done = run(["shale", command, "--json"])
    return {(command, i["name"]): i[member] for i in json.loads(done.stdout)} if done.returncode == 0 else {}


def named():
    return {**listed("images", "digest"), **listed("sessions", "id")}


def check_named(before, after, is_over, place):
    """Each name says what it said before or what the command made of it; once the command has ended, the latter."""
    here = named()
    for name in before.keys() | after.keys():
        right = {after.get(name)} if is_over else {before.get(name), after.get(name)}
        if here.get(name) not in right:
            fail(f"{place}: {name} is {here.get(name)}, not {' or '.join(map(str, right))}")


def check_kept(reference, is_over, place):
    """What is exported: whole, or not there; once the command has ended, whole."""
    here = tree()
    check_outside(reference, here, place)
    if is_over and (found := files(outside(here))) != files(reference.new):
        fail(f"{place}: lost of what was exported: {files(reference.new).items() - found.items()}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=40)
    parser.add_argument("--random", type=int, default=16)
    take_arguments(parser)
    options = parser.parse_args()

    started = time.monotonic()
    fresh(options.pristine)
    before = named()
    reference = Reference(options)
    after = named()
    fresh(options.pristine)
    traced = run([*STRACE, "-o", "strace.power", *options.command])
    if traced.returncode != 0:
        fail(f"{options.name}: ended with {traced.returncode} under strace: {traced.stderr.decode()}")
    log = Log(WORK, options.pristine)
    log.read("strace.power")
    all_events = len(log.events)
    found = list(log.disks(ways_of(options.random), lambda count: count == all_events))
    chosen = found if options.samples in (0, len(found)) else found[:: max(1, len(found) // options.samples)]
    for count, lost, _, disk, is_over in itertools.chain(chosen, found[-1:]):
        fresh(options.pristine)
        disk.make()
        place = f"{options.name}: after {count} of {all_events} changes without {list(lost)}"
        check_named(before, after, is_over, place)
        check_kept(reference, is_over, place)
        check_store(reference, place)
    seconds = time.monotonic() - started
    print(f"power {options.name}: {len(chosen)} of {len(found)} disks, {seconds:.0f} s")


if __name__ == "__main__":
    main()
