#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pulls the plug of an edit session: replays what it wrote to its folder, without what it had not synced.

Usage: power_session.py [--seed S] [--ops N] [--rounds N] [--random N] [--samples N] [--beside] IMAGE

power-session (see there) makes N random changes of a session over IMAGE, and strace writes down what that does to the files of
the session's folder.  It is a mount's life in three parts: one that is killed at one of its calls, one that takes over from it
and is killed, and one that resumes the session and ends.  Who is killed loses nothing that had returned.  For each of the calls
the disk is then made as a power failure may leave it right after the call (replay.py, with sectors): disks that lack

- nothing, and all that was pending;
- each pending change by itself, and all pending changes but one, that one also cut in its middle: either half of it is there;
- nothing, but that one pending change is cut so;
- random halves of them (--random for each call), one of the others being cut.

Each disk is looked at under another boot of the machine.  The session opens, and is as it was after one of the changes, none
that is older than the last sync which had returned: names, types, modes, owners, times, links, sizes, extended attributes.  A
sector of a file's content is that of this moment, or of a later one: data that are overwritten in their place.  All rows fit
together, all files can be written to and synced, no data file is left over, and it opens again.

With --beside another thread syncs meanwhile, and who is killed has returned from all calls; a sync is taken to cover what had
returned before it began.

