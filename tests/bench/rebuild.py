# SPDX-License-Identifier: Apache-2.0
"""Building again from a context that has not changed: shale beside others who look at each file, from a warm page cache."""

import os

from measure import Failed, Skip, need, remove, say

WALL_BAR_S = 0.3  # for the tree src, of 80000 files
BARRED = "src"

OWN = "shale build"
GIT = "git update-index"
FIND = "find"

MANIFEST = "FROM scratch\nCOPY . /\n"


class Rebuilt:
    """A context that was built once, and is in git's index as well."""

    def __init__(self, bench, tree):
        self.folder = bench.path("rebuild")
        os.makedirs(self.folder)
        manifest, store, index = (os.path.join(self.folder, name) for name in ("Shalefile", "store", "git"))
        with open(manifest, "w", encoding="utf-8") as f:
            f.write(MANIFEST)
        git = ["git", f"--git-dir={index}", f"--work-tree={tree.path}"]
        self.first = [
            (OWN, [bench.shale, "build", "-q", "--store", store, "-f", manifest, "-t", "x", tree.path]),
            (GIT, ["git", "init", "-q", "--bare", index]),
            (GIT, [*git, "add", "--all", "--force"]),
        ]
        self.commands = [
            (OWN, self.first[0][1]),
            (GIT, [*git, "update-index", "-q", "--refresh"]),
            (FIND, ["find", tree.path, "-newer", manifest]),
        ]

    def start(self, bench):
        """Who cannot do it is left out."""
        need("git")
        for _, command in self.first:
            bench.run(command, cwd=self.folder)


def measure(bench, tree):
    made = Rebuilt(bench, tree)
    try:
        made.start(bench)
        for turn in range(bench.runs):
            for who, command in made.commands:
                say(f"rebuild {tree.name}, turn {turn + 1} of {bench.runs}: {who}")
                bench.settle()
                bench.run(command, cwd=made.folder)  # into the page cache
                sample = bench.run(command, cwd=made.folder)
                for what, value in {"wall": sample.wall, "cpu": sample.cpu, "rss": sample.rss_kib / 1024}.items():
                    bench.figures.add(("rebuild", tree.name, who, what), value)
    except (Skip, Failed) as why:
        bench.skip(f"rebuild {tree.name}", why)
    finally:
        remove(made.folder)


def bars(bench, tree, report):
    if tree.name == BARRED:
        report.bar("rebuild", tree, "wall, nothing changed", bench.figures.get(("rebuild", tree.name, OWN, "wall")), "<=", WALL_BAR_S, "s")


def table(bench, tree, report):
    rows = []
    base = bench.figures.get(("rebuild", tree.name, GIT, "wall"))
    for who in (OWN, GIT, FIND):
        wall, cpu, rss = (bench.figures.get(("rebuild", tree.name, who, what)) for what in ("wall", "cpu", "rss"))
        if wall is None:
            continue
        low, high = bench.figures.spread(("rebuild", tree.name, who, "wall"))
        rows.append([who, f"{wall:.3f}", f"{low:.3f} to {high:.3f}", f"{cpu:.3f}", f"{wall / base:.2f}" if base else "", f"{rss:.0f}"])
    report.table(f"Rebuild: {tree.line()}", ["tool", "wall s", "from, to", "cpu s", "wall x git", "peak MiB"], rows)
