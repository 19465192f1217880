# SPDX-License-Identifier: Apache-2.0
"""Changing an image: shale's edit mount beside the kernel's overlayfs and fuse-overlayfs.

Each kind of work has a new mount with an empty upper directory (a new session), on the same disk for all, after what was written before
is on that disk.  Lower trees are in the page cache, shale's as a blob.  The best of all turns is what is compared: what disturbs, on any
machine, only makes it slower.  Pinned, server and client share one processor.
"""

import os
import time

import edit_work
import fuse_requests
from measure import Failed, Skip, cpu_of, is_mounted, memory_of, need, remove, say, servers_of

PIN = 0  # the processor
CACHE_MIB = 32  # what shale's mount is given
# ext4 looks past inodes that were freed a moment ago when it makes a file, one by one: who comes after a large removal would pay for it.
EXT4_RECENT_S = 36  # 5 and the 30 in which metadata is written, of recently_deleted() in fs/ext4/ialloc.c
MEMORY_BAR_MIB = 64
# Of kernel overlayfs, pinned; overlayfs copies files for those below 1.
TIMES_BARS = {"untar": 1.5, "rm -rf of lower": 1.5, "git clone": 1.5, "create in one folder": 3.0,
              "chmod -R of lower": 0.5, "append to big lower file": 0.5, "mv of a lower directory": 0.5}
WORDS = {"pinned": "pinned to one processor", "free": "not pinned"}
# Each of a client's calls that a FUSE server hears of, on its own, is in one of these.
COUNTED = ("untar", "create in one folder", "cp -a of lower", "rm -rf of lower", "rm -rf of new", "chmod -R of lower",
           "mv of a lower directory", "append to big lower file", "write", "random write", "git clone", "git status", "build", "walk cold",
           "walk warm")


class Shale:
    name = "shale mount --edit"
    mounts = 0  # so far; each has a session of its own

    def prepare(self, bench, material):
        self.store = os.path.join(material.folder, "store")
        bench.run([bench.shale, "import", "-q", "--store", self.store, "-t", "x", "dir:" + material.lower])

    def command(self, bench, mountpoint):
        return [bench.shale, "mount", "--edit", "-q", "--cache", f"{CACHE_MIB}M", "--session", f"bench-{self.mounts}", "--store",
                self.store, "x", mountpoint]

    def clean(self, bench, number):
        bench.run([bench.shale, "session", "--store", self.store, "rm", "-f", f"bench-{number}"])

    def read_all(self, bench):
        bench.run(["tar", "-C", self.store, "-cf", "/dev/null", "."])


class Overlay:
    """What both overlay file systems share: directories for what is changed."""

    mounts = 0  # so far; each has directories of its own

    def prepare(self, bench, material):
        del bench
        self.check()
        self.lower = material.lower
        self.folder = os.path.join(material.folder, type(self).__name__)

    def directories(self):
        upper, work = (os.path.join(self.folder, str(self.mounts), name) for name in ("upper", "work"))
        for path in (upper, work):
            os.makedirs(path, exist_ok=True)
        return f"lowerdir={self.lower},upperdir={upper},workdir={work}"

    def clean(self, bench, number):
        del bench
        remove(os.path.join(self.folder, str(number)))

    def read_all(self, bench):
        del bench


class KernelOverlay(Overlay):
    name = "kernel overlayfs"

    def check(self):
        """Whether the kernel has it is seen when it is mounted."""

    def command(self, bench, mountpoint):
        del bench
        return ["mount", "-t", "overlay", "overlay", "-o", self.directories(), mountpoint]


class FuseOverlay(Overlay):
    name = "fuse-overlayfs"

    def check(self):
        need("fuse-overlayfs")

    def command(self, bench, mountpoint):
        del bench
        return ["fuse-overlayfs", "-o", self.directories(), mountpoint]


TARGETS = (KernelOverlay(), FuseOverlay(), Shale())
REFERENCE, PEER, OWN = (t.name for t in TARGETS)


