# SPDX-License-Identifier: Apache-2.0
"""Reading a mounted image: shale beside squashfuse and the kernel's own squashfs and erofs.

Cold is a new mount after the caches were dropped, warm the same again on the same mount.  Pinned, server and client
share one processor: a lone client otherwise measures mostly how long an idle processor takes to wake up.
"""

import os
import shutil
import subprocess

from measure import Failed, Skip, cpu_of, memory_of, need, remove, say, servers_of
from pack import erofs_command, squashfs_command

PIN = 0  # the processor
WARM_TIMES = 3  # in a turn; they are short
RANDOM_READS = 2000  # by each reader, as many from any image
FIRST_BYTE_BAR_MS = 15
FIRST_BYTE_MILLION_BAR_MS = 40
WARM_BAR = 1.5  # of kernel squashfs
SEQUENTIAL_BAR, SEQUENTIAL_4_BAR = 700, 1300  # MB/s
RANDOM_BAR = 4000  # reads a second of one reader
SERVER_BAR_MIB = 32
CACHE_MIB = 32  # what the mount is given
READERS = 4

# How one reads a tree: (what, the reader's words before and after the directory).
TREE_WORK = (("walk", ["walk"], []), ("files", ["files"], [1]))
# And one big file: (what, words, readers).
FILE_WORK = (("seq 1", ["seq"], 1, []), ("seq 4", ["seq"], READERS, []),
             ("rand 1", ["rand"], 1, [RANDOM_READS]), ("rand 4", ["rand"], READERS, [RANDOM_READS]))


class Shale:
    name = "shale mount"

    def prepare(self, bench, tree, images):
        images["store"] = bench.path("store-" + tree.name)
        bench.run([bench.shale, "import", "-q", "--store", images["store"], "-t", "x", "dir:" + tree.path])

    def command(self, bench, images, mountpoint):
        return [bench.shale, "mount", "--cache", f"{CACHE_MIB}M", "--store", images["store"], "x", mountpoint]


class SquashfsImage:
    """Its users share one image."""

    def prepare(self, bench, tree, images):
        self.check(bench)
        if tree.name == "million":
            raise Skip("mksquashfs compares files of one size with each other, for hours where a million have it")
        if "squashfs" not in images:
            need("mksquashfs")
            path = bench.path(tree.name + ".squashfs")
            bench.run(squashfs_command(tree.path, path))
            images["squashfs"] = path


class Squashfuse(SquashfsImage):
    name = "squashfuse_ll"

    def check(self, bench):
        del bench
        need("squashfuse_ll")

    def command(self, bench, images, mountpoint):
        del bench
        return ["squashfuse_ll", images["squashfs"], mountpoint]


class KernelSquashfs(SquashfsImage):
    name = "kernel squashfs"

    def check(self, bench):
        check_kernel(bench, "squashfs")

    def command(self, bench, images, mountpoint):
        del bench
        return ["mount", "-t", "squashfs", "-o", "ro,loop", images["squashfs"], mountpoint]


class KernelErofs:
    name = "kernel erofs lz4"

    def prepare(self, bench, tree, images):
        check_kernel(bench, "erofs")
        need("mkfs.erofs")
        images["erofs"] = bench.path(tree.name + ".erofs")
        bench.run(erofs_command(tree.path, images["erofs"]))

    def command(self, bench, images, mountpoint):
        del bench
        return ["mount", "-t", "erofs", "-o", "ro,loop", images["erofs"], mountpoint]


TARGETS = (Shale(), Squashfuse(), KernelSquashfs(), KernelErofs())


def check_kernel(bench, name):
    if not bench.is_root:
        raise Skip("a loop mount needs root")
    with open("/proc/filesystems", encoding="ascii") as f:
        known = {line.split()[-1] for line in f}
    if name not in known and not os.path.isdir(f"/lib/modules/{os.uname().release}/kernel/fs/{name}"):
        raise Skip(f"this kernel has no {name}")


def read_program(name):
    """Brings a program and its libraries into the page cache, as any use of it does."""
    path = shutil.which(name)
    libraries = subprocess.run(["ldd", path], stdout=subprocess.PIPE, check=True, text=True).stdout
    for word in [path, *libraries.split()]:
        if word.startswith("/"):
            with open(word, "rb") as f:
                while f.read(1 << 20):
                    pass


