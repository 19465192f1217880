#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Flips bits of, and cuts short, the files of a store, and looks what shale makes of it.

Usage: flips.py (flips | cuts | mounts) STORE IMAGE COUNT SEED --key KEY.pub

STORE holds IMAGE, signed, with its catalog, and layers of both kinds (with and without an index).  COUNT changes
are made, one at a time, spread over all blobs, derived files and catalogs.  After each:

- `shale cat` of all files prints what it printed, or a beginning of it and an error; `shale ls -R` what it printed,
  or an error;
- for a blob: `shale fsck --read-data` ends with 5, `shale verify` (which has no use for the config of a signature)
  with 5 or 6;
- for what is derived: `shale fsck --read-data` ends with 0 and a finding, `cat` and `ls` are right, and so is
  `shale verify`.

With `mounts` they are flips that are looked at through a mount of IMAGE instead: it is refused with 5, or names, metadata,
links and content are what they were, or EIO; and of what is derived all is right.

Works on copies of STORE, one for each processor.
"""
import argparse
import collections
import concurrent.futures
import errno
import json
import os
import random
import shutil
import stat
import subprocess
import sys
import time

DAMAGED, UNTRUSTED, IN_USE = 5, 6, 9
READ_STEP = 16 * 1024
REFUSALS = (3, 4, DAMAGED, UNTRUSTED, 8)


def fail(text):
    sys.exit(f"FAIL: {text}")


class Worker:
    """One copy of the store."""

    def __init__(self, options, number):
        self.options = options
        self.store = os.path.abspath(f"copy{number}")
        shutil.copytree(options.store, self.store, symlinks=True)
        self.paths = self.list_files()
        self.cat = self.shale("cat", options.image, *self.paths)
        self.ls = self.shale("ls", "-R", "--json", options.image)
        self.verified = self.shale("verify", "-q", "--key", options.key, options.image)
        checked = self.shale("fsck", "--read-data", "--json")
        if any(run.returncode for run in (self.cat, self.ls, self.verified, checked)):
            fail(f"the store is not whole: {checked.stdout.decode()}")
        self.pristine = self.read_all()
        self.unverified = self.signature_configs()

    def shale(self, command, *arguments):
        return subprocess.run(
            ["shale", command, "--store", self.store, *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=300,
        )

    def list_files(self):
        listed = self.shale("ls", "-R", "--json", self.options.image)
        return [f["path"] for f in json.loads(listed.stdout) if f["type"] == "-"]

    def read_all(self):
        found = {}
        for folder in ("blobs/sha256", "shale/layers", "shale/catalogs"):
            for name in sorted(os.listdir(os.path.join(self.store, folder))):
                with open(os.path.join(self.store, folder, name), "rb") as f:
                    found[f"{folder}/{name}"] = f.read()
        return found

    def signature_configs(self):
        """A signature is in its artifact's manifest and payload; the config says nothing."""
        found = set()
        for name, data in self.pristine.items():
            if name.startswith("blobs/") and b"simplesigning" in data and data.startswith(b"{"):
                found.add("blobs/" + json.loads(data)["config"]["digest"].replace(":", "/"))
        return found

    def put(self, name, data):
        path = os.path.join(self.store, name)
        if os.path.exists(path):
            os.remove(path)
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, 0o444)

    def check(self, name, data, place):
        """With `name` being `data` for the moment."""
        is_blob = name.startswith("blobs/")
        self.put(name, data)
        # fsck first: the others put right what is derived.
        checked = self.shale("fsck", "--read-data", "--json")
        findings = json.loads(checked.stdout)["findings"] if checked.stdout else []
        if is_blob and (checked.returncode != DAMAGED or not findings):
            fail(f"{place}: fsck ended with {checked.returncode}: {checked.stderr.decode()}")
        if not is_blob and (checked.returncode != 0 or not findings):
            fail(f"{place}: fsck ended with {checked.returncode}, findings {findings}")
        self.check_output(self.shale("cat", self.options.image, *self.paths), self.cat, is_blob, place)
        listed = self.shale("ls", "-R", "--json", self.options.image)
        if listed.returncode and listed.stdout:
            fail(f"{place}: ls failed, but printed {listed.stdout[:200]}")
        self.check_output(listed, self.ls, is_blob, place)
        verified = self.shale("verify", "-q", "--key", self.options.key, self.options.image)
        if is_blob and name not in self.unverified and verified.returncode not in (DAMAGED, UNTRUSTED):
            fail(f"{place}: verify ended with {verified.returncode}")
        if not is_blob and verified.returncode != 0:
            fail(f"{place}: verify ended with {verified.returncode}: {verified.stderr.decode()}")
        self.restore(name)

    def check_mount(self, name, data, place):
        """As check, through a mount."""
        is_blob = name.startswith("blobs/")
        self.put(name, data)
        done = self.shale("mount", self.options.image, self.mnt)
        if done.returncode == 0:
            try:
                errors = self.compare_mount(place)
            finally:
                ended = self.unmount()
            if ended.returncode:
                fail(f"{place}: umount ended with {ended.returncode}: {ended.stderr.decode()}")
            outcome = "EIO" if errors else "right"
        else:
            if done.returncode != DAMAGED or not done.stderr.startswith(b"shale: "):
                fail(f"{place}: mount ended with {done.returncode}: {done.stderr.decode()}")
            if os.path.ismount(self.mnt):
                fail(f"{place}: refused, but mounted")
            outcome = "refused"
        if not is_blob and outcome != "right":
            fail(f"{place}: {outcome}")
        self.outcomes[name.split("/")[1] if not is_blob else "blobs", outcome] += 1
        self.restore(name)

    def unmount(self):
        """A program that another worker begins has the files of this one until it runs."""
        for _ in range(100):
            ended = self.shale("umount", self.mnt)
            if ended.returncode != IN_USE:
                break
            time.sleep(0.05)
        return ended

    def look(self, path):
        """What a mount says of one file: mode, owner, size, time, and names, target or content."""
        st = os.lstat(path)
        seen = [st.st_mode, st.st_uid, st.st_gid, st.st_size, st.st_mtime_ns, st.st_nlink]
        if stat.S_ISDIR(st.st_mode):
            return [*seen, sorted(os.listdir(path))]
        if stat.S_ISLNK(st.st_mode):
            return [*seen, os.readlink(path)]
        return seen

    def walk_mount(self):
        return {path: self.look(path) for path in [self.mnt, *(
            os.path.join(folder, name) for folder, folders, files in os.walk(self.mnt) for name in folders + files)]}

    def learn_mount(self):
        self.mnt = os.path.abspath(f"mnt{self.store[-1]}")
        os.makedirs(self.mnt)
        self.outcomes = collections.Counter()
        done = self.shale("mount", self.options.image, self.mnt)
        if done.returncode:
            fail(f"mount ended with {done.returncode}: {done.stderr.decode()}")
        self.tree = self.walk_mount()
        self.content = {}
        for path, seen in self.tree.items():
            if stat.S_ISREG(seen[0]):
                with open(path, "rb") as f:
                    self.content[path] = f.read()
        self.unmount()
        # The store is as it was before anybody looked: the catalog may have been made.
        self.pristine = self.read_all()

    def compare_mount(self, place):
        """How many answers were EIO; the others are right."""
        errors = 0
        for path, right in self.tree.items():
            try:
                if (seen := self.look(path)) != right:
                    fail(f"{place}: '{path}' is {seen}, not {right}")
                if path not in self.content:
                    continue
                fd = os.open(path, os.O_RDONLY)
            except OSError as e:
                self.is_refusal(e, place, path)
                errors += 1
                continue
            errors += self.compare_content(fd, self.content[path], place, path)
            os.close(fd)
        return errors

    def compare_content(self, fd, right, place, path):
        """Piece by piece: one that cannot be read does not hide those behind it."""
        errors = 0
        for offset in range(0, len(right) + 1, READ_STEP):
            try:
                got = os.pread(fd, READ_STEP, offset)
            except OSError as e:
                self.is_refusal(e, place, path)
                errors += 1
                continue
            # A read that meets an error behind its beginning gives the beginning.
            want = right[offset : offset + READ_STEP]
            if got != want and not (got and want.startswith(got)):
                fail(f"{place}: other bytes in '{path}' at {offset}")
        return errors

    @staticmethod
    def is_refusal(error, place, path):
        if error.errno != errno.EIO:
            fail(f"{place}: '{path}': {error}")

    def check_output(self, run, right, is_blob, place):
        if run.returncode == 0:
            if run.stdout != right.stdout:
                fail(f"{place}: '{run.args[1]}' printed something else")
            return
        if not is_blob:
            fail(f"{place}: '{run.args[1]}' ended with {run.returncode}: {run.stderr.decode()}")
        if run.returncode not in REFUSALS or not run.stderr.startswith(b"shale: "):
            fail(f"{place}: '{run.args[1]}' ended with {run.returncode}: {run.stderr.decode()}")
        if not right.stdout.startswith(run.stdout):
            fail(f"{place}: '{run.args[1]}' failed, but printed something else before")

    def restore(self, name):
        self.put(name, self.pristine[name])
        for other, data in self.pristine.items():
            if other == name or other.startswith("blobs/"):
                continue
            # What is derived may have been made again, but not in another way.
            with open(os.path.join(self.store, other), "rb") as f:
                if f.read() != data:
                    fail(f"{other} was made again with other bytes")


