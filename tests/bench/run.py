#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures shale beside its peers in one run, and holds the figures against the project's bars.

Usage: tests/bench/run.py [--trees minbase,usr,src,big,million] [--only pack,rebuild,export,read,requests,edit] [--runs N]
                          [--out FILE] [--work DIR] [--build DIR] [--big MIB] [--scale X] [--keep] [--timeout S]

    --trees    of tiny (for trying this program out), minbase, usr, src, big, million; default: all but tiny
    --only     parts: pack, rebuild, export, read, requests (FUSE requests for each operation), edit
    --runs     turns; in each, every tool has its turn; figures are medians (default 3)
    --out      also write the page, as docs/measurements.md is
    --work     where trees, images and mounts go (default $TMPDIR/shale-bench); 15 GiB with all trees
    --build    the build to measure (default: build)
    --big      size of the one file of the tree big, in MiB (default 2048)
    --scale    factor for how much edit does: 1 is what its bars are for, 0.05 tries it out (default 1)
    --keep     keep the trees for the next run; everything else is removed, also when this is interrupted
    --timeout  seconds after which one command is given up (default 1800)

A peer that is missing, or a right that is (root for loop mounts, dropping caches and strace), is a noted skip.
Measure on a machine that does nothing else.  Exit status: 0 all bars are met, 1 one is missed, 2 it did not come to that, 3 no bar is
missed but one was not measured.
"""

import argparse
import json
import os
import shlex
import signal
import sys
import tempfile

import edit
import export
import fuse_requests
import pack
import read
import rebuild
import report
import trees
from measure import Bench, Failed, Skip, remove, say

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PARTS = {"pack": pack, "rebuild": rebuild, "export": export, "read": read, "requests": fuse_requests, "edit": edit}
SPEED_SAMPLE = 32 << 20  # bytes of programs, for the processor's own rates
# Seconds for each GB and each 10000 entries of a tree and turn, all tools together, on two processors.
ESTIMATE = {"pack": (70, 5), "rebuild": (15, 2), "export": (20, 1), "read": (90, 25), "requests": (25, 15), "edit": (60, 15)}

PAGE = """# Measurements

Written by `{command}`: shale and its peers in one run, in turns, {runs} times; figures are medians.

Machine: {machine}.
Versions: {versions}.
One processor, during the run, in MB/s: {speeds}.

What the words mean:

- Pack starts from a tree in the page cache and ends when the command ends. sync is the time that it then takes to bring the output
  to the disk, which shale has done by then and the others have not. The reference (ref) is what an OCI packer has to do at the least: `tar`, `zstd -3 -T2`, and `sha256sum` on both
  sides of the compression; with `openssl dgst` instead it is shown, too. gzip is held against `tar` and `pigz -6` alone, who
  hash nothing. cpu is user and system time of all processes, peak MiB that of the largest one.
- Rebuild is a build of what was built before, from a context of which nothing has changed: each file is looked at, none is read.
  git update-index does the same for the files of its index, and find looks at each file and no more.
- Export starts from a store in the page cache. shale syncs what it writes to a file of its own, and not what goes to standard
  output; sync is the time that the output then takes to the disk. cp is of the layer's blob alone, which the OCI forms copy.
- Cold is a new mount after the kernel's caches were dropped; warm is the same work again on that mount. First byte: from the
  start of the mount command to a byte of a file in the middle of the tree; with everything cold, the programs themselves, too; with
  the image and its file system's tables cold and the programs used before; warm with everything in the page cache. Walk is `find -ls`; read all is the same and then open, read and close of
  every file. cpu is client and server; what the kernel's own threads do for its file systems is in none of the figures.
- Pinned: server and client on one processor. Otherwise a lone client measures mostly how long an idle processor takes to
  wake up.
- Edit: for each kind of work a new mount on which nothing is changed yet, all on one disk and after it is idle. The lower tree is in
  the page cache, except for the cold walk. Best of all turns, and in brackets the median. A part is the subtree that is unpacked, copied, cloned and removed.
  What the kernel's overlayfs copies up it also syncs, which the others do not; where a mount says EXDEV to the rename of a directory, `mv`
  copies it. The build is `make -j2` with the host's compiler, its sources and objects on the mount. cpu is client and server. Requests are
  counted on mounts of their own, under strace.