Each round but the first begins with one of the disks of the round before.  --samples 0 looks at all disks, else at about so
many.  Prints "power-session SEED: N disks, S states, T s": so many moments were met again.
"""
import argparse
import os
import random
import re
import signal
import subprocess
import time
import zlib

from replay import HEAD, STRACE, TAIL, Log
from undisturbed import fail

TOP = os.path.abspath("session")
SECTOR = 512  # as session_text.h has it
PROGRAM = os.path.join(os.environ["SHALE_BUILD"], "tests/support/power-session")
NEW = "pristine"  # a session that was never used
PARTS = (("open", "die"), ("take-over", "die"), ("open", "close"))  # how each begins and ends
LATER_PARTS = (("open", "die"), ("open", "close"))
# Calls at whose entry a process is killed: how many of them make a new session, and how many follow in a life, about.
KILLED_AT = {"pwrite64": (25, 20), "fdatasync": (8, 5), "unlinkat": (5, 3), "ftruncate": (4, 2)}
SLOW_SYNC_US = 2000  # so that the other thread goes on meanwhile
SLOTS = 2  # folders for disks: one is made while another is looked at
ANOTHER_BOOT = b"another boot\n"
DID = re.compile(r"did (\S+) (\d+) (synced|pending)$")
SYNCED = re.compile(r"synced (\d+)$")


def this_boot():
    with open("/proc/sys/kernel/random/boot_id", "rb") as f:
        return f.read()


def sector_sums(content):
    return [f"{zlib.crc32(content[at : at + SECTOR]):08x}" for at in range(0, len(content), SECTOR)]


class Shown:
    """What a session showed: the lines without content, and of each file the sums of its sectors."""

    def __init__(self, lines):
        parts = [line.partition("\t") for line in lines]
        self.names = "\n".join(head for head, _, _ in parts)
        self.sums = [(int(head.split(" ")[1]), sums.split()) for head, tab, sums in parts if tab]

    def is_same(self, other):
        return (self.names, self.sums) == (other.names, other.sums)


class History:
    """The moments of a session, and what its files held at each."""

    def __init__(self, beside):
        self.ahead = 1 if beside else 0  # a sync of another may be of a change that has not returned
        self.moments = []  # Shown
        self.at = {}  # Shown.names -> moments
        self.contents = {}  # inode -> [(moment, content)]

    def add(self, shown, contents):
        moment = len(self.moments)
        self.moments.append(shown)
        self.at.setdefault(shown.names, []).append(moment)
        for ino, content in contents.items():
            self.contents.setdefault(ino, []).append((moment, content))
        for ino, sums in shown.sums:
            if sums != sector_sums(self.content(ino, moment)):
                fail(f"the content of inode {ino} is not that which was told at moment {moment}")

    def content(self, ino, moment):
        """b"" when nothing was told of it."""
        return next((content for at, content in reversed(self.contents.get(ino, ())) if at <= moment), b"")

    def images(self, ino, moment, last):
        """What a file's data may be while its size is that of `moment`: what is cut off later stays behind the end until it is
        overwritten."""
        image = self.content(ino, moment)
        yield image
        for at, content in self.contents.get(ino, ()):
            if moment < at <= last:
                image = content + image[len(content) :]
                yield image

    def wrong_sector(self, ino, sums, moment, last):
        """The first that is of no moment from `moment` to `last`; None."""
        images = list(self.images(ino, moment, last))
        size = len(images[0])
        for i, found in enumerate(sums):
            start, end = i * SECTOR, min((i + 1) * SECTOR, size)
            if not any(f"{zlib.crc32(image[start:end]):08x}" == found for image in images):
                return i
        return None

    def find(self, shown, synced, done):
        """Of which moment it is.  `done` have returned; the next may have been under way."""
        last = min(done + 1, len(self.moments) - 1)
        why = f"names and attributes are of no moment from {synced} to {done}, but of {self.at.get(shown.names, 'none at all')}"
        for moment in self.at.get(shown.names, ()):
            if not synced <= moment <= done + self.ahead:
                continue
            for (ino, sums), (_, right) in zip(shown.sums, self.moments[moment].sums):
                wrong = None if sums == right else self.wrong_sector(ino, sums, moment, last)
                if wrong is not None:
                    why = f"sector {wrong} of inode {ino} is of no moment from {moment} to {last}"
                    break
            else:
                return moment
        fail_with(shown, self.moments[synced], why)
        return None


def fail_with(shown, wanted, why):
    """Says what differs from the last moment that was synced."""
    found, right = shown.names.split("\n"), wanted.names.split("\n")
    lines = [f"  lacks {line}" for line in right if line not in found] + [f"  has   {line}" for line in found if line not in right]
    raise Wrong("\n".join([why, *lines]))


class Wrong(Exception):
    """What a disk shows cannot be."""


class SessionLog(Log):
    """Knows what the program has said, too: at `synced[count]` and `done[count]` are the last moments that were synced and
    that had returned when so many events had happened."""

    def __init__(self, pristine, history):
        super().__init__(TOP, pristine, SECTOR)
        self.history = history
        self.was_killed = False  # the process before this one, in the middle of a change
        self.opened = 0  # the moment at which the process began
        self.said = []  # (count of events, last synced moment, last moment)

    def on_write(self, arguments, fd, texts, result, line):
        if fd == 1:
            self.hear(self.data(texts, result, line).decode())
        else:
            super().on_write(arguments, fd, texts, result, line)

    def hear(self, text):
        first, *lines = text.splitlines()
        history = self.history
        if first == "closed":
            self.note(len(history.moments) - 1)
            return
        if match := SYNCED.match(first):
            self.note(self.opened + int(match.group(1)))
            return
        name, _, kind = DID.match(first).groups()
        contents = {int(words[1]): bytes.fromhex("".join(words[2:])) for words in map(str.split, lines) if words[0] == "content"}
        shown = Shown([line for line in lines[:-1] if not line.startswith("content ")])
        if name != "open" or not history.moments or self.has_changed(shown):
            history.add(shown, contents)
            self.note(len(history.moments) - 1 if kind == "synced" else None)
        if name == "open":
            self.opened = len(history.moments) - 1

    def has_changed(self, shown):
        """Whether the process before this one, killed in the middle of a change, made it.  It may not have undone one."""
        last = self.history.moments[-1]
        if shown.is_same(last):
            return False
        if not self.was_killed or (shown.names != last.names and shown.names in self.history.at):
            fail_with(shown, last, "a process that was killed has lost something")
        return True

    def note(self, synced):
        was = self.said[-1][1] if self.said else 0
        self.said.append((len(self.events), max(was, synced or 0), len(self.history.moments) - 1))
        # So that the disks of this very moment are looked at, too.
        self.events.append(None)

    def stages(self):
        """count of events -> (last synced moment, last moment)"""
        stages, now, said = [], (0, 0), iter([*self.said, (len(self.events) + 1, 0, 0)])
        count, *then = next(said)
        for at in range(len(self.events) + 1):
            while at > count:
                now = tuple(then)
                count, *then = next(said)
            stages.append(now)
        return stages


def ways_of(log, randoms):
    """See above; as Log.disks has it."""

    def ways(pending, chance):
        yield (), {}
        yield tuple(pending), {}
        for at in pending:
            others = tuple(i for i in pending if i != at)
            yield (at,), {}
            yield others, {}
            for half in (HEAD, TAIL) if log.events[at].node else ():
                yield others, {at: half}
                yield (), {at: half}
        for _ in range(randoms if len(pending) > 1 else 0):
            lost = tuple(at for at in pending if chance.random() < 0.5)
            kept = [at for at in pending if at not in lost]
            yield lost, {chance.choice(kept): chance.choice((HEAD, TAIL))} if kept else {}

    return ways


def sampled(ways, share):
    """Some of them, evenly over all calls."""
    lot = random.Random(1)

    def chosen(pending, chance):
        for way in ways(pending, chance):
            if lot.random() < share:
                yield way

    return chosen


class Looker:
    """power-session look, one disk behind."""

    def __init__(self, image):
        self.errors = open("look.err", "w+b")
        self.process = subprocess.Popen(
            [PROGRAM, "look", image], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors
        )
        self.boot = this_boot()
        self.count = 0
        self.waiting = None  # who wants to know

    def look(self, disk, take):
        """Makes the disk; `take` gets what is shown, or that it failed, with the next call."""
        slot = os.path.abspath(f"disk{self.count % SLOTS}")
        self.count += 1
        make_disk(disk, slot, self.boot)
        self.finish()
        self.process.stdin.write(slot.encode() + b"\n")
        self.process.stdin.flush()
        self.waiting = take

    def finish(self):
        if not self.waiting:
            return
        lines = []
        for line in self.process.stdout:
            lines.append(line.decode("utf-8", "replace").rstrip("\n"))
            if lines[-1] == "end" or lines[-1].startswith("failed: "):
                break
        take, self.waiting = self.waiting, None
        if not lines or lines[-1] not in ("end",):
            take(None, lines[-1] if lines else "the program has ended")
        else:
            take(Shown(lines[:-1]), None)

    def close(self):
        self.finish()
        self.process.stdin.close()
        self.errors.seek(0)
        if self.process.wait() or (said := self.errors.read()):
            fail(f"power-session look: {said}")


def make_disk(disk, at, boot):
    disk.make(at)
    path = os.path.join(at, "boot")
    if os.path.exists(path):
        with open(path, "r+b") as f:
            if f.read() == boot:
                f.seek(0)
                f.truncate()
                f.write(ANOTHER_BOOT)


def disturb(options, is_new, end, lot):
    """Options of strace for one part of a life: it is killed before it has ended, if it makes so many calls."""
    if options.beside:
        return ["-f", "-e", f"inject=fdatasync,fsync,syncfs:delay_exit={SLOW_SYNC_US}"]
    if end == "die":
        call = lot.choice(["pwrite64", *KILLED_AT])
        before, span = KILLED_AT[call]
        return ["-e", f"inject={call}:signal=KILL:when={(before if is_new else 0) + 1 + lot.randrange(span)}"]
    return []


def trace(options, pristine, parts, seed):
    """What the parts of a session's life do, from what is in the folder `pristine`."""
    subprocess.run(["rm", "-rf", TOP], check=True)
    subprocess.run(["cp", "-a", pristine, TOP], check=True)
    log = SessionLog(pristine, History(options.beside))
    lot = random.Random(seed)
    for number, (begin, end) in enumerate(parts):
        out = f"strace.{number}"
        command = [PROGRAM, "edit", options.image, TOP, str(seed * len(PARTS) + number), str(options.ops), begin, end]
        command += ["beside" if options.beside else "alone"]
        strace = [*STRACE, *disturb(options, pristine == NEW and number == 0, end, lot), "-o", out]
        done = subprocess.run([*strace, *command], capture_output=True, check=False)
        if done.returncode not in (0, -signal.SIGKILL) or done.stderr:
            fail(f"seed {options.seed}: '{' '.join(command)}' ended with {done.returncode}: {done.stderr.decode()}")
        try:
            log.read(out)
        except Wrong as wrong:
            fail(f"seed {options.seed}: {wrong}")
        log.was_killed = done.returncode != 0
    return log