class Reading:
    """One tree, its images, and who can be read."""

    def __init__(self, bench, tree, targets):
        self.bench = bench
        self.tree = tree
        self.images = {}
        self.targets = []
        self.mountpoint = bench.path("mnt")
        for target in targets:
            try:
                say(f"read {tree.name}: making the image for {target.name}")
                target.prepare(bench, tree, self.images)
                self.targets.append(target)
            except (Skip, Failed) as why:
                bench.skip(f"read {tree.name}, {target.name}", why)

    def close(self):
        for path in self.images.values():
            remove(path)

    def add(self, target, pinned, what, value):
        where = "pinned" if pinned else "free"
        self.bench.figures.add(("read", self.tree.name, target.name, where, what), value)

    def mount_cold(self, target, pinned):
        bench = self.bench
        bench.unmount(self.mountpoint)
        bench.drop_caches()
        return bench.mounted(self.mountpoint, target.command(bench, self.images, self.mountpoint),
                             cpu=PIN if pinned else None, first=os.path.join(self.mountpoint, self.tree.first))

    def work(self, target, pinned, state, what, words):
        """One pass of the reader; also the processor time of client and server together."""
        servers = servers_of(self.mountpoint)
        before = cpu_of(servers)
        count, size, seconds, cpu = self.bench.read(*words, cpu=PIN if pinned else None)
        cpu += cpu_of(servers) - before
        self.add(target, pinned, f"{what} {state}", seconds)
        self.add(target, pinned, f"{what} {state} cpu", cpu)
        return count, size, seconds

    def memory(self, target, pinned, what):
        for name, value in memory_of(servers_of(self.mountpoint)).items():
            self.add(target, pinned, f"{name} after {what}", value)

    def first_byte(self, target, pinned):
        """All cold, only the image cold, and again with programs and image in the page cache."""
        self.add(target, pinned, "first byte cold", self.mount_cold(target, pinned).first_byte)
        self.bench.unmount(self.mountpoint)
        self.bench.drop_caches()
        command = target.command(self.bench, self.images, self.mountpoint)
        read_program(command[0])
        for what in ("first byte", *["first byte warm"] * WARM_TIMES):
            sample = self.bench.mounted(self.mountpoint, command, cpu=PIN if pinned else None,
                                        first=os.path.join(self.mountpoint, self.tree.first))
            self.add(target, pinned, what, sample.first_byte)
            self.bench.unmount(self.mountpoint)

    def tree_once(self, target, pinned):
        self.first_byte(target, pinned)
        if self.tree.name == "million":
            return
        for what, before, after in TREE_WORK:
            words = [*before, self.mountpoint, *after]
            self.mount_cold(target, pinned)
            self.work(target, pinned, "cold", what, words)
            for _ in range(WARM_TIMES):
                self.work(target, pinned, "warm", what, words)
            self.memory(target, pinned, what)

    def file_once(self, target, pinned):
        path = os.path.join(self.mountpoint, "big")
        for what, before, readers, after in FILE_WORK:
            self.mount_cold(target, pinned)
            count, size, seconds = self.work(target, pinned, "cold", what, [*before, path, readers, *after])
            self.add(target, pinned, f"{what} rate", count / seconds if after else size / 1e6 / seconds)
            self.memory(target, pinned, what)

    def turn(self, number, pinned):
        # Nobody is always first after the images were written.
        first = number % max(1, len(self.targets))
        for target in self.targets[first:] + self.targets[:first]:
            say(f"read {self.tree.name}, turn {number + 1} of {self.bench.runs}, "
                f"{'pinned' if pinned else 'not pinned'}: {target.name}")
            try:
                (self.file_once if self.tree.name == "big" else self.tree_once)(target, pinned)
            except Failed as why:
                self.bench.skip(f"read {self.tree.name}, {target.name}", why)
                self.targets.remove(target)
            finally:
                self.bench.unmount(self.mountpoint)


