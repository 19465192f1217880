#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails each memory allocation of a command of shale, of its libraries' too, and looks at what it left.

Usage: nomem.py --library LIBRARY [--samples N] [--once] NAME PRISTINE -- COMMAND...

LIBRARY is nomem.c, built.  The command starts from a copy of PRISTINE, with its n-th allocation failing; after that it has
ended with 1 and a message that speaks of memory, or was right in spite of it; never by a signal, nor with a report of a
sanitizer.  It has left nothing behind, and the store is whole, as faults.py looks at it (the whole of that for one in WHOLE).
--samples 0: every n, else so many, evenly.  Prints "NAME: N of M allocations".
"""
import argparse
import os

from undisturbed import ENV, NOT_FOUND, WORK, Reference, check_store, fail, fresh, run

FAILED = 1
WHOLE = 20  # of so many is looked at in full
LOG = os.path.abspath("nomem.log")


def starved(library, command, at):
    # The sanitizers' own library may come second.
    asan = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "verify_asan_link_order=0"]))
    words = {"LD_PRELOAD": library, "NOMEM_AT": str(at), "NOMEM_LOG": LOG, "ASAN_OPTIONS": asan}
    if os.path.exists(LOG):
        os.remove(LOG)
    return run(command, env={**ENV, **words})


def allocations():
    """How many the last command asked for; None when it did not come to its end."""
    if not os.path.exists(LOG):
        return None
    with open(LOG, encoding="ascii") as f:
        return int(f.read())


def check_ended(done, reference, place):
    message = done.stderr.decode(errors="replace")
    if done.returncode == 0:
        if done.stdout != reference.output and not reference.once:
            fail(f"{place}: succeeded with '{done.stdout.decode()}'")
    elif done.returncode != FAILED or not message.startswith("shale: ") or "memory" not in message:
        fail(f"{place}: ended with {done.returncode}: {message}")
    leases = os.path.join(WORK, "store/shale/leases")
    if os.path.isdir(leases) and os.listdir(leases):
        fail(f"{place}: left a lease")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--library", required=True)
    parser.add_argument("name")
    parser.add_argument("pristine")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()

    reference = Reference(options.pristine, options.command, options.once)
    fresh(options.pristine)
    done = starved(options.library, options.command, 0)
    total = allocations()
    if done.returncode != 0 or not total:
        fail(f"{options.name}: ended with {done.returncode}, {total} allocations: {done.stderr.decode()}")
    step = 1 if options.samples == 0 else max(1, total // options.samples)
    chosen = range(1, total + 1, step)
    failures = 0
    for i, at in enumerate(chosen):
        place = f"{options.name}: allocation {at} of {total}"
        fresh(options.pristine)
        done = starved(options.library, options.command, at)
        check_ended(done, reference, place)
        failures += done.returncode != 0
        if i % WHOLE == 0:
            check_store(reference, options.command, place)
        elif (checked := run(["shale", "fsck", "-q"])).returncode not in (0, NOT_FOUND):
            fail(f"{place}: fsck ended with {checked.returncode}: {(checked.stdout + checked.stderr).decode()}")
    if failures == 0:
        fail(f"{options.name}: no allocation mattered")
    print(f"{options.name}: {len(chosen)} of {total} allocations, {failures} of them ended it, store whole after each")


if __name__ == "__main__":
    main()
