# SPDX-License-Identifier: Apache-2.0
"""The work of the edit benchmarks: what is done, on what, and how one sees that it was done right.

All of it starts from one lower tree: a tree of trees.py with a folder "bench" of a big file and a small C project added.  The part is a
subtree of it, of some thousand entries: it is what is unpacked, copied, removed, changed and renamed.
"""

import glob
import hashlib
import os
import stat
import subprocess

from measure import Failed, need

PART_ENTRIES_MAX = 20000
CREATED = 20000
BIG_MIB = 1024
SEQUENTIAL_MIB = 512
RANDOM_FILE_MIB = 64
RANDOM_WRITES, RANDOM_SYNC_EVERY = 4000, 16
SOURCES = 40  # files of the C project
MANY = 200000  # changed files, for the server's memory
MANY_FOLDER = 1000  # files in each folder of these
COMPILED = """#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int f{n}(const char *s);
int f{n}(const char *s)
{{
	char line[64];
	snprintf(line, sizeof(line), "%s %d", s, {n});
	return (int)strlen(line) + {n};
}}
"""
MAIN = "#include <stdio.h>\n{declared}\nint main(void)\n{{\n\tprintf(\"%d\\n\", {called});\n\treturn 0;\n}}\n"
MAKEFILE = """OBJECTS := $(patsubst %.c,out/%.o,$(sort $(wildcard *.c)))
out/program: $(OBJECTS)
	$(CC) -o $@ $(OBJECTS)
out/%.o: %.c | out
	$(CC) -O1 -c -o $@ $<
out:
	mkdir -p out
"""


class Work:
    """One kind of work.  `before` is not measured; `checked` are paths below the mountpoint whose content all file systems must agree on,
    with their times where `times`; `entries`, or MiB, or writes, is what requests are divided by; `is_large`: few large files, whose
    room is wanted back at once."""

    def __init__(self, name, command, checked, before=(), entries=1, is_cold=False, times=False, is_large=False):
        self.name = name
        self.command = command
        self.checked = checked
        self.before = before
        self.entries = entries
        self.is_cold = is_cold
        self.times = times
        self.is_large = is_large