def measure(bench, tree):
    reading = Reading(bench, tree, TARGETS)
    if not bench.can_drop:
        bench.skip(f"read {tree.name}", "only root can drop caches: cold is a new mount with a warm page cache")
    try:
        for number in range(bench.runs):
            for pinned in (True, False):
                reading.turn(number, pinned)
    finally:
        reading.close()


def figure(bench, tree, target, where, what):
    return bench.figures.get(("read", tree.name, target.name, where, what))


def bars(bench, tree, report):
    shale, kernel = TARGETS[0], TARGETS[2]

    def ratio(what):
        own, other = (figure(bench, tree, t, "pinned", what) for t in (shale, kernel))
        return own / other if own is not None and other else None

    if tree.name == "big":
        for what, limit, unit in (("seq 1", SEQUENTIAL_BAR, "MB/s"), ("seq 4", SEQUENTIAL_4_BAR, "MB/s"),
                                  ("rand 1", RANDOM_BAR, "reads/s")):
            report.bar("read", tree, f"{what} cold", figure(bench, tree, shale, "free", what + " rate"), ">=", limit, unit)
        last = "seq 4"
    else:
        first = figure(bench, tree, shale, "free", "first byte")
        report.bar("read", tree, "mount and first byte, cold image", None if first is None else first * 1000, "<=",
                   FIRST_BYTE_MILLION_BAR_MS if tree.name == "million" else FIRST_BYTE_BAR_MS, "ms")
        if tree.name == "million":
            return
        for what in ("walk", "files"):
            report.bar("read", tree, f"{what} cold, pinned, of kernel squashfs", ratio(what + " cold"), "<=", 1.0, "x")
            report.bar("read", tree, f"{what} warm, pinned, of kernel squashfs", ratio(what + " warm"), "<=", WARM_BAR, "x")
        last = "files"
    report.bar("read", tree, f"server's peak memory, cache of {CACHE_MIB} MiB included",
               figure(bench, tree, shale, "free", f"VmHWM after {last}"), "<=", SERVER_BAR_MIB + CACHE_MIB, "MiB")


def cell(value, scale=1, digits=2):
    return "" if value is None else f"{value * scale:.{digits}f}"


def tree_rows(bench, tree, where):
    for target in TARGETS:
        def get(what, target=target):
            return figure(bench, tree, target, where, what)

        if get("first byte") is None:
            continue
        first = [cell(get(f"first byte{state}"), 1000, 1) for state in (" cold", "", " warm")]
        if tree.name == "million":
            yield [target.name, *first]
            continue
        times = []
        for what in ("walk", "files"):
            for state in ("cold", "warm"):
                times.append(f"{cell(get(f'{what} {state}'), 1, 3)} ({cell(get(f'{what} {state} cpu'), 1, 3)})")
        yield [target.name, *first, *times,
               cell(get("VmHWM after files"), 1, 0), cell(get("RssAnon after files"), 1, 0)]


def file_rows(bench, tree, where):
    for target in TARGETS:
        def get(what, target=target):
            return figure(bench, tree, target, where, what)

        if get("seq 1 rate") is None:
            continue
        yield [target.name, *[cell(get(f"{what[0]} rate"), 1, 0) for what in FILE_WORK],
               cell(get("seq 1 cold cpu")), cell(get("rand 1 cold cpu")),
               cell(get("VmHWM after seq 4"), 1, 0), cell(get("RssAnon after seq 4"), 1, 0)]


def table(bench, tree, report):
    for where, words in (("pinned", "pinned to one processor"), ("free", "not pinned")):
        if tree.name == "big":
            report.table(f"Read, {words}: {tree.line()}", [
                "mount", "seq MB/s", f"seq MB/s, {READERS} readers", "4k random/s", f"4k random/s, {READERS} readers",
                "cpu s (seq)", "cpu s (random)", "server peak MiB", "server anon MiB",
            ], list(file_rows(bench, tree, where)))
        else:
            heads = ["mount", "first byte ms: all cold", "image cold", "warm"]
            if tree.name != "million":
                heads += ["walk cold s (cpu)", "walk warm s (cpu)", "read all cold s (cpu)", "read all warm s (cpu)",
                          "server peak MiB", "server anon MiB"]
            report.table(f"Read, {words}: {tree.line()}", heads, list(tree_rows(bench, tree, where)))
