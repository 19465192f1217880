# SPDX-License-Identifier: Apache-2.0
"""The trees that are measured.  Each is made once in the working directory, the same way on any machine that has
the same /usr, and used again by later runs."""

import glob
import hashlib
import json
import os
import random
import shutil
import stat
import subprocess

from measure import Failed, Skip, have, need, remove, say

MIB = 1024 * 1024
USR_ENTRIES = 81000
USR_BYTES = 2650 * 1000 * 1000
TINY_ENTRIES = 3000
TINY_BYTES = 60 * 1000 * 1000
BIG_SEED = 20
MANY_FOLDERS, MANY_FILES = 1000, 999  # with the folders a million entries
NAMES = ("tiny", "minbase", "usr", "src", "big", "million")


class Tree:
    """A directory, how much is in it, and a file in it whose first byte is read after a mount."""

    def __init__(self, name, path, facts):
        self.name = name
        self.path = path
        self.entries = facts["entries"]
        self.bytes = facts["bytes"]
        self.first = facts["first"]

    def line(self):
        return f"{self.name}: {self.entries} entries, {self.bytes / 1e6:.0f} MB of content"


def facts_of(path):
    """The file in the middle of the sorted names is as deep as most are."""
    entries, size, files = 0, 0, []
    for folder, dirs, names in os.walk(path):
        entries += len(dirs) + len(names)
        for name in names:
            full = os.path.join(folder, name)
            st = os.lstat(full)
            if stat.S_ISREG(st.st_mode) and st.st_size > 0:
                size += st.st_size
                files.append(os.path.relpath(full, path))
    if not files:
        raise Failed(f"no files in {path}")
    files.sort()
    return {"entries": entries, "bytes": size, "first": files[len(files) // 2]}


def make_minbase(path, _):
    """Debian's smallest useful system, from where this machine takes its packages."""
    need("mmdebstrap")
    sources = [f for f in ["/etc/apt/sources.list", *sorted(glob.glob("/etc/apt/sources.list.d/*.sources")),
                           *sorted(glob.glob("/etc/apt/sources.list.d/*.list"))] if os.path.exists(f)]
    if not sources:
        raise Skip("this machine has no apt sources")
    command = ["mmdebstrap", "--quiet", "--variant=minbase", "", path, *sources]
    if subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode != 0:
        raise Skip("mmdebstrap failed")


def folders_of(root):
    """Directories with files and links of their own, in an order that has nothing to do with their names."""
    for folder, dirs, names in os.walk(root):
        dirs[:] = [d for d in dirs if not os.path.ismount(os.path.join(folder, d))]
        if names:
            yield folder, names


def link_or_copy(source, target):
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def make_parents(folder, path):
    """The same directories with the same modes and times below `path`."""
    target = path + folder
    if not os.path.isdir(target):
        if folder != "/":
            make_parents(os.path.dirname(folder), path)
        os.makedirs(target, exist_ok=True)
    return target


def copy_of_usr(path, entries_max, bytes_max):
    """Whole directories of /usr, by the hash of their names, as long as both budgets allow."""
    entries, size, taken = 0, 0, []
    chosen = sorted(folders_of("/usr"), key=lambda f: hashlib.sha256(os.fsencode(f[0])).digest())
    for folder, names in chosen:
        weight = sum(os.lstat(os.path.join(folder, n)).st_size for n in names)
        if entries + len(names) + 1 > entries_max or size + weight > bytes_max:
            continue
        entries += len(names) + 1
        size += weight
        target = make_parents(folder, path)
        for name in names:
            link_or_copy(os.path.join(folder, name), os.path.join(target, name))
        taken.append(folder)
    # From below, as a directory's time changes with each name in it.
    made = {f for t in taken for f in ancestors(t)}
    for folder in sorted(made, reverse=True):
        shutil.copystat(folder, path + folder)


def ancestors(folder):
    while folder != "/":
        yield folder
        folder = os.path.dirname(folder)


def make_usr(path, _):
    copy_of_usr(path, USR_ENTRIES, USR_BYTES)


def make_tiny(path, _):
    copy_of_usr(path, TINY_ENTRIES, TINY_BYTES)


def linux_source(scratch):
    """The tar archive of a linux-source package, installed or downloaded."""
    found = sorted(glob.glob("/usr/src/linux-source-*.tar.*"))
    if found:
        return found[-1]
    if not (have("apt-get") and have("apt-cache") and have("dpkg-deb")):
        raise Skip("no linux-source package is installed, and this is no Debian")
    out = subprocess.run(["apt-cache", "depends", "linux-source"], capture_output=True, text=True, check=False).stdout
    names = [line.split()[1] for line in out.split("\n") if line.strip().startswith("Depends: linux-source-")]
    os.makedirs(scratch, exist_ok=True)
    if not names or subprocess.run(["apt-get", "download", "-qq", names[0]], cwd=scratch, check=False).returncode != 0:
        raise Skip("no linux-source package is installed, and none can be downloaded")
    package = glob.glob(os.path.join(scratch, "linux-source-*.deb"))[0]
    subprocess.run(["dpkg-deb", "-x", package, scratch], check=True)
    os.unlink(package)
    found = sorted(glob.glob(os.path.join(scratch, "usr/src/linux-source-*.tar.*")))
    if not found:
        raise Skip("the linux-source package holds no archive")
    return found[-1]


def make_src(path, _):
    scratch = path + ".package"
    try:
        archive = linux_source(scratch)
        subprocess.run(["tar", "-C", path, "--no-same-owner", "-xf", archive], check=True)
    finally:
        remove(scratch)


def write_binaries(out, size):
    """The programs and libraries of /usr one after the other, again from the start when they are too few."""
    names = sorted(os.path.join(folder, name) for top in ("/usr/bin", "/usr/lib")
                   for folder, _, files in os.walk(top) for name in files if top == "/usr/bin" or ".so" in name)
    names = [n for n in names if os.path.isfile(n) and not os.path.islink(n)]
    while size > 0:
        before = size
        for name in names:
            with open(name, "rb") as f:
                while size > 0 and (piece := f.read(min(MIB, size))):
                    out.write(piece)
                    size -= len(piece)
        if size == before:
            raise Skip("/usr holds no programs")


def make_big(path, size_mib):
    half = size_mib * MIB // 2
    with open(os.path.join(path, "big"), "wb") as out:
        write_binaries(out, half)
        chance = random.Random(BIG_SEED)
        for _ in range(half // MIB):
            out.write(chance.randbytes(MIB))


def make_million(path, _):
    """Small files with no two alike: their names and places are what counts."""
    for i in range(MANY_FOLDERS):
        folder = os.path.join(path, f"folder-{i:04d}")
        os.mkdir(folder)
        for k in range(MANY_FILES):
            with open(os.path.join(folder, f"file-{k:04d}.txt"), "w", encoding="ascii") as f:
                f.write(f"{i} {k}\n")


MAKERS = {"tiny": make_tiny, "minbase": make_minbase, "usr": make_usr, "src": make_src, "big": make_big,
          "million": make_million}


def make(work, name, big_mib):
    """The tree, made now or by an earlier run.  Skip: it cannot be made here."""
    folder = os.path.join(work, "trees")
    label = f"big-{big_mib}" if name == "big" else name
    path = os.path.join(folder, label)
    note = path + ".json"
    if os.path.exists(note):
        with open(note, encoding="utf-8") as f:
            return Tree(name, path, json.load(f))
    say(f"making the tree '{name}'")
    remove(path)
    os.makedirs(path)
    os.chmod(path, 0o755)
    try:
        MAKERS[name](path, big_mib)
        facts = facts_of(path)
    except BaseException:
        remove(path)
        raise
    # Last: a tree without its note is half made.
    with open(note, "w", encoding="utf-8") as f:
        json.dump(facts, f)
    return Tree(name, path, facts)
