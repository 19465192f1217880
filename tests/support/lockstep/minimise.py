# SPDX-License-Identifier: Apache-2.0
"""Drops operations from a log while the two trees still differ."""
import time

from lockstep.run import Difference

# Arguments that say which files an operation is about.
PATHS = ("path", "old", "new", "target", "name")
SLOTS = ("slot", "target")


def about(entry):
    """Names and slots."""
    found = set()
    for key in PATHS:
        if isinstance(entry.get(key), str):
            found |= set(entry[key].split("/"))
    for key in SLOTS:
        if isinstance(entry.get(key), int):
            found.add(entry[key])
    return found - {"", "."}


def related(entries):
    """Those that the last one has to do with, directly or through others."""
    wanted, kept = about(entries[-1]), [entries[-1]]
    for entry in reversed(entries[:-1]):
        if about(entry) & wanted:
            kept.append(entry)
            if entry["op"].startswith(("rename", "link", "symlink", "open", "tmpfile")):
                wanted |= about(entry)
    return kept[::-1]


def minimise(entries, attempt, seconds):
    """`attempt` raises Difference for entries that still show one; returns the fewest found, and the last Difference."""
    until = time.monotonic() + seconds
    best, last = entries, None
    if not entries:
        return best, last

    def still_differs(candidate):
        nonlocal best, last
        try:
            attempt(candidate)
        except Difference as e:
            best, last = candidate, e
            return True
        return False

    # What the last comparison of the trees showed may have been so for long.
    first, end = 0, len(entries)
    while first < end and time.monotonic() < until:
        middle = (first + end) // 2
        if still_differs(entries[:middle]):
            end = middle
        else:
            first = middle + 1
    still_differs(related(best))
    size = max(1, len(best) // 2)
    while time.monotonic() < until:
        at, shrunk = 0, False
        while at < len(best) and time.monotonic() < until:
            if still_differs(best[:at] + best[at + size :]):
                shrunk = True
            else:
                at += size
        if size == 1 and not shrunk:
            break
        size = max(1, size // 2)
    return best, last
