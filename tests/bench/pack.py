# SPDX-License-Identifier: Apache-2.0
"""Packing a tree: shale beside what people would use instead, each from a warm page cache to a new file."""

import json
import os
import shlex
import time

from measure import Failed, Skip, need, remove, say

WALL_BAR = 0.8  # of the reference
CPU_BAR = 0.8
RSS_BAR_MIB = 100
GZIP_CPU_BAR = 0.5  # of tar and pigz
GZIP_SIZE_BAR = 1.01

# What an OCI packer has to do at the least: tar, compress, and hash the stream on both sides of the compression.
REFERENCE = """
mkfifo plain packed
{hash} <plain >diff_id &
{hash} <packed >digest &
tar -C {tree} -c . | tee plain | zstd -q -3 -T2 | tee packed >layer.tar.zst
wait
"""


class Shale:
    def __init__(self, compression=None):
        self.name = "shale import" + (f" ({compression})" if compression else "")
        self.options = ["--compression", compression] if compression else []

    def prepare(self, bench, folder, tree):
        del folder, tree
        if not os.access(bench.shale, os.X_OK):
            raise Skip(f"no program {bench.shale}")

    def command(self, bench, tree):
        return [bench.shale, "import", "-q", *self.options, "--store", "store", "-t", "x", "dir:" + tree.path]

    def size(self, folder):
        return layer_size(os.path.join(folder, "store"))


class Reference:
    """With the tools at hand everywhere, or with OpenSSL, whose SHA-256 uses what the processor has for it."""

    def __init__(self, hasher):
        self.hasher = hasher
        self.name = f"tar, zstd -3 -T2, 2 x {hasher.split()[0]}"

    def prepare(self, bench, folder, tree):
        del bench, folder, tree
        for program in ("tar", "zstd", self.hasher.split()[0]):
            need(program)

    def command(self, bench, tree):
        del bench
        return ["sh", "-e", "-c", REFERENCE.format(tree=shlex.quote(tree.path), hash=self.hasher)]

    def size(self, folder):
        return os.path.getsize(os.path.join(folder, "layer.tar.zst"))


class Pigz:
    """gzip by all processors, and not a hash of anything."""

    name = "tar, pigz -6"

    def prepare(self, bench, folder, tree):
        del bench, folder, tree
        for program in ("tar", "pigz"):
            need(program)

    def command(self, bench, tree):
        del bench
        return ["sh", "-e", "-c", f"tar -C {shlex.quote(tree.path)} -c . | pigz -6 >layer.tar.gz"]

    def size(self, folder):
        return os.path.getsize(os.path.join(folder, "layer.tar.gz"))


class Squashfs:
    name = "mksquashfs zstd-3"

    def prepare(self, bench, folder, tree):
        del bench, folder, tree
        need("mksquashfs")

    def command(self, bench, tree):
        del bench
        return squashfs_command(tree.path, "image.squashfs")

    def size(self, folder):
        return os.path.getsize(os.path.join(folder, "image.squashfs"))


class Erofs:
    name = "mkfs.erofs lz4"

    def prepare(self, bench, folder, tree):
        del bench, folder, tree
        need("mkfs.erofs")

    def command(self, bench, tree):
        del bench
        return erofs_command(tree.path, "image.erofs")

    def size(self, folder):
        return os.path.getsize(os.path.join(folder, "image.erofs"))


class Umoci:
    name = "umoci insert (gzip)"

    def prepare(self, bench, folder, tree):
        del tree
        need("umoci")
        for command in (["umoci", "init", "--layout", "layout"], ["umoci", "new", "--image", "layout:x"]):
            bench.run(command, cwd=folder)

    def command(self, bench, tree):
        command = ["umoci", "insert", "--image", "layout:x", tree.path, "/"]
        return command if bench.is_root else [*command[:2], "--rootless", *command[2:]]

    def size(self, folder):
        return layer_size(os.path.join(folder, "layout"))


REFERENCES = (Reference("sha256sum"), Reference("openssl dgst -sha256"))
OWN, OWN_GZIP, PIGZ = Shale(), Shale("gzip:6"), Pigz()
PACKERS = (*REFERENCES, OWN, Squashfs(), Erofs(), PIGZ, OWN_GZIP, Umoci())


def squashfs_command(tree, image):
    return ["mksquashfs", tree, image, "-comp", "zstd", "-Xcompression-level", "3", "-processors", "2", "-noappend",
            "-no-progress", "-quiet"]


