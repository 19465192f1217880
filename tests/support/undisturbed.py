# SPDX-License-Identifier: Apache-2.0
"""What the programs that disturb a command of shale share: a fresh copy of what it starts from, what it does undisturbed, and
whether all is whole after it was disturbed.

What is left is looked at once: many disturbances leave the same, and then fsck, the next run and gc do the same.
"""
import hashlib
import os
import re
import shutil
import stat
import subprocess
import sys

NOT_FOUND = 8
SHOWN = 500  # bytes

WORK = os.path.abspath("work")
STORE = os.path.join(WORK, "store")
# What only looks is not looked at for leaks: that takes most of its time.
ENV = {
    **os.environ,
    "SHALE_STORE": STORE,
    "WORK": WORK,
    "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0",
}

# Names that a process leaves which is killed: a file that was about to replace another (base/tmpfile.h, fs/copy_out.c), and
# a lease.
LITTER = re.compile(r"(^|/)\.shale-[0-9a-f]{16}(\.tmp)?$")
LEASE = re.compile(r"^store/shale/leases/\d+-[0-9a-f]{16}$")
# What a build remembers (store/builds.c): the digest of the rest, and which file each layer's blob was, its inode and times.
BUILDS = os.path.join(STORE, "shale/builds")
STAMP = re.compile(rb"\d+ \d+\.\d{9} \d+\.\d{9}")


def run(command, env=None):
    return subprocess.run(
        command, env=env or ENV, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False
    )


def fresh(pristine):
    shutil.rmtree(WORK, ignore_errors=True)
    shutil.copytree(pristine, WORK, symlinks=True)


def names():
    """All files below WORK, after gc.  It does not come to what a command was writing outside of the store."""
    collected = run(["shale", "gc"])
    if collected.returncode != 0:
        fail(f"gc ended with {collected.returncode}: {collected.stderr.decode()}")
    return {path for path, what in tree().items() if not is_folder(what) and (is_of_store(path) or not LITTER.search(path))}


def fail(text):
    sys.exit(f"FAIL: {text}")


def shown(output):
    """What a command printed, or the end of it."""
    return repr(output if len(output) <= SHOWN else b"..." + output[-SHOWN:])


def is_of_store(path):
    return path == "store" or path.startswith("store/")


def stamps():
    """Those of all blobs, as they are now."""
    found = set()
    for blob in os.scandir(os.path.join(STORE, "blobs/sha256")):
        st = blob.stat()
        times = [f"{ns // 10**9}.{ns % 10**9:09}" for ns in (st.st_mtime_ns, st.st_ctime_ns)]
        found.add(" ".join([str(st.st_ino), *times]).encode())
    return found


def content(path):
    """What a file holds; of digest and stamps in BUILDS only whether they are right."""
    with open(path, "rb") as f:
        read = f.read()
    head, _, rest = read.partition(b"\n")
    if path != BUILDS or head.decode("latin-1") != "sha256:" + hashlib.sha256(rest).hexdigest():
        return read
    right = stamps()
    return STAMP.sub(lambda m: b"right" if m[0] in right else b"stale", rest)


def describe(path):
    """Kind, mode and content of a file, in a word that tells it from all others."""
    st = os.lstat(path)
    if stat.S_ISREG(st.st_mode):
        what = hashlib.sha256(content(path)).hexdigest()
    else:
        what = os.readlink(path) if stat.S_ISLNK(st.st_mode) else ""
    return f"{st.st_mode:o} {what}"


def tree():
    """Path below WORK -> what is there, of all files and folders."""
    return {
        os.path.relpath(path, WORK): describe(path)
        for folder, folders, files in os.walk(WORK)
        for path in (os.path.join(folder, name) for name in folders + files)
    }


def state(here):
    """What tree() found, in one digest; the part of a name that is drawn by lot does not count."""
    lines = sorted(f"{LITTER.sub('litter', LEASE.sub('lease', path))} {what}" for path, what in here.items())
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def is_folder(what):
    return stat.S_ISDIR(int(what.split()[0], 8))