- shale hashes all that it reads; none of the others does.
{skips}
"""


def parse_arguments(argv):
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].replace("Usage: ", ""), description=__doc__.split("\n")[0])
    parser.add_argument("--trees", default="minbase,usr,src,big,million")
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--out")
    parser.add_argument("--work", default=os.path.join(tempfile.gettempdir(), "shale-bench"))
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--big", type=int, default=2048)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--timeout", type=int, default=1800)
    args = parser.parse_args(argv)
    args.trees = args.trees.split(",")
    args.only = args.only.split(",")
    for word, known in [(t, trees.NAMES) for t in args.trees] + [(p, PARTS) for p in args.only]:
        if word not in known:
            parser.error(f"'{word}' is none of {', '.join(known)}")
    if args.runs < 1 or args.big < 2 or args.timeout < 1 or not 0 < args.scale <= 100:
        parser.error("--runs, --big and --timeout take numbers from 1 (--big from 2), --scale one above 0 and up to 100")
    return args


def check_build(build):
    """The program; figures of a sanitizer's build would mean nothing."""
    shale = os.path.join(build, "cli", "shale")
    if not os.access(shale, os.X_OK):
        raise Failed(f"no program {shale}; build one first, or name its build with --build")
    options = os.path.join(build, "meson-info", "intro-buildoptions.json")
    if os.path.exists(options):
        with open(options, encoding="utf-8") as f:
            chosen = {o["name"]: o["value"] for o in json.load(f)}
        if chosen.get("b_sanitize", "none") != "none" or str(chosen.get("optimization")) == "0":
            raise Failed(f"{build} is a build with sanitizers or without optimisation")
    return shale


def parts_of(tree, only):
    # One big file says nothing about requests for each entry, and a million small ones are there to be mounted.
    unfit = {"big": ("requests", "rebuild", "edit"), "million": ("requests", "pack", "export", "edit")}
    return [p for p in only if p not in unfit.get(tree.name, ())]


def estimate(made, args):
    seconds = 0.0
    for tree in made:
        for part in parts_of(tree, args.only):
            a_gb, a_10k = ESTIMATE[part]
            turns = 1 if part == "requests" else args.runs * args.scale if part == "edit" else args.runs
            seconds += turns * (a_gb * tree.bytes / 1e9 + a_10k * tree.entries / 1e4)
    say(f"about {max(1, round(seconds / 60))} minutes")


def make_trees(bench, args):
    made = []
    for name in args.trees:
        try:
            made.append(trees.make(bench.work, name, args.big))
        except (Skip, Failed) as why:
            bench.skip(f"tree {name}", why)
    return made


def write_page(path, bench, results, speeds, argv):
    skips = "".join(f"- Not measured: {s}.\n" for s in bench.skips)
    # Where this machine keeps its things is nobody's business.
    words = [w for w in argv if not w.startswith(("--work", "--build", "--keep", "--out"))]
    text = PAGE.format(command=" ".join(["tests/bench/run.py", *map(shlex.quote, words)]), runs=bench.runs,
                       machine=report.machine(bench.work), versions=report.versions(bench.shale),
                       speeds=report.speeds(speeds), skips=skips)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text + "\n" + results.text())


def joined(argv):
    """--name value as --name=value, so that a word carries its value."""
    out = []
    for word in argv:
        if out and out[-1].startswith("--") and "=" not in out[-1] and not word.startswith("--"):
            out[-1] += "=" + word
        else:
            out.append(word)
    return out


def measure(bench, args, speeds):
    """The report; what the processor did between the measurements is added to speeds."""
    made = make_trees(bench, args)
    estimate(made, args)
    sample = bench.path("speed")
    with open(sample, "wb") as out:
        trees.write_binaries(out, SPEED_SAMPLE)
    speeds.append(report.speed(sample))
    for tree in made:
        for part in parts_of(tree, args.only):
            PARTS[part].measure(bench, tree)
            speeds.append(report.speed(sample))
    results = report.Report()
    for tree in made:
        for part in parts_of(tree, args.only):
            PARTS[part].table(bench, tree, results)
            PARTS[part].bars(bench, tree, results)
    return results


def interrupted(number, _):
    raise KeyboardInterrupt(number)


def main(argv):
    args = parse_arguments(argv)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    bench = None
    try:
        bench = Bench(args.work, check_build(args.build), args.runs, args.timeout, args.scale)
        bench.strip_program()
        speeds = []
        results = measure(bench, args, speeds)
        if args.out:
            write_page(args.out, bench, results, speeds, joined(argv))
    except (Failed, OSError) as why:
        say(f"run.py: {why}")
        return 2
    except KeyboardInterrupt:
        say("interrupted")
        return 2
    finally:
        if bench:
            bench.close()
            if not args.keep:
                remove(os.path.join(bench.work, "trees"))
    print(results.text())
    for line in bench.skips:
        print(f"not measured: {line}")
    missed, unknown = len(results.verdicts("MISSED")), len(results.verdicts("not measured"))
    print(f"{len(results.bars) - missed - unknown} of {len(results.bars)} bars are met, {missed} missed, {unknown} not measured")
    return 1 if missed else 3 if unknown else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