class Editing:
    """One lower tree, and who makes it editable."""

    def __init__(self, bench, tree):
        self.bench = bench
        self.tree = tree
        self.mountpoint = bench.path("mnt")
        self.targets = []
        self.broken = set()  # (target, work) that failed once
        self.spent = []  # (target, number of its mount) to be removed
        say(f"edit {tree.name}: making what is edited")
        self.material = edit_work.Material(bench, tree, bench.scale)
        self.works = self.material.works(self.mountpoint)

    def prepare(self):
        for target in TARGETS:
            try:
                target.prepare(self.bench, self.material)
                try:
                    self.mount(target, None)
                finally:
                    self.bench.unmount(self.mountpoint)
                self.targets.append(target)
            except (Skip, Failed) as why:
                self.bench.skip(f"edit {self.tree.name}, {target.name}", why)
        self.clean()

    def close(self):
        self.bench.unmount(self.mountpoint)
        remove(self.material.folder)

    def key(self, target, where, work, what):
        return ("edit", self.tree.name, target.name, where, work.name, what)

    def mount(self, target, cpu):
        bench = self.bench
        self.begin(target)
        bench.mounted(self.mountpoint, target.command(bench, self.mountpoint), cpu=cpu)
        if not is_mounted(self.mountpoint):
            raise Failed(f"{target.name} did not mount")

    def begin(self, target):
        target.mounts += 1
        self.spent.append((target, target.mounts))

    def clean(self):
        """Removes what the mounts until now have changed."""
        while self.spent:
            target, number = self.spent.pop()
            target.clean(self.bench, number)

    def read_all(self):
        self.material.read_all()
        for target in self.targets:
            target.read_all(self.bench)

    def do(self, target, where, work):
        """The work once, on a new mount."""
        bench, cpu = self.bench, PIN if where == "pinned" else None
        self.mount(target, cpu)
        for command in work.before:
            bench.run(command, cpu=cpu)
        if work.is_cold:
            bench.drop_caches()
        else:
            bench.settle()
        servers = servers_of(self.mountpoint)
        before = cpu_of(servers)
        sample = bench.run(work.command, cpu=cpu)
        served = cpu_of(servers) - before
        for what, value in (("wall", sample.wall), ("cpu", sample.cpu + served), ("server cpu", served),
                            ("server peak", memory_of(servers).get("VmHWM", 0))):
            bench.figures.add(self.key(target, where, work, what), value)

    def look(self, work):
        return {k: v for path in work.checked
                for k, v in edit_work.tree_of(self.mountpoint, path, work.times).items()}

    def attempt(self, target, where, work, look):
        """What the mount shows afterwards, when `look`; None when the work failed, which is noted."""
        try:
            self.do(target, where, work)
            return self.look(work) if look else {}
        except (Failed, OSError) as why:
            self.bench.skip(f"edit {self.tree.name}, {target.name}, {work.name}", why)
            self.broken.add((target.name, work.name))
            return None
        finally:
            self.bench.unmount(self.mountpoint)
            if work.is_large:
                target.clean(self.bench, self.spent.pop()[1])

    def compare(self, work, seen):
        """Every other one with the kernel's overlayfs, once."""
        reference = seen.get(REFERENCE)
        if reference is None:
            return
        for name, found in seen.items():
            difference = edit_work.first_difference(reference, found) if found is not None else "it failed"
            if difference:
                self.bench.skip(f"edit {self.tree.name}, {work.name}, {name}", f"not what {REFERENCE} shows: {difference}")
            self.bench.figures.add(("edit", self.tree.name, name, "different", work.name), 1 if difference else 0)

    def turn(self, number, where):
        first = number % len(self.targets)
        if self.spent:
            say(f"edit {self.tree.name}: waiting {EXT4_RECENT_S} s after what was removed")
            self.clean()
            self.bench.settle()
            time.sleep(EXT4_RECENT_S)
        self.read_all()
        look = number == 0 and where == "free"
        for work in self.works:
            say(f"edit {self.tree.name}, turn {number + 1} of {self.bench.runs}, {WORDS[where]}: {work.name}")
            seen = {}
            for target in self.targets[first:] + self.targets[:first]:
                if (target.name, work.name) not in self.broken:
                    seen[target.name] = self.attempt(target, where, work, look)
            if look:
                self.compare(work, seen)
            if work.is_cold:
                self.read_all()

    def memory(self):
        """The server's peak after very many changes."""
        command, count = self.material.many(self.mountpoint)
        for target in self.targets[1:]:
            say(f"edit {self.tree.name}: memory after {count} changed files: {target.name}")
            try:
                self.mount(target, None)
                self.bench.run(command)
                for name, value in memory_of(servers_of(self.mountpoint)).items():
                    self.bench.figures.add(("edit", self.tree.name, target.name, "many", name), value)
            except Failed as why:
                self.bench.skip(f"edit {self.tree.name}, {target.name}, {count} changed files", why)
            finally:
                self.bench.unmount(self.mountpoint)
                self.clean()

    def requests(self):
        need("strace")
        for target in self.targets[1:]:
            for work in self.works:
                if work.name in COUNTED and (target.name, work.name) not in self.broken:
                    say(f"edit {self.tree.name}, requests: {target.name}, {work.name}")
                    self.count(target, work)

    def count(self, target, work):
        trace = None
        self.begin(target)
        try:
            trace = fuse_requests.Trace(self.bench, target.command(self.bench, self.mountpoint), self.mountpoint)
            for command in work.before:
                self.bench.run(command)
            if work.is_cold:
                self.bench.drop_caches()
            trace.count()
            self.bench.run(work.command)
            self.bench.figures.add(("edit", self.tree.name, target.name, "requests", work.name), trace.count())
        except Failed as why:
            self.bench.skip(f"edit {self.tree.name}, {target.name}, requests of {work.name}", why)
        finally:
            if trace:
                trace.close()
            self.clean()


