# SPDX-License-Identifier: Apache-2.0
"""The disks that a power failure may leave of a folder: what strace saw a program do to the files in it, replayed without what
it had not synced.

A change is a write to a file, its size, its mode, or a name that was given, moved or taken away.  fsync(2) of a file covers
its content, size and mode, fsync(2) of a directory the names in it, syncfs(2) all: no more, whatever file systems do.  What no
sync covers may be on the disk or not, each change by itself.  Paths that come without a descriptor are those of the directory
in which the program was started.

With `sector`, content goes to the disk in units of so many bytes, each as it is in memory when it goes; and a size may come
there before what is written behind the old one, which is zeros until then.
"""
import hashlib
import os
import random
import re
import shutil
import stat

from undisturbed import fail

WHOLE_CALL = re.compile(r"^(?:\d+ +)?([a-z0-9_]+)\((.*)\) += (-?\d+)")
UNFINISHED = re.compile(r"^(\d+) +(.*) <unfinished \.\.\.>$")
RESUMED = re.compile(r"^(\d+) +<\.\.\. \w+ resumed>(.*)$")
TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
DESCRIPTOR = re.compile(r"(?:^|, )(?:(\d+)|AT_FDCWD)<((?:\\x[0-9a-f]{2})*)>")
OWN_DESCRIPTOR = re.compile(r"^/proc/self/fd/(\d+)$")
# All that can change a file, whether it is understood below or refused there.
CALLS = (
    "openat,openat2,open,creat,close,dup,dup2,dup3,fcntl,lseek,ioctl,"
    "write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,copy_file_range,sendfile,splice,"
    "fchmod,chmod,fchmodat,fsync,fdatasync,syncfs,link,linkat,rename,renameat,renameat2,unlink,unlinkat,rmdir,"
    "mkdir,mkdirat,symlink,symlinkat,mmap,clone,clone3,fork,vfork"
)
LONGEST_WRITE = 64 << 20  # bytes that strace shows of one
STRACE = ["strace", "-y", "-xx", "-s", str(LONGEST_WRITE), "-e", f"trace={CALLS}"]
CLONE = re.compile(r"\bFICLONE, (\d+)(?:<.*>)?$")
PUNCH_HOLE = "FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE"

SEED = 7
# How much of a change is on the disk.
WHOLE, HEAD, TAIL = range(3)
EVERYTHING = object()
ZEROS = bytes(4096)


def bytes_of(text):
    return bytes.fromhex(text.replace("\\x", ""))


def path_of(text):
    return os.fsdecode(bytes_of(text))


def end_of_data(content):
    """Behind it are blocks of zeros alone, which need not be written."""
    end = len(content)
    while end >= len(ZEROS) and content[end - len(ZEROS) : end] == ZEROS:
        end -= len(ZEROS)
    return end


class File:
    """What was in a file before the program ran; its changes are in the log.  `live`: what it holds while the program runs."""

    def __init__(self, content=b"", mode=0o600):
        self.content = content
        self.mode = mode
        self.live = bytearray(content)


class Change:
    """`apply(disk, part)` makes it on a Disk, of `node` when that is a File; a sync of one of `covers` makes it last."""

    def __init__(self, apply, node, covers):
        self.apply = apply
        self.node = node
        self.covers = set(covers)


class Sync:
    """Of a File or the path of a directory, or EVERYTHING: as far as it was changed before event number `since`."""

    def __init__(self, what, since):
        self.what = what
        self.since = since

    def left(self, at, covers):
        """Which syncs make change number `at` last, of `covers`, after this one."""
        if at >= self.since:
            return covers
        return set() if self.what is EVERYTHING else covers - {self.what}


