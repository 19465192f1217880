#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many processes at once in one directory, and what must hold whatever their order was.

Usage: stress.py DIR [--threads N] [--seconds N] [--seed S] [--only SCENE,...] [--list]

Each scene is N processes (threads of one Python would take turns) for its part of the seconds, in a directory of its own.
Prints a line for each scene and for each thing that is wrong; ends with 1 when anything was, or a process hangs.
"""
import argparse
import collections
import ctypes
import errno
import mmap
import os
import pickle
import random
import re
import select
import shutil
import signal
import stat
import sys
import tempfile
import time
import traceback

import syscalls

HANGS_AFTER = 60  # seconds beyond its time
BUFFER = 400  # bytes of a small readdir
SHOWN = 5  # complaints of a scene
RECORD = re.compile(rb"(\d+) (\d+) x*")

SCENES = {}


def scene(cls):
    """Registers it.  `prepare` makes what is there at first; `work` is one turn of one process, called until the time is over
    and given what the last one returned; `end` looks at what all of them returned."""
    SCENES[cls.__name__.lower()] = cls
    return cls


class Worker:
    """What a turn of a scene has: its number, its random choices, what it found wrong."""

    def __init__(self, number, seed):
        self.number = number
        self.random = random.Random(f"{seed} {number}")
        self.complaints = []
        self.turns = 0

    def complain(self, text):
        if len(self.complaints) < SHOWN:
            self.complaints.append(text)

    def wants(self, condition, text):
        if not condition:
            self.complain(text)


def attempt(function, *arguments, allowed=()):
    """True, or False when it failed in a way that the others can be the reason of."""
    try:
        function(*arguments)
        return True
    except OSError as e:
        if e.errno not in allowed:
            raise
        return False


def write_new(path, data=b""):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        os.write(fd, data)
    finally:
        os.close(fd)


def read_all(path):
    with open(path, "rb") as f:
        return f.read()


def folder_complaints(path):
    """What is wrong with a directory that nobody changes any more: ghosts, doubles, link counts."""
    links, inodes = collections.Counter(), {}
    for folder, _, _ in os.walk(path):
        names = os.listdir(folder)
        if len(set(names)) != len(names):
            yield f"{folder}: a name comes twice: {sorted(names)}"
        for name in names:
            try:
                s = os.lstat(os.path.join(folder, name))
            except OSError as e:
                yield f"{folder}: {name} is listed and cannot be looked at: {e}"
                continue
            if not stat.S_ISDIR(s.st_mode):
                links[s.st_ino] += 1
                inodes[s.st_ino] = (s.st_nlink, os.path.join(folder, name))
    for ino, (nlink, name) in inodes.items():
        if nlink != links[ino]:
            yield f"{name} has {nlink} links and {links[ino]} names"


@scene
class Append:
    """O_APPEND of many processes to one file loses nothing, and who reads meanwhile sees whole records and an end."""

    def prepare(self):
        write_new("log")

    def work(self, worker, number):
        number = number or 0
        text = b"%d %d " % (worker.number, number)
        text += b"x" * worker.random.randrange(300) + b"\n"
        if worker.random.randrange(50) == 0:
            self.read(worker)
        fd = os.open("log", os.O_WRONLY | os.O_APPEND)
        try:
            worker.wants(os.write(fd, text) == len(text), "a write is cut short")
        finally:
            os.close(fd)
        return number + 1

    def read(self, worker):
        lines = read_all("log").split(b"\n")[:-1]
        worker.wants(all(b"\0" not in line for line in lines), "a reader sees zeros where records are being appended")

    def end(self, results):
        seen = collections.defaultdict(list)
        for line in read_all("log").split(b"\n")[:-1]:
            if not (whole := RECORD.fullmatch(line)):
                yield f"{line[:40]!r} is no record"
                return
            seen[int(whole[1])].append(int(whole[2]))
        for who, count in enumerate(results):
            if seen[who] != list(range(count or 0)):
                missing = sorted(set(range(count or 0)) - set(seen[who]))
                yield f"of the {count} records of process {who} {len(seen[who])} are there; missing {missing[:5]}"


@scene
class Exclusive:
    """One process at a time gets mkdir, O_EXCL or link of a name: what each adds to a number under such a lock is not lost."""

    WAYS = ["mkdir", "create", "link", "rename"]

    def prepare(self):
        for way in self.WAYS:
            write_new(f"number-{way}", b"0")
        os.mkdir("own")

    def work(self, worker, counts):
        counts = counts or collections.Counter()
        way = worker.random.choice(self.WAYS)
        lock, own = f"lock-{way}", f"own/{worker.number}"
        if way == "mkdir":
            got = attempt(os.mkdir, lock, allowed=[errno.EEXIST])
        elif way == "create":
            got = attempt(write_new, lock, allowed=[errno.EEXIST])
        else:
            write_new(own)
            take = os.link if way == "link" else lambda old, new: syscalls.renameat2(old, new, syscalls.RENAME_NOREPLACE)
            got = attempt(take, own, lock, allowed=[errno.EEXIST])
            if way == "link" or not got:
                os.unlink(own)
        if got:
            counts[way] += 1
            number = int(read_all(f"number-{way}"))
            with open(f"number-{way}", "r+b") as f:
                f.write(b"%d" % (number + 1))
            (os.rmdir if way == "mkdir" else os.unlink)(lock)
        return counts

    def end(self, results):
        total = sum((counts for counts in results if counts), collections.Counter())
        for way in self.WAYS:
            number = int(read_all(f"number-{way}"))
            if number != total[way]:
                yield f"{way}: {total[way]} times the lock was held, and the number is {number}"


@scene
class Names:
    """Names of one pool come, go, are linked and moved, without replacing: in the end there are as many as were made."""

    POOL = [f"{folder}/{name}" for folder in ("one", "two") for name in "abcdef"]
    CROSSED = [errno.EEXIST, errno.ENOENT, errno.ENOTEMPTY, errno.EISDIR, errno.ENOTDIR, errno.EPERM]

    def prepare(self):
        os.mkdir("one")
        os.mkdir("two")

    def work(self, worker, count):
        count = count or 0
        old, new = worker.random.sample(self.POOL, 2)
        change, function = worker.random.choice([
            (1, lambda: write_new(new)),
            (1, lambda: os.mkdir(new)),
            (1, lambda: os.symlink("target", new)),
            (1, lambda: syscalls.linkat(old, new)),
            (-1, lambda: os.unlink(old)),
            (-1, lambda: os.rmdir(old)),
            (0, lambda: syscalls.renameat2(old, new, syscalls.RENAME_NOREPLACE)),
            (0, lambda: syscalls.renameat2(old, new, syscalls.RENAME_EXCHANGE)),
            (0, lambda: os.stat(old, follow_symlinks=False)),
        ])
        return count + change if attempt(function, allowed=self.CROSSED) else count

    def end(self, results):
        there = [path for path in self.POOL if os.path.lexists(path)]
        listed = [f"{folder}/{name}" for folder in ("one", "two") for name in os.listdir(folder)]
        if sorted(there) != sorted(listed):
            yield f"lookup finds {sorted(there)}, readdir {sorted(listed)}"
        wanted = sum(count or 0 for count in results)
        if len(listed) != wanted:
            yield f"{wanted} names were made and not removed, {len(listed)} are there: {sorted(listed)}"


@scene
class Replacing:
    """Renames over names, links and directories; in the end names and link counts agree."""

    POOL = [f"{folder}/{name}" for folder in ("one", "two", "one/deep") for name in "abcd"]
    CROSSED = Names.CROSSED + [errno.EINVAL, errno.ESTALE]

    def prepare(self):
        os.makedirs("one/deep")
        os.mkdir("two")

    def work(self, worker, count):
        old, new = worker.random.sample(self.POOL, 2)
        function = worker.random.choice([
            lambda: write_new(new, b"data"), lambda: os.mkdir(new), lambda: syscalls.linkat(old, new), lambda: os.rename(old, new),
            lambda: os.rename(old, new), lambda: os.unlink(old), lambda: os.rmdir(old), lambda: self.unlinked(worker, old),
        ])
        attempt(function, allowed=self.CROSSED)
        return (count or 0) + 1

    def unlinked(self, worker, path):
        """What is open stays what it was, whoever takes its name."""
        fd = os.open(path, os.O_RDWR)
        try:
            ino = os.fstat(fd).st_ino
            attempt(os.unlink, path, allowed=self.CROSSED)
            data = b"%d %d" % (worker.number, ino)
            at = 100 * (worker.number + 1)  # not 0, where the maker of the file may only now write its "data"
            os.pwrite(fd, data, at)
            worker.wants(os.pread(fd, len(data), at) == data, "an open file shows other data than were written")
            worker.wants(os.fstat(fd).st_ino == ino, "an open file has another inode number")
        finally:
            os.close(fd)

    def end(self, _results):
        for path in self.POOL:
            folder, _, name = path.rpartition("/")
            if os.path.lexists(path) != (name in os.listdir(folder)):
                yield f"lookup and readdir do not agree on {path}"


@scene
class Atomic:
    """A file that is replaced by rename is always there, and always whole; two that are exchanged are both there."""

    SIZE = 9_000  # bytes

    def prepare(self):
        write_new("current", self.version(0, 0))
        write_new("left", b"l")
        write_new("right", b"r")

    def version(self, who, number):
        return (b"%d %d " % (who, number)).ljust(100, b".") * (self.SIZE // 100)

    def work(self, worker, number):
        number = (number or 0) + 1
        if worker.number == 0:
            syscalls.renameat2("left", "right", syscalls.RENAME_EXCHANGE)
        elif worker.number % 2:
            write_new(f"new-{worker.number}", self.version(worker.number, number))
            os.rename(f"new-{worker.number}", "current")
        else:
            data = read_all("current")
            worker.wants(len(data) == self.SIZE and data == data[:100] * (self.SIZE // 100), "a reader sees half a file")
            for name in ("left", "right"):
                worker.wants(os.stat(name).st_nlink == 1, f"{name} has no link")
        return number

    def end(self, _results):
        if sorted(os.listdir(".")) != ["current", "left", "right"]:
            yield f"what is there: {sorted(os.listdir('.'))}"
        if sorted([read_all("left"), read_all("right")]) != [b"l", b"r"]:
            yield "the files that were exchanged are not the two"


@scene
class Readdir:
    """Each name that stays is listed once, each that is gone never, while others come and go."""

    STABLE = 400

    def prepare(self):
        os.mkdir("folder")
        for number in range(self.STABLE):
            write_new(f"folder/gone-{number}")
            write_new(f"folder/stable-{number}-" + "x" * (number % 60))
        for number in range(self.STABLE):
            os.unlink(f"folder/gone-{number}")

    def work(self, worker, number):
        number = (number or 0) + 1
        if worker.number % 2:
            for name in range(30):
                write_new(f"folder/{worker.number}-{name}")
            os.rename(f"folder/{worker.number}-0", f"folder/{worker.number}-moved-{number}")
            os.unlink(f"folder/{worker.number}-moved-{number}")
            for name in range(1, 30):
                os.unlink(f"folder/{worker.number}-{name}")
            return number
        fd = os.open("folder", os.O_RDONLY)
        seen = collections.Counter()
        while entries := syscalls.getdents64(fd, worker.random.choice([BUFFER, 4096, 1 << 16])):
            seen.update(e.name for e in entries)
        os.close(fd)
        stable = [count for name, count in seen.items() if name.startswith("stable")]
        worker.wants(len(stable) == self.STABLE, f"{len(stable)} of {self.STABLE} names that stay are listed")
        worker.wants(all(count == 1 for count in stable), "a name that stays is listed twice")
        worker.wants(not any(name.startswith("gone") for name in seen), "a name that is gone is listed")
        return number

    def end(self, _results):
        left = [name for name in os.listdir("folder") if not name.startswith("stable")]
        if left:
            yield f"what all have removed is there: {sorted(left)[:5]}"


@scene
class Mapped:
    """Processes write their own bytes of the same pages, mapped or not: none writes over another's."""

    PAGES = 16
    SLICE = 64  # bytes; a page has one for each process, again and again
    PAGE = 4096

    def prepare(self):
        write_new("file", bytes(self.PAGES * self.PAGE))

    def work(self, worker, state):
        """The state is what this process wrote last to each place."""
        state = state or {}
        if not hasattr(worker, "map"):
            worker.fd = os.open("file", os.O_RDWR)
            worker.map = mmap.mmap(worker.fd, self.PAGES * self.PAGE)
        at = worker.random.randrange(self.PAGES) * self.PAGE + (worker.number % (self.PAGE // self.SLICE)) * self.SLICE
        data = bytes([worker.random.randrange(1, 256)]) * self.SLICE
        wanted = state.get(at, bytes(self.SLICE))
        worker.wants(os.pread(worker.fd, self.SLICE, at) == wanted, f"read at {at} is not what this process wrote last")
        worker.wants(worker.map[at : at + self.SLICE] == wanted, f"mapped at {at} is not what this process wrote last")
        if worker.random.randrange(2):
            worker.map[at : at + self.SLICE] = data
            if worker.random.randrange(20) == 0:
                worker.map.flush()
        else:
            os.pwrite(worker.fd, data, at)
        state[at] = data
        return state

    def end(self, results):
        whole = read_all("file")
        for who, state in enumerate(results):
            for at, data in (state or {}).items():
                if whole[at : at + self.SLICE] != data:
                    yield f"at {at} is not what process {who} wrote last"


@scene
class Remove:
    """Several `rm -rf` of one tree: whoever has removed all that readdir showed can remove the directory."""

    def prepare(self):
        os.mkdir("trees")

    def work(self, worker, number):
        """Each makes trees; all remove all of them."""
        number = (number or 0) + 1
        top = f"{worker.number}-{number}"
        os.makedirs(f"{top}/inner/deepest")
        for name in range(60):
            write_new(f"{top}/inner/{name:03d}" + "y" * (name % 30))
            write_new(f"{top}/inner/deepest/{name}")
            os.symlink("x", f"{top}/link-{name}")
        os.rename(top, f"trees/{top}")
        for name in os.listdir("trees"):
            self.remove(worker, f"trees/{name}")
        return number

    def remove(self, worker, folder):
        """In a tree that is there nobody makes anything."""
        gone = [errno.ENOENT]
        try:
            entries = list(os.scandir(folder))
        except FileNotFoundError:
            return
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                self.remove(worker, entry.path)
            else:
                attempt(os.unlink, entry.path, allowed=gone)
        try:
            attempt(os.rmdir, folder, allowed=gone)
        except OSError as e:
            worker.complain(f"all that readdir shows is removed, and then: {e}")

    def end(self, _results):
        worker = Worker(0, 0)
        for name in os.listdir("trees"):
            self.remove(worker, f"trees/{name}")
        yield from worker.complaints
        if os.listdir("trees"):
            yield f"what is left: {os.listdir('trees')[:5]}"
        else:
            os.rmdir("trees")


def child(cls, number, seed, until, pipe):
    """A process of a scene; answers with what its turns returned, and its complaints."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    worker, part, result = Worker(number, seed), cls(), None
    try:
        while time.monotonic() < until:
            result = part.work(worker, result)
            worker.turns += 1
    except Exception as e:
        where = [f"{frame.name} line {frame.lineno}" for frame in traceback.extract_tb(e.__traceback__)]
        worker.complain(f"{type(e).__name__}: {e}, in {', '.join(where[1:])}")
    with os.fdopen(pipe, "wb") as f:
        pickle.dump((result, worker.turns, worker.complaints), f)


def start(cls, number, seed, until):
    """The process and the end of its pipe."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read_end)
        child(cls, number, seed, until, write_end)
        os._exit(0)
    os.close(write_end)
    return pid, read_end


def answer_of(pid, pipe, until):
    """What a process answers, however long that is; None when it hangs or has died."""
    data = b""
    while True:
        ready, _, _ = select.select([pipe], [], [], max(0, until + HANGS_AFTER - time.monotonic()))
        part = os.read(pipe, 1 << 20) if ready else b""
        if not part:
            break
        data += part
    os.close(pipe)
    if not ready:
        os.kill(pid, signal.SIGKILL)
        return None
    os.waitpid(pid, 0)
    return pickle.loads(data) if data else None


def run_scene(cls, folder, options, seconds):
    """The number of turns, and what is wrong."""
    os.mkdir(folder)
    os.chdir(folder)
    cls().prepare()
    until = time.monotonic() + seconds
    started = [start(cls, number, options.seed, until) for number in range(options.threads)]
    answers = [answer_of(pid, pipe, until) for pid, pipe in started]
    complaints = [f"process {number} hangs or has died" for number, answer in enumerate(answers) if answer is None]
    for number, (_, _, texts) in enumerate(answer for answer in answers if answer):
        complaints += [f"process {number}: {text}" for text in texts]
    turns = sum(answer[1] for answer in answers if answer)
    if not complaints:
        try:
            complaints += list(cls().end([answer[0] for answer in answers]))
            complaints += list(folder_complaints("."))
        except (OSError, ValueError) as e:
            complaints.append(f"what is left cannot be read: {e}")
    os.chdir("/")
    return turns, complaints


def take_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", metavar="DIR")
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default=",".join(SCENES), metavar="SCENE,...")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    options.only = options.only.split(",")
    if unknown := set(options.only) - set(SCENES):
        parser.error(f"no scene is named {', '.join(sorted(unknown))}")
    if not options.folder and not options.list:
        parser.error("DIR is missing")
    return options


def main():
    options = take_arguments()
    if options.list:
        for name, cls in SCENES.items():
            print(f"{name:10} {cls.__doc__.splitlines()[0]}")
        return 0
    top = tempfile.mkdtemp(prefix="stress-", dir=os.path.abspath(options.folder))
    total, failed = 0, 0
    for name in options.only:
        turns, complaints = run_scene(SCENES[name], os.path.join(top, name), options, options.seconds / len(options.only))
        print(f"{name}: {turns} turns, {'ok' if not complaints else 'wrong:'}", flush=True)
        for text in complaints[:SHOWN]:
            print(f"  {text}", flush=True)
        total += turns
        failed += bool(complaints)
    try:
        shutil.rmtree(top)
    except OSError as e:
        print(f"what is left cannot be removed: {e}")
        failed += 1
    print(f"{len(options.only)} scenes, {options.threads} processes, {total} turns, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