class Material:
    """The lower tree, and what is unpacked, cloned and built in it."""

    def __init__(self, bench, tree, scale):
        need("git")
        need("make")
        self.bench = bench
        self.scale = scale
        self.folder = bench.path("edit-" + tree.name)
        self.lower = os.path.join(self.folder, "lower")
        self.archive = os.path.join(self.folder, "part.tar")
        self.repository = os.path.join(self.folder, "repository.git")
        os.makedirs(self.folder)
        subprocess.run(["cp", "-al", tree.path, self.lower], check=True)
        self.part = find_part(self.lower, self.scaled(PART_ENTRIES_MAX))
        self.part_entries = count_entries(os.path.join(self.lower, self.part))
        self.lower_entries = tree.entries
        self.make_bench_folder()
        self.make_archive()
        self.make_repository()

    def scaled(self, number):
        return max(1, round(number * self.scale))

    def make_bench_folder(self):
        project = os.path.join(self.lower, "bench", "project")
        os.makedirs(project)
        sources = self.scaled(SOURCES)
        for n in range(sources):
            write(os.path.join(project, f"f{n}.c"), COMPILED.format(n=n))
        declared = "\n".join(f"int f{n}(const char *s);" for n in range(sources))
        called = " + ".join(f'f{n}("x")' for n in range(sources))
        write(os.path.join(project, "main.c"), MAIN.format(declared=declared, called=called))
        write(os.path.join(project, "Makefile"), MAKEFILE)
        big = os.path.join(self.lower, "bench", "big")
        subprocess.run([self.bench.editor, "seq", big, str(self.scaled(BIG_MIB)), "0"], check=True)

    def make_archive(self):
        folder, name = os.path.split(os.path.join(self.lower, self.part))
        subprocess.run(["tar", "-C", folder, "-cf", self.archive, name], check=True)

    def make_repository(self):
        """Of the part, in one pack, as a clone of it from elsewhere has it."""
        source = os.path.join(self.lower, self.part)
        # Whatever the user's own configuration says; and what a part's .gitignore names belongs to it, too.
        base = {**os.environ, "GIT_DIR": self.repository, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
        # gc.auto: a commit of many files would start one beside ours.
        author = ["-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "gc.auto=0"]
        for words, needs_tree in ((["init", "-q", "--bare", "-b", "main"], False), (["add", "-A", "-f"], True),
                                  ([*author, "commit", "-q", "-m", "the part"], True), (["gc", "-q"], False)):
            environment = {**base, "GIT_WORK_TREE": source} if needs_tree else base
            subprocess.run(["git", *words], env=environment, cwd=source, check=True, stdout=subprocess.DEVNULL)

    def read_all(self):
        """Brings the lower tree into the page cache: whoever is first would have to read it from the disk otherwise."""
        subprocess.run(["tar", "-C", self.lower, "-cf", "-", "."], stdout=subprocess.DEVNULL, check=True)

    def works(self, mountpoint):
        def at(*names):
            return os.path.join(mountpoint, *names)

        editor, new = self.bench.editor, at("new")
        part, name = at(self.part), os.path.basename(self.part)
        walk = [self.bench.reader, "walk", mountpoint]
        clone = ["git", "clone", "-q", "--no-hardlinks", self.repository, new]
        big, small = at("bench", "big"), at("bench", "random")
        size, created = self.scaled(SEQUENTIAL_MIB), self.scaled(CREATED)
        fill = [editor, "seq", small, str(self.scaled(RANDOM_FILE_MIB)), "1"]
        writes, every = str(self.scaled(RANDOM_WRITES)), str(RANDOM_SYNC_EVERY)
        entries = self.part_entries
        return (
            Work("untar", ["tar", "-C", new, "-xf", self.archive], ["new"], [["mkdir", new]], entries, times=True),
            Work("create in one folder", [editor, "create", new, str(created), "0"], ["new"], entries=created),
            Work("cp -a of lower", ["cp", "-a", part, new], ["new"], entries=entries, times=True),
            Work("rm -rf of lower", ["rm", "-rf", part], [self.part], entries=entries),
            Work("rm -rf of new", ["rm", "-rf", new], ["new"], [["cp", "-a", part, new]], entries),
            Work("chmod -R of lower", ["chmod", "-R", "o=", part], [self.part], entries=entries, times=True),
            Work("mv of a lower directory", ["mv", part, at("moved")], [self.part, "moved"], entries=entries),
            Work("append to big lower file", [editor, "append", big], ["bench/big"], is_large=True),
            Work("write", [editor, "seq", at("new"), str(size), "0"], ["new"], entries=size, is_large=True),
            Work("write, fsync", [editor, "seq", at("new"), str(size), "1"], ["new"], entries=size, is_large=True),
            Work("random write", [editor, "rand", small, writes, "0"], ["bench/random"], [fill], int(writes), is_large=True),
            Work("random write, fsync", [editor, "rand", small, writes, every], ["bench/random"], [fill], int(writes), is_large=True),
            Work("git clone", clone, ["new"], entries=entries),
            Work("git status", ["git", "-C", new, "status", "--porcelain"], ["new"], [clone], entries),
            Work("build", ["make", "-s", "-j2", "-C", at("bench", "project")], ["bench/project"], entries=self.scaled(SOURCES) + 1),
            Work("walk cold", walk, [], entries=self.lower_entries, is_cold=True),
            Work("walk warm", walk, [], [walk], self.lower_entries),
        )

    def many(self, mountpoint):
        """Words that change as many files as the bar of the server's memory names, and how many these are."""
        count = self.scaled(MANY)
        folders = max(1, count // MANY_FOLDER)
        return [self.bench.editor, "create", os.path.join(mountpoint, "many"), str(count), str(folders)], count


def write(path, text):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)


def count_entries(path):
    return sum(len(dirs) + len(names) for _, dirs, names in os.walk(path)) + 1


def find_part(lower, entries_max):
    """Relative path: the kernel's documentation where the tree has it, else the largest directory that is not too large."""
    counts = {}
    for folder, dirs, names in os.walk(lower, topdown=False):
        counts[folder] = 1 + len(names) + sum(counts.get(os.path.join(folder, d), 1) for d in dirs)
    fitting = {f: n for f, n in counts.items() if n <= entries_max and f != lower}
    if not fitting:
        raise Failed(f"no directory of {lower} has as few as {entries_max} entries")
    found = [f for f in glob.glob(os.path.join(lower, "*", "Documentation")) if f in fitting]
    return os.path.relpath(found[0] if found else max(sorted(fitting), key=fitting.get), lower)


def content_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        while piece := f.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def line_of(path, times):
    """What is the same in any file system.  Not the size of a directory, nor its time where a child changed after it was set."""
    st = os.lstat(path)
    fields = [oct(st.st_mode), st.st_uid, st.st_gid]
    if stat.S_ISREG(st.st_mode):
        fields += [st.st_size, content_of(path)]
    elif stat.S_ISLNK(st.st_mode):
        fields.append(os.readlink(path))
    elif not stat.S_ISDIR(st.st_mode):
        fields.append(st.st_rdev)
    if times:
        fields.append(st.st_mtime_ns)
    return " ".join(map(str, fields))


def tree_of(mountpoint, path, times):
    """{path: line} of a tree, or of one file, and the names beside it.  git's own files hold inode numbers and times."""
    top = os.path.join(mountpoint, path)
    parent = os.path.dirname(path)
    found = {f"names in '{parent}'": " ".join(sorted(os.listdir(os.path.join(mountpoint, parent))))}
    if not os.path.lexists(top):
        return found
    found[path] = line_of(top, False)
    for folder, dirs, names in os.walk(top):
        if ".git" in dirs:
            dirs.remove(".git")
        for name in dirs + names:
            full = os.path.join(folder, name)
            found[os.path.relpath(full, mountpoint)] = line_of(full, times)
    return found


def first_difference(one, other):
    """In words, or None."""
    for path in sorted(one.keys() | other.keys()):
        if one.get(path) != other.get(path):
            return f"{path}: {one.get(path, 'missing')} and {other.get(path, 'missing')}"
    return None