class Disk:
    """What a power failure left below `top`: names, and for each file its content and mode."""

    def __init__(self, top, names, folders):
        self.top = top
        self.names = dict(names)
        self.folders = dict(folders)
        self.files = {}
        self.own = set()  # of `files`, those that no copy of this shares
        self.made = {}  # File -> the number of all changes that were made to it

    def copy(self):
        other = Disk(self.top, self.names, self.folders)
        other.files = dict(self.files)
        other.made = dict(self.made)
        self.own = set()
        return other

    def look(self, node):
        return self.files.get(node) or (node.content, node.mode)

    def file(self, node):
        """To be changed."""
        if node not in self.own:
            content, mode = self.look(node)
            self.files[node] = [bytearray(content), mode]
            self.own.add(node)
        return self.files[node]

    def has_folder(self, path):
        """A name in a folder that was not kept is not there either."""
        return path == self.top or (path in self.folders and self.has_folder(os.path.dirname(path)))

    def settle(self):
        """Drops what cannot be reached."""
        self.folders = {path: mode for path, mode in self.folders.items() if self.has_folder(path)}
        self.names = {path: node for path, node in self.names.items() if self.has_folder(os.path.dirname(path))}

    def content_digest(self, node, known):
        made = (node, self.made.get(node, 0))
        if made not in known:
            known[made] = hashlib.sha256(self.look(node)[0]).hexdigest()
        return known[made]

    def text(self, known):
        """What is on it; `known` remembers digests."""
        folders = [f"{path} {mode:o}" for path, mode in self.folders.items()]
        files = [f"{path} {self.look(node)[1]:o} {self.content_digest(node, known)}" for path, node in self.names.items()]
        return "\n".join(sorted(folders + files))

    def make(self, at=None):
        """Below `top`, or below another folder; what was there before is gone."""
        at = at or self.top
        shutil.rmtree(at, ignore_errors=True)
        for path, mode in sorted(self.folders.items()):
            os.mkdir(at + path[len(self.top) :])
            os.chmod(at + path[len(self.top) :], mode)
        for path, node in self.names.items():
            content, mode = self.look(node)
            with open(at + path[len(self.top) :], "wb") as f:
                f.write(content[: end_of_data(content)])
                f.truncate(len(content))
                os.fchmod(f.fileno(), mode)


