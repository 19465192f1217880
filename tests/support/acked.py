#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""For crash tests: does operations below a mount, logs each when its call has returned, and later checks that they are there.

Usage: acked.py write LOG DIR [--threads N] [--ops N] [--seconds N] [--seed S] [--fsync N]
       acked.py check LOG DIR [--synced]

`write` is N processes, each in a directory of its own below DIR, which must be empty; LOG is to be outside of the mount.  It
ends with 0 when all is done, with 3 when the mount went away, with 1 when a call failed that could not fail: an operation that
is done twice, say.

`check` wants exactly what was acknowledged: names, types, modes, data, extended attributes, targets, links; and of each process
at most the one operation that was under way, or a part of its data.

With --fsync each N-th operation is followed by fsync of what it changed and of the directories above, and logged as synced.
`check --synced` is for what a loss of power leaves: of what was synced it wants each file, under a name it had since, with data
that are, block by block, those of then or newer; no file at all may have a block of zeros where it never had one.
"""
import argparse
import errno
import json
import os
import signal
import stat
import sys
import time

from acked_tree import BLOCK, Script, as_blocks, lines
from syscalls import error_name

AWAY = (errno.ENOTCONN, errno.ECONNABORTED, errno.EIO, errno.ENODEV, errno.EROFS)
SHOWN = 10  # complaints
STATUS_AWAY = 3


# What the writer does.


def write_at(path, flags, data, offset=None):
    fd = os.open(path, flags, 0o600)
    try:
        while data:
            done = os.write(fd, data) if offset is None else os.pwrite(fd, data, offset)
            data = data[done:]
            offset = None if offset is None else offset + done
        return
    finally:
        os.close(fd)


def create(path, mode, number, length):
    write_at(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, lines(number, 0, 0, length))
    os.chmod(path, mode)


CALLS = {
    "mkdir": lambda path, mode: (os.mkdir(path), os.chmod(path, mode)),
    "create": create,
    "truncate": lambda path, size: os.truncate(path, size),
    "link": lambda path, new: os.link(path, new, follow_symlinks=False),
    "symlink": lambda path, target: os.symlink(target, path),
    "unlink": os.unlink,
    "rmdir": os.rmdir,
    "rename": lambda path, new: os.rename(path, new),
    "chmod": os.chmod,
    "setxattr": lambda path, name, value: os.setxattr(path, name, value.encode()),
    "removexattr": lambda path, name: os.removexattr(path, name),
}


def perform(op, tree):
    """`tree` is what is there before."""
    arguments = {key: value for key, value in op.items() if key != "op"}
    if op["op"] in ("write", "append"):
        node = tree.names[op["path"]]
        offset = op.get("offset", node.size())
        data = lines(node.number, node.version + 1, offset, op["length"])
        flags = os.O_WRONLY | (os.O_APPEND if op["op"] == "append" else 0)
        write_at(op["path"], flags, data, None if op["op"] == "append" else offset)
    else:
        CALLS[op["op"]](**arguments)


def sync(path):
    """It, unless it is gone or a link, and all directories above."""
    while True:
        if path and os.path.lexists(path) and not os.path.islink(path):
            sync_one(path)
        if not path:
            break
        path = os.path.dirname(path)
    sync_one(".")


def sync_one(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def note(log, *words):
    os.write(log, (" ".join(str(word) for word in words) + "\n").encode())


def work(log, process, options):
    """One process; its status."""
    os.umask(0o022)
    os.mkdir(f"p{process}")
    os.chdir(f"p{process}")
    note(log, process, 0, "begun")
    script = Script(options.seed, process, options.fsync)
    until = time.monotonic() + options.seconds
    op = None
    try:
        while script.sequence < options.ops and time.monotonic() < until:
            op = script.next()
            perform(op, script.tree)
            script.done(op)
            note(log, process, script.sequence, "done", json.dumps(op))
            if script.is_synced():
                sync(op.get("new", op["path"]))
                note(log, process, script.sequence, "synced")
    except OSError as e:
        if e.errno in AWAY:
            return STATUS_AWAY
        print(f"process {process}, operation {script.sequence + 1}, {json.dumps(op)}: {error_name(e.errno)}", flush=True)
        return 1
    return 0


def write(options):
    log = os.open(options.log, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
    # Who waits for the first line may take the mount away then.
    os.chdir(options.folder)
    note(log, "acked", options.seed, options.threads, options.fsync)
    children = []
    for process in range(options.threads):
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                status = work(log, process, options)
            except OSError as e:
                status = STATUS_AWAY if e.errno in AWAY else 1
            os._exit(status)
        children.append(pid)
    signal.signal(signal.SIGTERM, lambda *_: [os.kill(pid, signal.SIGTERM) for pid in children])
    statuses = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
    return 1 if 1 in statuses else max(statuses)


# What the checker finds.


class Found:
    """What is at a name now."""

    def __init__(self, path):
        s = os.lstat(path)
        self.kind = {stat.S_IFDIR: "folder", stat.S_IFREG: "file", stat.S_IFLNK: "symlink"}[stat.S_IFMT(s.st_mode)]
        self.mode, self.ino, self.nlink = stat.S_IMODE(s.st_mode), s.st_ino, s.st_nlink
        self.target = os.readlink(path) if self.kind == "symlink" else None
        self.xattrs = {}
        self.data = b""
        if self.kind != "symlink":
            self.xattrs = {n: os.getxattr(path, n) for n in os.listxattr(path) if n.startswith("user.")}
        if self.kind == "file":
            with open(path, "rb") as f:
                self.data = f.read()


def found_below(top):
    found = {}
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, top)] = Found(path)
    return found


def node_complaints(path, node, found):
    """Differences of what is found from what is wanted."""
    if node.mode != found.mode:
        yield f"{path}: mode is {found.mode:04o}, not {node.mode:04o}"
    for what in ("kind", "target", "xattrs"):
        if getattr(node, what) != getattr(found, what):
            yield f"{path}: {what} is {getattr(found, what)!r}, not {getattr(node, what)!r}"
    if node.kind == "file" and node.data() != found.data:
        yield f"{path}: {data_difference(node.data(), found.data)}"


def data_difference(wanted, got):
    at = next((i for i, (x, y) in enumerate(zip(wanted, got)) if x != y), min(len(wanted), len(got)))
    return f"{len(got)} bytes, not {len(wanted)}; from {at} on {got[at:at + 48]!r}, not {wanted[at:at + 48]!r}"


def tree_complaints(names, found):
    """Of a whole tree; `names` are paths and nodes."""
    for path in sorted({*names, *found}):
        if path not in found:
            yield f"{path} is missing"
        elif path not in names:
            yield f"{path} is there, and should not be"
        else:
            yield from node_complaints(path, names[path], found[path])
    first = {}
    for path in sorted({*names} & {*found}):
        node, one = names[path], found[path]
        if node.kind == "folder":
            continue
        if first.setdefault(id(node), one.ino) != one.ino:
            yield f"{path} is no link any more"
        links = sum(other is node for other in names.values())
        if one.nlink != links:
            yield f"{path} has {one.nlink} links, not {links}"


def is_between(before, after, got):
    """Whether data may be what a write leaves that is cut short: each block old or new, the end between both."""
    if not min(len(before), len(after)) <= len(got) <= max(len(before), len(after)):
        return False
    for i, block in enumerate(as_blocks(got)):
        at = i * BLOCK
        if block not in (before[at : at + len(block)], after[at : at + len(block)]):
            return False
    return True


def under_way_complaints(script, op, found):
    """When `op` is done, or as much of it as can be done: a file that is not yet whole, a mode that is not yet set."""
    path = op["path"]
    old = script.tree.names[path].data() if op["op"] in ("write", "append") else b""
    script.done(op)
    if op["op"] in ("create", "mkdir", "write", "append") and path in found:
        node, one = script.tree.names[path], found[path]
        if op["op"] in ("create", "mkdir"):
            node.mode = one.mode
        if node.kind == "file" and is_between(old, node.data(), one.data):
            node.blocks = as_blocks(one.data)
    return list(tree_complaints(script.tree.names, found))


def exact_complaints(script, found):
    """Nothing but what was acknowledged, and perhaps the next."""
    complaints = list(tree_complaints(script.tree.names, found))
    if not complaints:
        return []
    op = script.next()
    return complaints if under_way_complaints(script, op, found) else []


def versions_since(node, since):
    """What a file was after an operation, and what it became."""
    older = [blocks for sequence, blocks in node.history if sequence <= since]
    return (older[-1:] or [()]) + [blocks for sequence, blocks in node.history if sequence > since]


def sizes_of(versions):
    """Sizes that a file may have: those it had, and those of a write that is cut short after whole blocks."""
    ends = [sum(map(len, blocks)) for blocks in versions]
    sizes = set(ends)
    for before, after in zip(ends, ends[1:]):
        sizes |= {at for at in range(0, after, BLOCK) if at > before}
    return sizes


def block_complaint(path, versions, data):
    """What is wrong with a file of which each block is to be as it was in one of the versions, or None."""
    for i, block in enumerate(as_blocks(data)):
        if not any(i < len(blocks) and blocks[i][: len(block)] == block for blocks in versions):
            return f"{path}: block {i} is {'zeros' if is_zero(block) else block[:48]}, which it never was"
    return None if len(data) in sizes_of(versions) else f"{path}: {len(data)} bytes, which it never had"


def zero_complaint(path, nodes, data):
    """The same of a file that is not synced, whichever of some files it is: only zeros are wrong, where there never were any."""
    for i, block in enumerate(as_blocks(data)):
        all_versions = (blocks for node in nodes for _, blocks in node.history if i < len(blocks))
        if is_zero(block) and not any(is_zero(blocks[i][: len(block)]) for blocks in all_versions):
            return f"{path}: block {i} is zeros, which it never was"
    return None


def is_zero(block):
    return not block.strip(b"\0")


def candidates_of(tree, found):
    """For each name that is there: what ever had it, of its kind."""
    had = {}
    for _, path, node in tree.was:
        if path in found and node.kind == found[path].kind:
            had.setdefault(path, []).append(node)
    return had


def synced_complaints(script, found, synced_at):
    """After a loss of power: what was synced, and no block that never was."""
    tree = script.tree
    script.done(script.next())
    had = candidates_of(tree, found)
    for path, one in found.items():
        if path not in had:
            yield f"{path} is there, and never was"
        elif one.kind == "file" and (text := zero_complaint(path, had[path], one.data)):
            yield text
    for node, (since, names) in synced_at.items():
        if not any(other is node for other in tree.names.values()):
            continue
        places = names + [path for sequence, path, other in tree.was if other is node and sequence > since]
        versions = versions_since(node, since)
        texts = [block_complaint(path, versions, found[path].data) for path in places if path in found]
        if not texts:
            yield f"file {node.number}, synced by operation {since}, is at none of {places}"
        elif all(texts):
            yield f"file {node.number}, synced by operation {since}: {texts[0]}"


def read_log(path):
    """Seed, processes, every how many fsync; and of each process its acknowledged operations, and its last synced ones."""
    with open(path, encoding="ascii") as f:
        words = f.readline().split()
        seed, processes, fsync_every = map(int, words[1:])
        done, synced = {}, {}
        for line in f:
            if not line.endswith("\n"):
                break
            process, sequence, what, *rest = line.rstrip("\n").split(" ", 3)
            if what == "done":
                done.setdefault(int(process), []).extend(rest)
            elif what == "synced":
                synced.setdefault(int(process), set()).add(int(sequence))
    return seed, processes, fsync_every, done, synced


def replayed(seed, process, fsync_every, done, synced):
    """The script after all that was acknowledged, and of each file that was synced after which operation, and its names then."""
    script, synced_at = Script(seed, process, fsync_every), {}
    for text in done:
        op = script.next()
        if json.dumps(op) != text:
            sys.exit(f"acked: process {process}, operation {script.sequence + 1}: the log has {text}, not {json.dumps(op)}")
        script.done(op)
        node = script.tree.names.get(op.get("new", op["path"]))
        if script.sequence in synced and node and node.kind == "file":
            names = [path for path, other in script.tree.names.items() if other is node]
            synced_at[node] = (script.sequence, names)
    return script, synced_at


def check(options):
    seed, processes, fsync_every, done, synced = read_log(options.log)
    complaints, operations, marked = [], 0, 0
    for process in range(processes):
        top = os.path.join(options.folder, f"p{process}")
        acknowledged = done.get(process, [])
        if not os.path.isdir(top):
            if acknowledged and not options.synced:
                complaints.append(f"{top} is missing")
            continue
        script, synced_at = replayed(seed, process, fsync_every, acknowledged, synced.get(process, set()))
        last = script.sequence
        operations += last
        marked += len(synced_at)
        try:
            found = found_below(top)
        except OSError as e:
            complaints.append(f"process {process}: {e}")
            continue
        texts = synced_complaints(script, found, synced_at) if options.synced else exact_complaints(script, found)
        complaints += [f"process {process}, after operation {last}: {text}" for text in texts]
    for text in complaints[:SHOWN]:
        print(text)
    subject = f"{marked} synced files" if options.synced else f"{operations} acknowledged operations"
    print(f"acked: {subject}, {len(complaints)} complaints")
    return 1 if complaints else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("write", "check"):
        command = commands.add_parser(name)
        command.add_argument("log", metavar="LOG")
        command.add_argument("folder", metavar="DIR")
        if name == "write":
            command.add_argument("--threads", type=int, default=4)
            command.add_argument("--ops", type=int, default=1_000, help="of each process")
            command.add_argument("--seconds", type=float, default=3_600)
            command.add_argument("--seed", type=int, default=1)
            command.add_argument("--fsync", type=int, default=0, metavar="N")
        else:
            command.add_argument("--synced", action="store_true")
    options = parser.parse_args()
    return (write if options.command == "write" else check)(options)


if __name__ == "__main__":
    sys.exit(main())