def erofs_command(tree, image):
    return ["mkfs.erofs", "-zlz4", "--quiet", image, tree]


def layer_size(layout):
    """Bytes of the last layer of an OCI layout's only image."""
    def document(path):
        with open(path, encoding="utf-8") as f:
            return json.load(f)

    manifest = document(os.path.join(layout, "index.json"))
    while "layers" not in manifest:
        algorithm, _, encoded = manifest["manifests"][0]["digest"].partition(":")
        manifest = document(os.path.join(layout, "blobs", algorithm, encoded))
    return manifest["layers"][-1]["size"]


def once(bench, tree, packer):
    """One measured run in a folder of its own."""
    folder = bench.path("pack")
    remove(folder)
    os.makedirs(folder)
    try:
        packer.prepare(bench, folder, tree)
        command = packer.command(bench, tree)
        bench.settle()
        sample = bench.run(command, cwd=folder)
        figures = {"wall": sample.wall, "cpu": sample.cpu, "rss": sample.rss_kib / 1024,
                   "size": packer.size(folder), "sync": sync_all(folder)}
    finally:
        remove(folder)
    for what, value in figures.items():
        bench.figures.add(("pack", tree.name, packer.name, what), value)


def sync_all(folder):
    """Seconds until what a tool left behind is on the disk."""
    start = time.monotonic()
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    os.fsync(f.fileno())
    return time.monotonic() - start


def measure(bench, tree):
    bench.read("files", tree.path, 1)  # into the page cache
    packers = list(PACKERS)
    for turn in range(bench.runs):
        for packer in list(packers):
            say(f"pack {tree.name}, turn {turn + 1} of {bench.runs}: {packer.name}")
            try:
                once(bench, tree, packer)
            except (Skip, Failed) as why:
                bench.skip(f"pack {tree.name}, {packer.name}", why)
                packers.remove(packer)


def bars(bench, tree, report):
    def figure(packer, what):
        return bench.figures.get(("pack", tree.name, packer, what))

    def ratio(what, peer, packer=OWN):
        own, other = figure(packer.name, what), figure(peer, what)
        return own / other if own is not None and other else None

    report.bar("pack", tree, "wall, of the reference", ratio("wall", REFERENCES[0].name), "<=", WALL_BAR, "x")
    report.bar("pack", tree, "processor time, of the reference", ratio("cpu", REFERENCES[0].name), "<=", CPU_BAR, "x")
    # Trees of many files: one huge file is cut small, for reads in the middle of it.
    if tree.name != "big":
        report.bar("pack", tree, "wall, of mksquashfs", ratio("wall", Squashfs.name), "<=", 1.0, "x")
        report.bar("pack", tree, "layer, of the squashfs image", ratio("size", Squashfs.name), "<=", 1.0, "x")
        report.bar("pack", tree, "gzip layer, of pigz's", ratio("size", PIGZ.name, OWN_GZIP), "<=", GZIP_SIZE_BAR, "x")
    report.bar("pack", tree, "gzip, processor time, of tar and pigz", ratio("cpu", PIGZ.name, OWN_GZIP), "<=", GZIP_CPU_BAR, "x")
    for packer in (OWN, OWN_GZIP):
        report.bar("pack", tree, f"peak memory, {packer.name}", figure(packer.name, "rss"), "<=", RSS_BAR_MIB, "MiB")


def table(bench, tree, report):
    def figure(packer, what):
        return bench.figures.get(("pack", tree.name, packer.name, what))

    base = {what: figure(PACKERS[0], what) for what in ("wall", "cpu")}
    rows = []
    for packer in PACKERS:
        wall, cpu = figure(packer, "wall"), figure(packer, "cpu")
        if wall is None:
            continue
        low, high = bench.figures.spread(("pack", tree.name, packer.name, "wall"))
        rows.append([
            packer.name, f"{wall:.2f}", f"{low:.2f} to {high:.2f}", f"{figure(packer, 'sync'):.2f}", f"{cpu:.2f}",
            f"{wall / base['wall']:.2f}" if base["wall"] else "", f"{cpu / base['cpu']:.2f}" if base["cpu"] else "",
            f"{figure(packer, 'rss'):.0f}", f"{figure(packer, 'size') / 1e6:.1f}",
        ])
    report.table(f"Pack: {tree.line()}",
                 ["tool", "wall s", "from, to", "sync s", "cpu s", "wall x ref", "cpu x ref", "peak MiB", "output MB"], rows)