class Log:
    """The changes to files below `top` that strace saw, in order, and the syncs among them.  `pristine` is what was there
    before."""

    def __init__(self, top, pristine, sector=None):
        self.top, self.sector = top, sector
        self.names, self.folders = {}, {}
        self.events = []  # Change, Sync, or what a subclass says
        self.live = {}  # name -> File, as it is while the program runs
        self.live_folders = set()
        self.open = {}  # descriptor -> [File, offset]
        self.since = 0  # how many events there were when the call that is read began
        self.numbers = {}  # (number, change, part) -> number: see Disk.made
        self.read_tree(pristine)
        self.live.update(self.names)
        self.live_folders.update(self.folders)

    def read_tree(self, pristine):
        for folder, _, files in os.walk(pristine):
            path = os.path.normpath(os.path.join(self.top, os.path.relpath(folder, pristine)))
            self.folders[path] = stat.S_IMODE(os.lstat(folder).st_mode)
            for name in files:
                with open(os.path.join(folder, name), "rb") as f:
                    mode = stat.S_IMODE(os.fstat(f.fileno()).st_mode)
                    self.names[os.path.join(path, name)] = File(f.read(), mode)

    def is_below(self, path):
        """Whether it is one of the files that are replayed."""
        return (path + "/").startswith(self.top + "/")

    # What the calls mean.

    def change(self, apply, node, *covers):
        self.events.append(Change(apply, node, covers))

    def write(self, fd, data, offset=None):
        node, at = self.open[fd]
        if offset is None:
            self.open[fd][1] += len(data)
            offset = at
        size = len(node.live)
        node.live.extend(bytes(max(0, offset + len(data) - size)))
        node.live[offset : offset + len(data)] = data
        if self.sector and len(node.live) > size:
            self.set_size(node, lambda old, new=len(node.live): max(old, new))
        self.put(node, data, offset)

    def put(self, node, data, offset):
        """Bytes of a file are written, and are in `live` already."""
        behind = 0
        if self.sector:
            start = offset // self.sector * self.sector
            end = -(-(offset + len(data)) // self.sector) * self.sector
            data, offset = bytes(node.live[start:end]), start
            behind = end  # of the last sector, which is zeros behind the end of the file

        def apply(disk, part=WHOLE):
            content = disk.file(node)[0]
            cut = self.cut(offset, len(data))
            start, end = (cut if part == TAIL else 0), (cut if part == HEAD else len(data))
            content.extend(bytes(max(0, offset + start - len(content))))
            content[offset + start : offset + end] = data[start:end]
            if behind and part != HEAD and offset + end < len(content):
                content[offset + end : behind] = bytes(min(behind, len(content)) - offset - end)

        self.change(apply, node, node)

    def cut(self, offset, length):
        """Where a write is torn: in its middle, or behind the sector that is there."""
        middle = length // 2
        return min(length, -(-(offset + middle) // self.sector) * self.sector - offset) if self.sector else middle

    def set_size(self, node, size_of):
        def apply(disk, _=WHOLE):
            content = disk.file(node)[0]
            size = size_of(len(content))
            del content[size:]
            content.extend(bytes(size - len(content)))

        self.change(apply, node, node)

    def resize(self, fd, size):
        node = self.open[fd][0]
        del node.live[size:]
        node.live.extend(bytes(size - len(node.live)))
        self.set_size(node, lambda _: size)

    def grow(self, fd, size):
        node = self.open[fd][0]
        node.live.extend(bytes(max(0, size - len(node.live))))
        self.set_size(node, lambda old: max(old, size))

    def punch(self, fd, offset, end):
        node = self.open[fd][0]
        end = min(end, len(node.live))
        if offset < end:
            node.live[offset:end] = bytes(end - offset)
            self.put(node, bytes(end - offset), offset)

    def clone(self, fd, source):
        """It shares the blocks of another, which is written to the disk before that, and is there whole or not at all."""
        node, content = self.open[fd][0], bytes(source.live)
        node.live[:] = content

        def apply(disk, _=WHOLE):
            disk.file(node)[0][:] = content

        self.change(apply, node, node)

    def set_mode(self, fd, mode):
        node = self.open[fd][0]

        def apply(disk, _=WHOLE):
            disk.file(node)[1] = mode

        self.change(apply, node, node)

    def give_name(self, path, node):
        self.live[path] = node

        def apply(disk, _=WHOLE):
            disk.names[path] = node

        self.change(apply, None, os.path.dirname(path))

    def take_name(self, path):
        node = self.live.pop(path)

        def apply(disk, _=WHOLE):
            if disk.names.get(path) is node:
                del disk.names[path]

        self.change(apply, None, os.path.dirname(path))

    def move_name(self, old, new):
        node = self.live.pop(old)
        self.live[new] = node

        def apply(disk, _=WHOLE):
            if disk.names.get(old) is node:
                del disk.names[old]
            disk.names[new] = node

        self.change(apply, None, os.path.dirname(old), os.path.dirname(new))

    def make_folder(self, path, mode):
        self.live_folders.add(path)

        def apply(disk, _=WHOLE):
            disk.folders[path] = mode

        self.change(apply, None, os.path.dirname(path))

    def move_folder(self, old, new):
        """With all that is in it.  What is changed there afterwards goes by its new name, so a folder whose new name is not
        synced before that cannot be replayed: no command does that."""

        def moved(path):
            is_in = isinstance(path, str) and (path + "/").startswith(old + "/")
            return new + path[len(old) :] if is_in else path

        def apply(disk, _=WHOLE):
            disk.names = {moved(path): node for path, node in disk.names.items()}
            disk.folders = {moved(path): mode for path, mode in disk.folders.items()}

        self.live = {moved(path): node for path, node in self.live.items()}
        self.live_folders = {moved(path) for path in self.live_folders}
        for place in self.open.values():
            place[0] = moved(place[0])
        self.change(apply, None, os.path.dirname(old), os.path.dirname(new))

    def remove_folder(self, path):
        self.live_folders.remove(path)

        def apply(disk, _=WHOLE):
            disk.folders.pop(path, None)

        self.change(apply, None, os.path.dirname(path))

    # What strace prints.

    def read(self, path):
        """What one process did; the next has other descriptors."""
        self.open.clear()
        begun = {}  # thread -> what it has called, and how many events there were
        with open(path, encoding="ascii", errors="surrogateescape") as f:
            for line in f:
                self.since = len(self.events)
                if match := UNFINISHED.match(line):
                    begun[match.group(1)] = (match.group(2), self.since)
                    # Its number may be given to another thread before it has returned.
                    if match.group(2).startswith("close("):
                        self.call_of_line(match.group(2) + ") = 0")
                elif match := RESUMED.match(line):
                    head, self.since = begun.pop(match.group(1))
                    if not head.startswith("close("):
                        self.call_of_line(head + match.group(2))
                else:
                    self.call_of_line(line)

    def call_of_line(self, line):
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
        return any(self.is_below(path_of(path)) for _, path in DESCRIPTOR.findall(arguments))

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
        if not self.is_below(path):
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
        if not self.is_file(fd) or kind == "FALLOC_FL_KEEP_SIZE":
            return
        if kind == "0":
            self.grow(fd, int(offset) + int(length))
        elif kind == PUNCH_HOLE:
            self.punch(fd, int(offset), int(offset) + int(length))
        else:
            fail(f"no meaning for '{line[:300]}'")

    def on_ioctl(self, arguments, fd, _, __, line):
        if not self.is_file(fd):
            return
        match = CLONE.search(arguments)
        if not match:
            fail(f"no meaning for '{line[:300]}'")
        self.clone(fd, self.open[int(match.group(1))][0])

    def on_fchmod(self, arguments, fd, _, __, ___):
        if self.is_file(fd):
            self.set_mode(fd, int(arguments.rsplit(", ", 1)[1], 8))

    def on_fsync(self, _, fd, __, ___, ____):
        if fd in self.open:
            self.events.append(Sync(self.open[fd][0], self.since))

    on_fdatasync = on_fsync

    def on_syncfs(self, _, fd, __, ___, ____):
        if fd in self.open:
            self.events.append(Sync(EVERYTHING, self.since))

    def on_linkat(self, _, __, paths, ___, ____):
        if not self.is_below(paths[1]):
            return
        own = OWN_DESCRIPTOR.match(paths[0])
        node = self.open[int(own.group(1))][0] if own else self.live.get(paths[0])
        if node:
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
        elif self.is_below(paths[0]):
            fail(f"no meaning for '{line[:300]}'")

    on_unlink = on_unlinkat

    def on_mkdirat(self, arguments, _, paths, __, ___):
        if self.is_below(paths[0]):
            self.make_folder(paths[0], int(arguments.rsplit(", ", 1)[1], 8))

    on_mkdir = on_mkdirat

    # What a power failure leaves.

    def make_change(self, disk, at, part=WHOLE):
        event = self.events[at]
        event.apply(disk, part)
        if event.node:
            made = (disk.made.get(event.node, 0), at, part)
            disk.made[event.node] = self.numbers.setdefault(made, len(self.numbers) + 1)

    def disk(self, base, span, lost, torn):
        """`base`, and of the changes of `span` those that are not `lost`; `torn`: change -> part of it."""
        disk = base.copy()
        for at in span:
            if isinstance(self.events[at], Change) and at not in lost:
                self.make_change(disk, at, torn.get(at, WHOLE))
        disk.settle()
        return disk

    def moments(self):
        """(count, which of the first `count` events are changes that nothing covers, the Disk of all before these)"""
        left = []  # (change, what still covers it)
        base, done = Disk(self.top, self.names, self.folders), 0
        for count in range(len(self.events) + 1):
            event = self.events[count - 1] if count else None
            if isinstance(event, Change):
                left.append((count - 1, set(event.covers)))
            elif isinstance(event, Sync):
                left = [(at, event.left(at, covers)) for at, covers in left]
                left = [(at, covers) for at, covers in left if covers]
            first = left[0][0] if left else count
            for at in range(done, first):
                if isinstance(self.events[at], Change):
                    self.make_change(base, at)
            done = first
            yield count, [at for at, _ in left], base

    def disks(self, ways, stage):
        """(count, lost, torn, Disk, stage(count)) of each that differs from those before; `ways(pending, chance)` says which
        of what is pending is lost and torn."""
        chance = random.Random(SEED)
        seen, known = set(), {}
        for count, pending, base in self.moments():
            span = range(pending[0] if pending else count, count)
            for lost, torn in ways(pending, chance):
                disk = self.disk(base, span, frozenset(lost), torn)
                if (text := (disk.text(known), stage(count))) not in seen:
                    seen.add(text)
                    yield count, lost, torn, disk, stage(count)
