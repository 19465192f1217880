# SPDX-License-Identifier: Apache-2.0
"""Exporting an image: each form beside `cp` of the layer's blob, from a warm page cache, to the same file system."""

import os
import shlex

from measure import Failed, Skip, remove, say
from pack import sync_all

SPEED_BAR = 0.8  # of cp, for the form that copies the blob as it is
RSS_BAR_MIB = 64

CP = "cp of the blob"
STREAM = "oci-archive:- >FILE"  # is not synced, as cp is not
SYNCED = "oci-archive:FILE"
FORMS = (SYNCED, "oci:DIR", "docker-archive:FILE", "rootfs:FILE")


def commands(bench, store, blob):
    export = [bench.shale, "export", "-q", "--store", store, "x"]
    yield CP, ["cp", blob, "out"]
    yield STREAM, ["sh", "-c", shlex.join([*export, "oci-archive:-"]) + " >out"]
    for form in FORMS:
        yield form, [*export, form.split(":")[0] + ":out"]


def once(bench, tree, who, command):
    folder = bench.path("export")
    remove(folder)
    os.makedirs(folder)
    try:
        bench.settle()
        sample = bench.run(command, cwd=folder)
        synced = sync_all(folder)
        size = sum(os.path.getsize(os.path.join(where, name)) for where, _, names in os.walk(folder) for name in names)
    finally:
        remove(folder)
    for what, value in {"wall": sample.wall, "cpu": sample.cpu, "rss": sample.rss_kib / 1024, "sync": synced,
                        "both": sample.wall + synced, "size": size}.items():
        bench.figures.add(("export", tree.name, who, what), value)


def largest_blob(store):
    folder = os.path.join(store, "blobs", "sha256")
    return max((os.path.join(folder, name) for name in os.listdir(folder)), key=os.path.getsize)


def measure(bench, tree):
    store = bench.path("export-store")
    try:
        bench.run([bench.shale, "import", "-q", "--store", store, "-t", "x", "dir:" + tree.path])
        blob = largest_blob(store)
        bench.read("files", os.path.dirname(blob), 1)  # into the page cache
        for turn in range(bench.runs):
            for who, command in commands(bench, store, blob):
                say(f"export {tree.name}, turn {turn + 1} of {bench.runs}: {who}")
                once(bench, tree, who, command)
    except (Skip, Failed) as why:
        bench.skip(f"export {tree.name}", why)
    finally:
        remove(store)


def bars(bench, tree, report):
    def figure(who, what):
        return bench.figures.get(("export", tree.name, who, what))

    def speed(who, what):
        own, other = figure(who, what), figure(CP, what)
        return other / own if own and other else None

    report.bar("export", tree, "speed of cp, neither synced", speed(STREAM, "wall"), ">=", SPEED_BAR, "x")
    report.bar("export", tree, "speed of cp, both synced", speed(SYNCED, "both"), ">=", SPEED_BAR, "x")
    for form in (STREAM, *FORMS):
        report.bar("export", tree, f"peak memory, {form}", figure(form, "rss"), "<=", RSS_BAR_MIB, "MiB")


def table(bench, tree, report):
    rows = []
    for who in (CP, STREAM, *FORMS):
        key = ("export", tree.name, who)
        figures = {what: bench.figures.get((*key, what)) for what in ("wall", "sync", "cpu", "rss", "size")}
        if figures["wall"] is None:
            continue
        low, high = bench.figures.spread((*key, "wall"))
        rows.append([who, f"{figures['wall']:.2f}", f"{low:.2f} to {high:.2f}", f"{figures['sync']:.2f}", f"{figures['cpu']:.2f}",
                     f"{figures['rss']:.0f}", f"{figures['size'] / 1e6:.1f}"])
    report.table(f"Export: {tree.line()}", ["to", "wall s", "from, to", "sync s", "cpu s", "peak MiB", "output MB"], rows)