def measure(bench, tree):
    try:
        if not bench.is_root:
            raise Skip("overlayfs on the whole machine's behalf needs root")
        editing = Editing(bench, tree)
    except Skip as why:
        bench.skip(f"edit {tree.name}", why)
        return
    try:
        editing.prepare()
        for number in range(bench.runs):
            for where in WORDS:
                editing.turn(number, where)
        editing.clean()
        editing.memory()
        editing.requests()
    except Skip as why:
        bench.skip(f"edit {tree.name}, requests", why)
    finally:
        editing.close()
    note = editing.material
    bench.figures.add(("edit", tree.name, "material"), (note.part_entries, [w.name for w in editing.works],
                                                        {w.name: w.entries for w in editing.works}, note.many("")[1]))


def best(bench, tree, name, where, work, what="wall"):
    spread = bench.figures.spread(("edit", tree.name, name, where, work, what))
    return spread[0] if spread else None


def median(bench, tree, name, where, work, what):
    return bench.figures.get(("edit", tree.name, name, where, work, what))


def ratio(one, other):
    return one / other if one is not None and other else None


def material_of(bench, tree):
    samples = bench.figures.samples.get(("edit", tree.name, "material"))
    return samples[0] if samples else None


def bars(bench, tree, report):
    for work, limit in TIMES_BARS.items():
        value = ratio(*(best(bench, tree, name, "pinned", work) for name in (OWN, REFERENCE)))
        report.bar("edit", tree, f"{work}, pinned, of {REFERENCE}", value, "<=", limit, "x")
    different = [values[0] for key, values in bench.figures.samples.items()
                 if key[:2] == ("edit", tree.name) and key[2:4] == (OWN, "different")]
    report.bar("edit", tree, f"works that end otherwise than on {REFERENCE}", sum(different) if different else None, "<=", 0, "works")
    report.bar("edit", tree, "server's peak memory after many changed files",
               bench.figures.get(("edit", tree.name, OWN, "many", "VmHWM")), "<=", MEMORY_BAR_MIB, "MiB")


def cell(value, digits=3):
    return "" if value is None else f"{value:.{digits}f}"


def mark(work, where, value):
    """A ratio, marked where it misses its bar."""
    limit = TIMES_BARS.get(work) if where == "pinned" else None
    return cell(value, 2) + (" MISSED" if value is not None and limit is not None and value > limit else "")


def time_rows(bench, tree, where, works):
    for work in works:
        walls = [best(bench, tree, name, where, work) for name in (REFERENCE, PEER, OWN)]
        if walls[2] is None:
            continue
        times = [f"{cell(w)} ({cell(median(bench, tree, name, where, work, 'wall'))})" if w is not None else ""
                 for w, name in zip(walls, (REFERENCE, PEER, OWN))]
        cpus = [cell(best(bench, tree, name, where, work, "cpu")) for name in (REFERENCE, PEER, OWN)]
        yield [work, *times, mark(work, where, ratio(walls[2], walls[0])), cell(ratio(walls[2], walls[1]), 2),
               cell(ratio(walls[1], walls[0]), 2), *cpus, cell(best(bench, tree, OWN, where, work, "server cpu")),
               cell(median(bench, tree, OWN, where, work, "server peak"), 0)]


def request_rows(bench, tree, works, entries):
    for work in works:
        for name in (PEER, OWN):
            samples = bench.figures.samples.get(("edit", tree.name, name, "requests", work))
            if samples:
                total = fuse_requests.total(samples[0])
                yield [work, name, str(entries[work]), str(total), f"{total / entries[work]:.3f}", fuse_requests.listing(samples[0])]


def memory_rows(bench, tree):
    for name in (PEER, OWN):
        values = [bench.figures.get(("edit", tree.name, name, "many", what)) for what in ("VmHWM", "VmRSS", "RssAnon")]
        if values[0] is not None:
            yield [name, *(cell(v, 1) for v in values)]


def table(bench, tree, report):
    material = material_of(bench, tree)
    if material is None:
        return
    part_entries, works, entries, many = material
    for where, words in WORDS.items():
        heads = ["work", "overlayfs s", "fuse-overlayfs s", "shale s", "shale x overlayfs", "shale x fuse-overlayfs",
                 "fuse-overlayfs x overlayfs", "overlayfs cpu s", "fuse-overlayfs cpu s", "shale cpu s", "of which server",
                 "server peak MiB"]
        report.table(f"Edit, {words}, best of {bench.runs} (median): {tree.line()}, a part of {part_entries}", heads,
                     list(time_rows(bench, tree, where, works)))
    report.table(f"Edit, requests: {tree.line()}", ["work", "mount", "entries or MiB", "requests", "for each", "of which"],
                 list(request_rows(bench, tree, works, entries)))
    report.table(f"Edit, server's memory after {many} changed files: {tree.line()}", ["mount", "peak MiB", "now MiB", "anon MiB"],
                 list(memory_rows(bench, tree)))