class Round:
    """The disks of one log, looked at."""

    def __init__(self, options, log, looker, name):
        self.log, self.looker, self.name = log, looker, name
        self.stages = log.stages()
        self.ways = ways_of(log, options.random)
        self.found = 0
        self.moments = set()
        self.lot = random.Random(name)
        self.kept = None  # one of them
        if options.samples:
            total = sum(1 for _, pending, _ in log.moments() for _ in self.ways(pending, random.Random(0)))
            self.ways = sampled(self.ways, options.samples / total)

    def run(self):
        for count, lost, torn, disk, _ in self.log.disks(self.ways, lambda count: self.stages[count][0]):
            self.found += 1
            if self.lot.randrange(self.found) == 0:
                self.kept = disk
            where = f"{self.name}: after {count} of {len(self.log.events)} events without {list(lost)}, torn {torn}"
            self.looker.look(disk, self.taker(count, disk, where))
        self.looker.finish()

    def taker(self, count, disk, where):
        def take(shown, failure):
            try:
                if failure:
                    raise Wrong(failure)
                self.moments.add(self.log.history.find(shown, *self.stages[count]))
            except Wrong as wrong:
                make_disk(disk, os.path.abspath("failed"), self.looker.boot)
                fail(f"{where}: {wrong}\nthe disk is in '{os.path.abspath('failed')}'")

        return take


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ops", type=int, default=20, help="changes in each part")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--random", type=int, default=8)
    parser.add_argument("--samples", type=int, default=0, help="disks of a round")
    parser.add_argument("--beside", action="store_true", help="another thread syncs meanwhile")
    parser.add_argument("image")
    options = parser.parse_args()

    started = time.monotonic()
    os.makedirs(f"{NEW}/data", exist_ok=True)
    looker = Looker(options.image)
    pristine, parts, found, moments = NEW, PARTS, 0, 0
    for number in range(options.rounds):
        seed = options.seed * options.rounds + number
        log = trace(options, pristine, parts, seed)
        one = Round(options, log, looker, f"seed {options.seed}, round {number}")
        one.run()
        found += one.found
        moments += len(one.moments)
        pristine, parts = f"pristine{number + 1}", LATER_PARTS
        make_disk(one.kept, os.path.abspath(pristine), looker.boot)
    looker.close()
    seconds = time.monotonic() - started
    print(f"power-session {options.seed}{' beside' if options.beside else ''}: {found} disks, {moments} states, {seconds:.0f} s")


if __name__ == "__main__":
    main()