def outside(here):
    """What is not the store's: where exports and copies go."""
    return {path: what for path, what in here.items() if not is_of_store(path)}


def files(here):
    return {path: what for path, what in here.items() if not is_folder(what) and not LITTER.search(path)}


def take_arguments(parser):
    """Those that the programs have in common."""
    parser.add_argument("--once", action="store_true", help="the command has nothing to do, and says so, when it is done")
    parser.add_argument("--derived", action="store_true", help="what is derived may be missing after it, until it is used")
    parser.add_argument("name")
    parser.add_argument("pristine")
    parser.add_argument("command", nargs="+")


class Reference:
    """What the command does when nobody disturbs it."""

    def __init__(self, options):
        self.command, self.once, self.derived = options.command, options.once, options.derived
        fresh(options.pristine)
        self.old = outside(tree())
        done = run(self.command)
        if done.returncode != 0:
            fail(f"'{' '.join(self.command)}' ended with {done.returncode}: {done.stderr.decode()}")
        self.new = outside(tree())
        self.output = done.stdout
        self.names = names()
        self.summary = summary("undisturbed")
        self.states = set()  # of which all is known


def summary(place):
    """The last line of fsck, which counts what it found; --read-data compares all that is derived."""
    checked = run(["shale", "fsck", "--read-data", "-q"])
    if checked.returncode != 0:
        fail(f"{place}: the last fsck ended with {checked.returncode}: {checked.stdout.decode()}")
    return checked.stdout.splitlines()[-1]


def check_outside(reference, here, place):
    """Each file outside of the store is what it was, or what it should be, and a layout that names the image has all of it."""
    old, new, now = files(reference.old), files(reference.new), files(outside(here))
    for path, what in now.items():
        if what not in (old.get(path), new.get(path)):
            fail(f"{place}: '{path}' is neither what it was nor what it should be")
    if lost := [path for path in old if path in new and path not in now]:
        fail(f"{place}: took away {lost}")
    for path in (p for p in new if os.path.basename(p) == "index.json"):
        if now.get(path) == new[path] != old.get(path) and (lacks := [p for p in new if now.get(p) != new[p]]):
            fail(f"{place}: '{path}' names an image without {lacks}")


def check_taken_away(reference, here, place):
    """Who lives leaves what was there, or what he should make, and nothing between."""
    now = outside(here).keys()
    if now not in (reference.old.keys(), reference.new.keys()):
        fail(f"{place}: left {now - reference.old.keys()}, lacks {reference.new.keys() - now}")


def check_success(done, reference, place):
    """Who goes on after a fault prints what he would have."""
    if done.stdout != reference.output and not reference.once:
        fail(f"{place}: succeeded with {shown(done.stdout)}")


def is_derived(path):
    return path.startswith(("store/shale/catalogs/", "store/shale/layers/"))


def check_store(reference, place):
    """fsck finds nothing, the same command works, and gc leaves no litter.  Whether this was not known yet."""
    found = state(tree())
    if found in reference.states:
        return False
    checked = run(["shale", "fsck"])
    if checked.returncode not in (0, NOT_FOUND):
        fail(f"{place}: fsck ended with {checked.returncode}: {(checked.stdout + checked.stderr).decode()}")
    again = run(reference.command)
    if again.returncode != 0 and not (reference.once and again.returncode == NOT_FOUND):
        fail(f"{place}: the next run ended with {again.returncode}: {again.stderr.decode()}")
    if again.stdout != reference.output and not reference.once:
        fail(f"{place}: the next run printed {shown(again.stdout)}, not {shown(reference.output)}")
    left = names()
    lost = {path for path in reference.names - left if not (reference.derived and is_derived(path))}
    if lost or left - reference.names:
        fail(f"{place}: files too many: {left - reference.names}, missing: {lost}")
    if (written := files(outside(tree()))) != files(reference.new):
        fail(f"{place}: the next run wrote {written}, not {files(reference.new)}")
    if (last := summary(place)) != reference.summary:
        fail(f"{place}: the last fsck found {last}, not {reference.summary}")
    reference.states.add(found)
    return True
