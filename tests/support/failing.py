#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails each call of a command of shale, one at a time and untraced, and looks at what it left.

Usage: failing.py --what ERRNO[=SAMPLES] ... [--once] [--derived] [--partial] NAME PRISTINE -- COMMAND...

ENOMEM fails allocations of memory, of the libraries too; in a build with ASan the others of failing.h fail system calls.
The command, run by shale-failing, starts from a copy of PRISTINE; after the n-th call that can has failed in this way, it has
ended with 1 (7 for what is wrong with a disk or with descriptors) and a message that says so, or was right in spite of it;
never by a signal, nor with a report of a sanitizer, so no path of error leaks.  It has left nothing behind, and the store is
whole, as faults.py looks at it.

SAMPLES 0: every n, else so many, evenly.  Prints "ERRNO NAME: N of M calls, E ended it, S states, T s" for each ERRNO.
"""
import argparse
import os
import time

from undisturbed import ENV, Reference, check_outside, check_store, check_success, check_taken_away
from undisturbed import fail, fresh, run, take_arguments, tree

# What its message speaks of, and how it ends.
MESSAGES = {
    "ENOMEM": ("memory", 1),
    "EIO": ("", 7),  # of several an output may speak of its own way: "the store cannot be read"
    "ENOSPC": ("No space left on device", 7),
    "EDQUOT": ("Disk quota exceeded", 7),
    "EMFILE": ("Too many open files", 7),
    "ENFILE": ("Too many open files in system", 7),
    "EAGAIN": ("Resource temporarily unavailable", 1),
}
PROGRAM = os.path.join(os.environ["SHALE_BUILD"], "tests/support/shale-failing")
LOG = os.path.abspath("failing.log")


class Command:
    def __init__(self, options):
        self.name, self.pristine, self.argv = options.name, options.pristine, options.command
        self.partial = options.partial
        self.reference = Reference(options)

    def run(self, what, at):
        """How it ended, how many calls there were, and the name of the one that failed."""
        if os.path.exists(LOG):
            os.remove(LOG)
        words = {"FAILING_WHAT": what, "FAILING_AT": str(at), "FAILING_LOG": LOG}
        leaks = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")}
        fresh(self.pristine)
        done = run([PROGRAM, *self.argv[1:]], env={**ENV, **leaks, **words})
        if not os.path.exists(LOG):
            fail(f"{self.name}: {what} {at}: ended with {done.returncode} before its end: {done.stderr.decode()}")
        with open(LOG, encoding="ascii") as f:
            count, name = f.read().split()
        return done, int(count), name

    def check_ended(self, what, done, place):
        message = done.stderr.decode(errors="replace")
        words, status = MESSAGES[what]
        if done.returncode == 0:
            check_success(done, self.reference, place)
        elif done.returncode != status or not message.startswith("shale: ") or words not in message:
            fail(f"{place}: ended with {done.returncode}: {message}")

    def check_left(self, name, place):
        here = tree()
        check_outside(self.reference, here, place)
        # Who cannot take something away leaves it, his lease to gc.
        if name in ("unlinkat", "rmdir"):
            return
        if left := [path for path in here if path.startswith("store/") and (path.endswith(".tmp") or "/leases/" in path)]:
            fail(f"{place}: left {left}")
        if not self.partial:
            check_taken_away(self.reference, here, place)

    def disturb(self, what, samples):
        started = time.monotonic()
        known = len(self.reference.states)
        done, total, _ = self.run(what, 0)
        if done.returncode != 0:
            fail(f"{self.name}: ended with {done.returncode}: {done.stderr.decode()}")
        chosen = range(1, total + 1, 1 if samples == 0 else max(1, total // samples))
        failures = 0
        for at in chosen:
            done, _, name = self.run(what, at)
            place = f"{self.name}: {what} at {at} of {total}, {name}"
            self.check_ended(what, done, place)
            failures += done.returncode != 0
            self.check_left(name, place)
            check_store(self.reference, place)
        # A full disk is coped with where a command only reads; nobody copes with all of these.
        if failures == 0 and what in ("ENOMEM", "EIO", "EMFILE"):
            fail(f"{self.name}: no {what} mattered")
        states = len(self.reference.states) - known
        seconds = time.monotonic() - started
        print(
            f"{what} {self.name}: {len(chosen)} of {total} calls, {failures} ended it, {states} states, {seconds:.0f} s",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--what", action="append", required=True)
    parser.add_argument("--partial", action="store_true")
    take_arguments(parser)
    options = parser.parse_args()

    command = Command(options)
    for what, _, samples in (text.partition("=") for text in options.what):
        command.disturb(what, int(samples or 0))


if __name__ == "__main__":
    main()
