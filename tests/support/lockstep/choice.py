# SPDX-License-Identifier: Apache-2.0
"""What random operations are about: names that there are and names that there are not, sizes, modes, open files."""
import collections
import os
import random

from lockstep.content import PAGE

# Few, so that operations meet; among them the longest, one that is no UTF-8, and one that a shell would not like.
NAMES = ["a", "b", "c", "d", "e", "f", "g", "h", "ü", "\udcff\udcfe", "new\nline *", ".hidden", "L" * 255, "M" * 255]
SLOTS = 20
# What keeps paths below PATH_MAX in both trees, though renames make them longer.
LONGEST_PATH = 1800
DEEPEST = 6
RECENT = 40  # paths
RECENT_PERCENT = 25
OBJECTS_MAX = 1200  # of those that operations made
USERS = [1000, 1001]
USERS_PERCENT = 12  # of the operations
MODES = [0o644, 0o600, 0o755, 0o777, 0o666, 0o700, 0o4755, 0o2755, 0o6711, 0o2644, 0o1777, 0o000, 0o444]
FOLDER_MODES = [0o755, 0o777, 0o777, 0o1777, 0o2777, 0o700, 0o555]
LARGEST_OFFSET = 8 << 20  # bytes


class Choice:
    """Random choices for the tree of a Side; `scan` looks at what there is in it."""

    def __init__(self, seed, side, users=USERS):
        self.random = random.Random(seed)
        self.side, self.users = side, users
        self.folders = {}  # path -> names
        self.kinds = {}  # path -> "folder" or "file" or "other"
        self.recent = collections.deque(maxlen=RECENT)
        self.scan()
        self.objects_max = len(self.kinds) + OBJECTS_MAX

    def scan(self):
        self.folders, self.kinds = {"": []}, {}
        os.fchdir(self.side.fd)
        wanted = [""]
        while wanted:
            folder = wanted.pop()
            with os.scandir(folder or ".") as entries:
                found = sorted((e.name, e.is_dir(follow_symlinks=False), e.is_file(follow_symlinks=False)) for e in entries)
            for name, is_folder, is_file in found:
                path = f"{folder}/{name}" if folder else name
                if len(os.fsencode(path)) > LONGEST_PATH:
                    continue
                self.add(path, "folder" if is_folder else "file" if is_file else "other")
                if is_folder:
                    wanted.append(path)
        self.folder_list = list(self.folders)

    def add(self, path, kind):
        if path in self.kinds:
            return
        folder, _, name = path.rpartition("/")
        if folder in self.folders:
            self.folders[folder].append(name)
            self.kinds[path] = kind
            if kind == "folder":
                self.folders[path] = []
                self.folder_list = list(self.folders)

    def is_full(self):
        return len(self.kinds) > self.objects_max

    # Plain choices.

    def pick(self, options):
        return options[self.random.randrange(len(options))]

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def number(self, low, high):
        return self.random.randint(low, high)

    def uid(self):
        return self.pick(self.users) if self.users and self.chance(USERS_PERCENT) else 0

    def slot(self):
        return self.random.randrange(SLOTS)

    # Paths.

    def any_folder(self):
        """The shorter path of two: deep ones are many."""
        return min(self.pick(self.folder_list), self.pick(self.folder_list), key=len)

    def folder(self):
        return self.any_folder() or "."

    def path(self, kind=None):
        """Of something that there is, as a rule, and often of what was chosen before: one file goes through much."""
        if self.recent and self.chance(RECENT_PERCENT):
            return self.pick(self.recent)
        for _ in range(6):
            folder = self.any_folder()
            names = self.folders[folder]
            if not names:
                continue
            name = self.pick(names)
            path = f"{folder}/{name}" if folder else name
            if kind is None or self.kinds[path] == kind:
                self.recent.append(path)
                return path
        return self.new_path()

    def file(self):
        return self.path("file") if self.chance(85) else self.path()

    def subfolder(self):
        return self.path("folder") if self.chance(85) else self.path()

    def new_path(self):
        """Of a name from the pool, whether it is there or not."""
        folder = self.any_folder()
        for _ in range(4):
            if folder.count("/") < DEEPEST:
                break
            folder = self.any_folder()
        name = self.pick(NAMES)
        self.recent.append(f"{folder}/{name}" if folder else name)
        return self.recent[-1]

    def target(self):
        """Of a rename or a link."""
        return self.new_path() if self.chance(60) else self.path()

    # Numbers.

    def mode(self):
        return self.pick(MODES)

    def folder_mode(self):
        return self.pick(FOLDER_MODES)

    def owner(self):
        return self.pick([0, 0, 1000, 1000, 1001, 65534, -1])

    def content(self):
        """The seed of what is written."""
        return self.random.randrange(1 << 30)

    def offset(self):
        kind = self.random.randrange(10)
        if kind < 4:
            return self.number(0, 3 * PAGE)
        if kind < 7:
            return max(0, self.number(0, 64) * PAGE + self.pick([-1, 0, 1]))
        if kind < 9:
            return self.number(0, 300_000)
        return self.number(0, LARGEST_OFFSET)

    def length(self):
        kind = self.random.randrange(10)
        if kind < 5:
            return self.number(0, 200)
        if kind < 8:
            return max(0, self.number(1, 4) * PAGE + self.pick([-1, 0, 1]))
        return self.number(0, 200_000) if kind == 9 else self.number(0, 20_000)

    def seconds(self):
        """A time that is not now: before 1970, at its beginning, long ago, with nanoseconds, after 2038, after 2106."""
        return self.pick([[-1, 5], [0, 0], [0, 999_999_999], [1_000_000_000, 123_456_789], [1_234_567_890, 1],
                          [2**31 + 5, 987_654_321], [2**32 + 77, 3], [1_500_000_000, self.number(0, 999_999_999)]])
