# SPDX-License-Identifier: Apache-2.0
"""Two trees in lockstep: each operation on both, and what differs."""
import itertools
import json
import os
import subprocess

# These fill the table of operations.
from lockstep import attributes, data, directories, names  # noqa: F401
from lockstep.operation import OPERATIONS
from lockstep.side import Failure, Pairs, Side, differences
from lockstep.snapshot import tree_differences

SCAN_EVERY = 250  # operations: so old is at most what they are chosen by
MADE_BY = {"mkdir": "folder", "create": "file", "mkfifo": "other", "mknod": "other", "symlink": "other"}
UMASK = 0o022


class Difference(Exception):
    """The trees differ: `texts` say in what."""

    def __init__(self, texts):
        super().__init__("\n".join(texts))
        self.texts = texts


class Lockstep:
    """`log` is all that was done: dictionaries of an operation's name, its arguments, and the user where not root."""

    def __init__(self, root_a, root_b, rules, compare_every):
        self.a, self.b = Side(root_a), Side(root_b)
        self.rules, self.compare_every = rules, compare_every
        self.pairs = Pairs()
        self.log = []
        self.umask = os.umask(UMASK)

    def compare(self):
        try:
            texts = tree_differences(self.a, self.b, self.rules, self.pairs)
        except OSError as e:
            texts = [f"one of the trees cannot be read: {e}"]
        self.check(texts)

    def check(self, texts):
        texts = self.a.violations + self.b.violations + texts
        if texts:
            raise Difference(texts)

    def shell(self, command, is_restart):
        """A command between two operations.  For a restart nothing is open while it runs, so that it can mount anew."""
        os.chdir("/")
        if is_restart:
            for side in (self.a, self.b):
                side.close()
        subprocess.run(command, shell=True, check=True)
        if is_restart:
            for side in (self.a, self.b):
                side.open()
            self.compare()

    def step(self, entry):
        """One operation; returns what it returned in B."""
        self.log.append(entry)
        if entry["op"] == "shell":
            return self.shell(entry["command"], entry["is_restart"])
        arguments = dict(entry)
        apply = OPERATIONS[arguments.pop("op")].apply
        uid = arguments.pop("uid", 0)
        of_b = self.b.apply(apply, arguments, uid)
        if of_b not in self.rules.tolerated:
            of_a = self.a.apply(apply, arguments, uid)
            self.check(list(differences(of_a, of_b, self.rules, self.pairs)))
        if len(self.log) % self.compare_every == 0:
            self.compare()
        return of_b

    def replay(self, entries):
        self.compare()
        for entry in entries:
            self.step(entry)
        self.compare()

    def close(self):
        os.chdir("/")
        os.umask(self.umask)
        self.a.close()
        self.b.close()


# By users these clear setuid and setgid bits, by rules that are older where FUSE has the kernel ask for it.
WRITES = {"pwrite", "write", "copy_file_range", "mmap_write", "fallocate", "keep_size", "punch_hole", "zero_range", "truncate",
          "ftruncate"}


def random_operations(choice, without):
    """Entries for ever; `choice` must be told what they made."""
    wanted = {name: op for name, op in OPERATIONS.items() if name not in without}
    weights = list(itertools.accumulate(op.weight for op in wanted.values()))
    while True:
        (name,) = choice.random.choices(list(wanted), cum_weights=weights)
        if choice.is_full() and choice.chance(30):
            name = "remove_tree"
        entry = {"op": name, **wanted[name].choose(choice)}
        if "uid" not in entry and (uid := choice.uid()) and not (name in WRITES and "user_writes" in without):
            entry["uid"] = uid
        yield entry


def between(entries, commands):
    """Puts shell commands between operations, each every so many of them; `commands` are entries and these numbers."""
    for number, entry in enumerate(entries):
        for command, every in commands:
            if number and number % every == 0:
                yield command
        yield entry


def run_random(lockstep, choice, count, without, commands, note):
    """`count` random operations; `note` is given each before it happens."""
    lockstep.compare()
    operations = itertools.islice(random_operations(choice, without), count)
    for number, entry in enumerate(between(operations, commands), 1):
        note(entry)
        result = lockstep.step(entry)
        if not isinstance(result, Failure) and entry["op"] in MADE_BY:
            choice.add(entry["path"], MADE_BY[entry["op"]])
        if number % SCAN_EVERY == 0:
            choice.scan()
    lockstep.compare()


def as_text(entries):
    """A line of JSON each, whatever bytes their names have."""
    return "".join(json.dumps(entry) + "\n" for entry in entries)


def from_text(text):
    return [json.loads(line) for line in text.splitlines() if line.strip()]