def flipped(data, rng):
    at = rng.randrange(len(data))
    bit = rng.randrange(8)
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :], f"bit {bit} of byte {at}"


def cut(data, rng):
    at = rng.randrange(len(data))
    return data[:at], f"cut to {at} bytes"


def choose(files, count, rng):
    """Half of the changes by size, half by file: the small ones count, too."""
    names = list(files)
    sizes = [len(files[name]) for name in names]
    return rng.choices(names, sizes, k=count // 2) + [names[i % len(names)] for i in range(count - count // 2)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("flips", "cuts", "mounts"))
    parser.add_argument("store")
    parser.add_argument("image")
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("--key", required=True)
    options = parser.parse_args()
    change = cut if options.what == "cuts" else flipped

    workers = [Worker(options, number) for number in range(os.cpu_count())]
    if options.what == "mounts":
        for worker in workers:
            worker.learn_mount()
    rng = random.Random(options.seed)
    chosen = choose(workers[0].pristine, options.count, rng)
    seeds = [rng.getrandbits(64) for _ in chosen]

    def work(number):
        worker = workers[number]
        for at in range(number, len(chosen), len(workers)):
            name = chosen[at]
            data, what = change(worker.pristine[name], random.Random(seeds[at]))
            check = worker.check_mount if options.what == "mounts" else worker.check
            check(name, data, f"seed {options.seed}, {name}: {what}")

    with concurrent.futures.ThreadPoolExecutor(len(workers)) as pool:
        for job in [pool.submit(work, number) for number in range(len(workers))]:
            job.result()
    if options.what == "mounts":
        outcomes = sum((worker.outcomes for worker in workers), collections.Counter())
        print(", ".join(f"{kind} {outcome}: {n}" for (kind, outcome), n in sorted(outcomes.items())))
        if not {("blobs", "EIO"), ("blobs", "refused"), ("layers", "right"), ("catalogs", "right")} <= set(outcomes):
            fail("some kind of file, or of answer, is missing")
        print(f"{options.count} flips (seed {options.seed}): 0 with other bytes through a mount")
        return
    print(f"{options.count} {options.what} (seed {options.seed}): 0 with other bytes, all found by fsck and verify")


if __name__ == "__main__":
    main()
