# SPDX-License-Identifier: Apache-2.0
"""What a tree is after operations that acked.py does, and which operation comes next.

The next operation depends on the seed, the number of the process and what came before, and on nothing else: so the checker,
which knows how many were acknowledged, knows what they were, and which one was under way.

Files hold lines that name the file, the version and the offset, and no zero byte; zeros come from truncate alone.
"""
import random

BLOCK = 4096  # bytes; what a crash leaves old or new as a whole
LINE = 64  # bytes
LARGEST = 24 * BLOCK
FOLDERS_MAX = 12
FILES_MAX = 60
DEEPEST = 4
MODES = [0o600, 0o640, 0o644, 0o755, 0o4755, 0o444]
XATTRS = ["user.one", "user.two"]


def lines(number, version, offset, length):
    """Bytes of a file from an offset on."""
    first = offset // LINE
    text = b"".join(
        (b"file %d version %d offset %d " % (number, version, line * LINE)).ljust(LINE - 1, b".") + b"\n"
        for line in range(first, (offset + length) // LINE + 1)
    )
    return text[offset - first * LINE :][:length]


def as_blocks(data):
    return tuple(data[at : at + BLOCK] for at in range(0, len(data), BLOCK))


class Node:
    """A file, directory or symbolic link.  `history` has all contents as (number of the operation, blocks); unchanged blocks
    are the same objects."""

    def __init__(self, kind, mode, number=0, target=None):
        self.kind, self.mode, self.number, self.target = kind, mode, number, target
        self.xattrs = {}
        self.blocks = ()
        self.version = 0
        self.history = []

    def size(self):
        return (len(self.blocks) - 1) * BLOCK + len(self.blocks[-1]) if self.blocks else 0

    def data(self):
        return b"".join(self.blocks)

    def set_data(self, data, sequence):
        old = self.blocks
        self.blocks = tuple(old[i] if i < len(old) and old[i] == block else block for i, block in enumerate(as_blocks(data)))
        self.history.append((sequence, self.blocks))


class Tree:
    """Names of nodes; one node may have several."""

    def __init__(self):
        self.names = {}  # path -> Node
        self.was = []  # (number of the operation, path, Node): every name that a node ever got

    def put(self, path, node, sequence):
        self.names[path] = node
        self.was.append((sequence, path, node))

    def paths(self, *kinds):
        return [path for path, node in self.names.items() if node.kind in kinds]

    def below(self, folder):
        return [path for path in self.names if path.startswith(folder + "/")]

    def apply(self, op, sequence):
        getattr(self, "do_" + op["op"])(sequence, **{key: value for key, value in op.items() if key != "op"})

    def do_create(self, sequence, path, mode, number, length):
        node = Node("file", mode, number)
        node.set_data(lines(number, 0, 0, length), sequence)
        self.put(path, node, sequence)

    def do_write(self, sequence, path, offset, length):
        node = self.names[path]
        node.version += 1
        old = node.data()
        node.set_data(old[:offset] + lines(node.number, node.version, offset, length) + old[offset + length :], sequence)

    def do_append(self, sequence, path, length):
        self.do_write(sequence, path, self.names[path].size(), length)

    def do_truncate(self, sequence, path, size):
        node = self.names[path]
        node.set_data(node.data()[:size].ljust(size, b"\0"), sequence)

    def do_mkdir(self, sequence, path, mode):
        self.put(path, Node("folder", mode), sequence)

    def do_symlink(self, sequence, path, target):
        self.put(path, Node("symlink", 0o777, target=target), sequence)

    def do_link(self, sequence, path, new):
        self.put(new, self.names[path], sequence)

    def do_unlink(self, _sequence, path):
        del self.names[path]

    do_rmdir = do_unlink

    def do_rename(self, sequence, path, new):
        """Two names of one file are left alone."""
        if self.names.get(new) is self.names[path]:
            return
        for old in [path, *self.below(path)]:
            self.put(new + old[len(path) :], self.names.pop(old), sequence)

    def do_chmod(self, _sequence, path, mode):
        self.names[path].mode = mode

    def do_setxattr(self, _sequence, path, name, value):
        self.names[path].xattrs[name] = value.encode()

    def do_removexattr(self, _sequence, path, name):
        del self.names[path].xattrs[name]


class Script:
    """The operations of one process, in order; `tree` is what they make."""

    def __init__(self, seed, process, fsync_every):
        self.random = random.Random(f"{seed} {process}")
        self.fsync_every = fsync_every
        self.tree = Tree()
        self.sequence = 0
        self.made = 0

    def is_synced(self):
        """Whether the last operation is followed by fsync."""
        return bool(self.fsync_every) and self.sequence % self.fsync_every == 0

    def next(self):
        """Chooses one; `done` must be told before the next."""
        while True:
            kind = self.random.choice(list(CHOICES))
            if op := CHOICES[kind](self):
                return {"op": kind, **op}

    def done(self, op):
        self.sequence += 1
        self.tree.apply(op, self.sequence)

    def pick(self, *kinds):
        paths = self.tree.paths(*kinds)
        return self.random.choice(paths) if paths else None

    def new_path(self):
        """In a directory that there is, a name that there is not."""
        folder = self.random.choice(["", *(path for path in self.tree.paths("folder") if path.count("/") < DEEPEST - 1)])
        self.made += 1
        name = f"n{self.made}" + "-" * self.random.choice([0, 0, 0, 20, 200])
        return f"{folder}/{name}" if folder else name

    def create(self):
        if len(self.tree.paths("file")) >= FILES_MAX:
            return None
        path = self.new_path()
        length = self.random.choice([0, 1, 100, BLOCK, self.random.randrange(3 * BLOCK), self.random.randrange(LARGEST)])
        return {"path": path, "mode": self.random.choice(MODES), "number": self.made, "length": length}

    def write(self):
        path = self.pick("file")
        size = self.tree.names[path].size() if path else 0
        if not size:
            return None
        offset = self.random.randrange(size)
        return {"path": path, "offset": offset, "length": 1 + self.random.randrange(min(3 * BLOCK, LARGEST - offset))}

    def append(self):
        path = self.pick("file")
        if not path or self.tree.names[path].size() > LARGEST - 2 * BLOCK:
            return None
        return {"path": path, "length": 1 + self.random.randrange(2 * BLOCK)}

    def truncate(self):
        path = self.pick("file")
        return path and {"path": path, "size": self.random.choice([0, self.random.randrange(LARGEST)])}

    def mkdir(self):
        if len(self.tree.paths("folder")) >= FOLDERS_MAX:
            return None
        return {"path": self.new_path(), "mode": self.random.choice([0o755, 0o700, 0o1777])}

    def link(self):
        path = self.pick("file", "symlink")
        return path and {"path": path, "new": self.new_path()}

    def symlink(self):
        return {"path": self.new_path(), "target": self.random.choice(["a", "b/c", "x" * 300])}

    def rmdir(self):
        path = self.pick("folder")
        return {"path": path} if path and not self.tree.below(path) else None

    def rename(self):
        """To a new name, or over what is of the same kind."""
        path = self.pick("file", "symlink", "folder")
        if not path:
            return None
        is_folder = self.tree.names[path].kind == "folder"
        new = self.new_path()
        if self.random.randrange(3) == 0:
            new = self.pick("folder") if is_folder else self.pick("file", "symlink")
            if is_folder and self.tree.below(new):
                return None
        if (new + "/").startswith(path + "/") or (is_folder and new.count("/") + 2 > DEEPEST):
            return None
        return {"path": path, "new": new}

    def chmod(self):
        path = self.pick("file")
        return path and {"path": path, "mode": self.random.choice(MODES)}

    def unlink(self):
        path = self.pick("file", "symlink")
        return path and {"path": path}

    def setxattr(self):
        path = self.pick("file", "folder")
        value = "v" * self.random.randrange(200)
        return path and {"path": path, "name": self.random.choice(XATTRS), "value": value}

    def removexattr(self):
        path = self.pick("file", "folder")
        names = sorted(self.tree.names[path].xattrs) if path else None
        return {"path": path, "name": self.random.choice(names)} if names else None


CHOICES = {
    name: getattr(Script, name)
    for name in ("create", "write", "append", "truncate", "mkdir", "link", "symlink", "rmdir", "rename", "chmod", "unlink",
                 "setxattr", "removexattr")
}
