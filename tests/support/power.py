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

A change is a write to a file, its size, its mode, or a name that was given, moved or taken away.  fsync(2) of a file covers
its content, size and mode, fsync(2) of a directory the names in it: no more, whatever file systems do.  When the command has
ended nothing that it said may be lost: what it printed is what a run afterwards prints, and what it exported is there.

Each disk is looked at once, however many ways lead to it.  --samples 0 looks at all, else at so many of them, evenly.
Prints "power NAME: N of M disks, T s".
"""
import argparse
import collections
import hashlib
import itertools
import json
import os
import random
import re
import shutil
import stat
import time

from undisturbed import WORK, Reference, check_outside, check_store, fail, files, fresh, outside, run, take_arguments, tree

SEED = 7
WHOLE_CALL = re.compile(r"^(?:\d+ +)?([a-z0-9_]+)\((.*)\) += (-?\d+)")
TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
DESCRIPTOR = re.compile(r"(?:^|, )(?:(\d+)|AT_FDCWD)<((?:\\x[0-9a-f]{2})*)>")
OWN_DESCRIPTOR = re.compile(r"^/proc/self/fd/(\d+)$")
# All that can change a file, whether it is understood below or refused there.
CALLS = (
    "openat,openat2,open,creat,close,dup,dup2,dup3,fcntl,lseek,"
    "write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,copy_file_range,sendfile,splice,"
    "fchmod,chmod,fchmodat,fsync,fdatasync,link,linkat,rename,renameat,renameat2,unlink,unlinkat,rmdir,"
    "mkdir,mkdirat,symlink,symlinkat,mmap,clone,clone3,fork,vfork"
)
LONGEST_WRITE = 64 << 20  # bytes that strace shows of one


def bytes_of(text):
    return bytes.fromhex(text.replace("\\x", ""))


def path_of(text):
    return os.fsdecode(bytes_of(text))


def is_below(path):
    """Whether it is one of the files that are replayed."""
    return (path + "/").startswith(WORK + "/")


class File:
    """What was in a file before the command ran; its changes are in the log."""

    def __init__(self, content=b"", mode=0o600):
        self.content = content
        self.mode = mode


class Change:
    """`apply` makes it on a Disk, of `node` when that is a File; a sync of one of `covers` makes it last."""

    def __init__(self, apply, node, covers):
        self.apply = apply
        self.node = node
        self.covers = set(covers)


class Disk:
    """What a power failure left: names, and for each file its content and mode."""

    def __init__(self, names, folders):
        self.names = dict(names)
        self.folders = dict(folders)
        self.files = {}
        self.made = collections.defaultdict(tuple)  # File -> the changes that were made to it

    def file(self, node):
        return self.files.setdefault(node, [bytearray(node.content), node.mode])

    def has_folder(self, path):
        """A name in a folder that was not kept is not there either."""
        return path == WORK or (path in self.folders and self.has_folder(os.path.dirname(path)))

    def settle(self):
        """Drops what cannot be reached."""
        self.folders = {path: mode for path, mode in self.folders.items() if self.has_folder(path)}
        self.names = {path: node for path, node in self.names.items() if self.has_folder(os.path.dirname(path))}

    def content_digest(self, node, known):
        made = (node, self.made[node])
        if made not in known:
            known[made] = hashlib.sha256(self.file(node)[0]).hexdigest()
        return known[made]

    def text(self, known):
        """What is on it; `known` remembers digests."""
        folders = [f"{path} {mode:o}" for path, mode in self.folders.items()]
        files = [f"{path} {self.file(node)[1]:o} {self.content_digest(node, known)}" for path, node in self.names.items()]
        return "\n".join(sorted(folders + files))

    def make(self):
        shutil.rmtree(WORK, ignore_errors=True)
        for path, mode in sorted(self.folders.items()):
            os.mkdir(path)
            os.chmod(path, mode)
        for path, node in self.names.items():
            content, mode = self.file(node)
            with open(path, "wb") as f:
                f.write(content)
                os.fchmod(f.fileno(), mode)


class Log:
    """The changes that strace saw, in order, and the syncs among them."""

    def __init__(self, pristine):
        self.names, self.folders = {}, {}
        self.events = []  # Change, or the set of what a sync covers
        self.live = {}  # name -> File, as it is while the command runs
        self.live_folders = set()
        self.open = {}  # descriptor -> [File, offset]
        self.read_tree(pristine)
        self.live.update(self.names)
        self.live_folders.update(self.folders)

    def read_tree(self, top):
        for folder, _, files in os.walk(top):
            path = os.path.normpath(os.path.join(WORK, os.path.relpath(folder, top)))
            self.folders[path] = stat.S_IMODE(os.lstat(folder).st_mode)
            for name in files:
                with open(os.path.join(folder, name), "rb") as f:
                    mode = stat.S_IMODE(os.fstat(f.fileno()).st_mode)
                    self.names[os.path.join(path, name)] = File(f.read(), mode)

    # What the calls mean.

    def change(self, apply, node, *covers):
        self.events.append(Change(apply, node, covers))

    def write(self, fd, data, offset=None):
        node, at = self.open[fd]
        if offset is None:
            self.open[fd][1] += len(data)
            offset = at

        def apply(disk, part=1.0):
            content = disk.file(node)[0]
            kept = data[: int(len(data) * part)]
            content.extend(bytes(max(0, offset - len(content))))
            content[offset : offset + len(kept)] = kept

        self.change(apply, node, node)

    def resize(self, fd, size):
        node = self.open[fd][0]

        def apply(disk, _=1.0):
            content = disk.file(node)[0]
            del content[size:]
            content.extend(bytes(size - len(content)))

        self.change(apply, node, node)

    def grow(self, fd, size):
        node = self.open[fd][0]

        def apply(disk, _=1.0):
            content = disk.file(node)[0]
            content.extend(bytes(max(0, size - len(content))))

        self.change(apply, node, node)

    def set_mode(self, fd, mode):
        node = self.open[fd][0]

        def apply(disk, _=1.0):
            disk.file(node)[1] = mode

        self.change(apply, node, node)

    def give_name(self, path, node):
        self.live[path] = node

        def apply(disk, _=1.0):
            disk.names[path] = node

        self.change(apply, None, os.path.dirname(path))

    def take_name(self, path):
        node = self.live.pop(path)

        def apply(disk, _=1.0):
            if disk.names.get(path) is node:
                del disk.names[path]

        self.change(apply, None, os.path.dirname(path))

    def move_name(self, old, new):
        node = self.live.pop(old)
        self.live[new] = node

        def apply(disk, _=1.0):
            if disk.names.get(old) is node:
                del disk.names[old]
            disk.names[new] = node

        self.change(apply, None, os.path.dirname(old), os.path.dirname(new))

    def make_folder(self, path, mode):
        self.live_folders.add(path)

        def apply(disk, _=1.0):
            disk.folders[path] = mode

        self.change(apply, None, os.path.dirname(path))

    def move_folder(self, old, new):
        """With all that is in it.  What is changed there afterwards goes by its new name, so a folder whose new name is not
        synced before that cannot be replayed: no command does that."""

        def moved(path):
            is_in = isinstance(path, str) and (path + "/").startswith(old + "/")
            return new + path[len(old) :] if is_in else path

        def apply(disk, _=1.0):
            disk.names = {moved(path): node for path, node in disk.names.items()}
            disk.folders = {moved(path): mode for path, mode in disk.folders.items()}

        self.live = {moved(path): node for path, node in self.live.items()}
        self.live_folders = {moved(path) for path in self.live_folders}
        for place in self.open.values():
            place[0] = moved(place[0])
        self.change(apply, None, os.path.dirname(old), os.path.dirname(new))

    def remove_folder(self, path):
        self.live_folders.remove(path)

        def apply(disk, _=1.0):
            disk.folders.pop(path, None)

        self.change(apply, None, os.path.dirname(path))

    # What strace prints.

    def read(self, path):
        with open(path, encoding="ascii", errors="surrogateescape") as f:
            for line in f:
                match = WHOLE_CALL.match(line)
                if match and int(match.group(3)) >= 0:
                    self.call(match.group(1), match.group(2), int(match.group(3)), line)

    def call(self, name, arguments, result, line):
        found = DESCRIPTOR.findall(arguments)
        texts = [path_of(t) if name not in ("write", "pwrite64") else t for t in TEXT.findall(arguments)]
        fd = int(found[0][0]) if found and found[0][0] else None
        handler = getattr(self, "on_" + name, None)
        if handler:
            handler(arguments, fd, self.paths(found, texts) if texts and name not in ("write", "pwrite64") else texts, result, line)
        elif self.is_ours(arguments) and not (name == "mmap" and "PROT_WRITE" not in arguments):
            fail(f"no meaning for '{line[:300]}'")

    def is_ours(self, arguments):
        return any(is_below(path_of(path)) for _, path in DESCRIPTOR.findall(arguments))

    @staticmethod
    def paths(found, texts):
        """Each text below the directory before it."""
        folders = [path_of(path) for _, path in found] or [os.getcwd()]
        return [
            text if OWN_DESCRIPTOR.match(text) else os.path.normpath(os.path.join(folders[min(i, len(folders) - 1)], text))
            for i, text in enumerate(texts)
        ]

    def on_openat(self, arguments, _, paths, result, __):
        path = paths[0]
        if not is_below(path):
            self.open.pop(result, None)
            return
        flags = arguments[arguments.rindex('"') :]
        mode = re.search(r", (0\d+)$", flags)
        if "O_TMPFILE" in flags:
            self.open[result] = [File(mode=int(mode.group(1), 8)), 0]
        elif "O_CREAT" in flags and path not in self.live:
            node = File(mode=int(mode.group(1), 8))
            self.open[result] = [node, 0]
            self.give_name(path, node)
        elif path in self.live:
            self.open[result] = [self.live[path], 0]
            if "O_TRUNC" in flags:
                self.resize(result, 0)
        else:
            self.open[result] = [path, 0]  # a directory

    def on_openat2(self, _, __, ___, result, ____):
        self.open.pop(result, None)  # the context's

    def on_fcntl(self, arguments, fd, _, result, __):
        if "F_DUPFD" in arguments:
            self.on_dup(arguments, fd, _, result, __)

    def on_dup(self, _, fd, __, result, ___):
        self.open.pop(result, None)
        if fd in self.open:
            self.open[result] = self.open[fd]

    def on_close(self, _, fd, __, ___, ____):
        self.open.pop(fd, None)

    def is_file(self, fd):
        return fd in self.open and isinstance(self.open[fd][0], File)

    def on_write(self, _, fd, texts, result, line):
        if self.is_file(fd):
            self.write(fd, self.data(texts, result, line))

    def on_pwrite64(self, arguments, fd, texts, result, line):
        if self.is_file(fd):
            self.write(fd, self.data(texts, result, line), int(arguments.rsplit(", ", 1)[1]))

    @staticmethod
    def data(texts, result, line):
        data = bytes_of(texts[0]) if texts else b""
        if len(data) < result:
            fail(f"strace cut '{line[:200]}'")
        return data[:result]

    def on_lseek(self, _, fd, __, result, ___):
        if self.is_file(fd):
            self.open[fd][1] = result

    def on_ftruncate(self, arguments, fd, _, __, ___):
        if self.is_file(fd):
            self.resize(fd, int(arguments.rsplit(", ", 1)[1]))

    def on_fallocate(self, arguments, fd, _, __, line):
        kind, offset, length = arguments.rsplit(", ", 3)[1:]
        if self.is_file(fd):
            if kind == "FALLOC_FL_KEEP_SIZE":
                return
            if kind != "0":
                fail(f"no meaning for '{line[:300]}'")
            self.grow(fd, int(offset) + int(length))

    def on_fchmod(self, arguments, fd, _, __, ___):
        if self.is_file(fd):
            self.set_mode(fd, int(arguments.rsplit(", ", 1)[1], 8))

    def on_fsync(self, _, fd, __, ___, ____):
        if fd in self.open:
            self.events.append({self.open[fd][0]})

    on_fdatasync = on_fsync

    def on_linkat(self, _, __, paths, ___, ____):
        own = OWN_DESCRIPTOR.match(paths[0])
        node = self.open[int(own.group(1))][0] if own else self.live.get(paths[0])
        if node and is_below(paths[1]):
            self.give_name(paths[1], node)

    def on_renameat(self, _, __, paths, ___, ____):
        if paths[0] in self.live:
            self.move_name(paths[0], paths[1])
        elif paths[0] in self.live_folders:
            self.move_folder(paths[0], paths[1])

    on_rename = on_renameat

    def on_unlinkat(self, arguments, _, paths, __, line):
        if paths[0] in self.live:
            self.take_name(paths[0])
        elif paths[0] in self.live_folders and "AT_REMOVEDIR" in arguments:
            self.remove_folder(paths[0])
        elif is_below(paths[0]):
            fail(f"no meaning for '{line[:300]}'")

    on_unlink = on_unlinkat

    def on_mkdirat(self, arguments, _, paths, __, ___):
        if is_below(paths[0]):
            self.make_folder(paths[0], int(arguments.rsplit(", ", 1)[1], 8))

    on_mkdir = on_mkdirat

    # What a power failure leaves.

    def pending(self, count):
        """Which of the first `count` events are changes that nothing covers."""
        left = []
        for at, event in enumerate(self.events[:count]):
            if isinstance(event, Change):
                left.append((at, set(event.covers)))
            else:
                for _, covers in left:
                    covers -= event
                left = [(i, covers) for i, covers in left if covers]
        return [at for at, _ in left]

    def disk(self, count, lost, torn=None):
        disk = Disk(self.names, self.folders)
        for at, event in enumerate(self.events[:count]):
            if isinstance(event, Change) and at not in lost:
                event.apply(disk, 0.5 if at == torn else 1.0)
                if event.node:
                    disk.made[event.node] += ((at, at == torn),)
        disk.settle()
        return disk

    def disks(self, randoms):
        """(place, Disk, whether it is after the end) of each that differs from those before."""
        chance = random.Random(SEED)
        seen, known = set(), {}
        for count in range(len(self.events) + 1):
            pending = self.pending(count)
            ways = [((), None), (tuple(pending), None)]
            ways += [((at,), None) for at in pending]
            ways += [(tuple(i for i in pending if i != at), at) for at in pending]
            ways += [(tuple(at for at in pending if chance.random() < 0.5), None) for _ in range(randoms if len(pending) > 1 else 0)]
            for lost, torn in ways:
                for cut in (None,) if torn is None else (None, torn):
                    disk = self.disk(count, lost, cut)
                    is_over = count == len(self.events)
                    if (text := (disk.text(known), is_over)) not in seen:
                        seen.add(text)
                        yield f"after {count} of {len(self.events)} changes without {list(lost)}", disk, is_over


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
    traced = run(["strace", "-y", "-xx", "-s", str(LONGEST_WRITE), "-o", "strace.power", "-e", f"trace={CALLS}", *options.command])
    if traced.returncode != 0:
        fail(f"{options.name}: ended with {traced.returncode} under strace: {traced.stderr.decode()}")
    log = Log(options.pristine)
    log.read("strace.power")
    found = list(log.disks(options.random))
    chosen = found if options.samples in (0, len(found)) else found[:: max(1, len(found) // options.samples)]
    for place, disk, is_over in itertools.chain(chosen, found[-1:]):
        fresh(options.pristine)
        disk.make()
        place = f"{options.name}: {place}"
        check_named(before, after, is_over, place)
        check_kept(reference, is_over, place)
        check_store(reference, place)
    seconds = time.monotonic() - started
    print(f"power {options.name}: {len(chosen)} of {len(found)} disks, {seconds:.0f} s")


if __name__ == "__main__":
    main()
