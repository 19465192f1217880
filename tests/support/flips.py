#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Flips bits of, and cuts short, the files of a store, and looks what shale makes of it.

Usage: flips.py (flips | cuts) STORE IMAGE COUNT SEED --key KEY.pub

STORE holds IMAGE, signed, with its catalog, and layers of both kinds (with and without an index).  COUNT changes
are made, one at a time, spread over all blobs, derived files and catalogs.  After each:

- `shale cat` of all files prints what it printed, or a beginning of it and an error; `shale ls -R` what it printed,
  or an error;
- for a blob: `shale fsck --read-data` ends with 5, `shale verify` (which has no use for the config of a signature)
  with 5 or 6;
- for what is derived: `shale fsck --read-data` ends with 0 and a finding, `cat` and `ls` are right, and so is
  `shale verify`.

Works on copies of STORE, one for each processor.
"""
import argparse
import concurrent.futures
import json
import os
import random
import shutil
import subprocess
import sys

DAMAGED, UNTRUSTED = 5, 6
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
    parser.add_argument("what", choices=("flips", "cuts"))
    parser.add_argument("store")
    parser.add_argument("image")
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("--key", required=True)
    options = parser.parse_args()
    change = flipped if options.what == "flips" else cut

    workers = [Worker(options, number) for number in range(os.cpu_count())]
    rng = random.Random(options.seed)
    chosen = choose(workers[0].pristine, options.count, rng)
    seeds = [rng.getrandbits(64) for _ in chosen]

    def work(number):
        worker = workers[number]
        for at in range(number, len(chosen), len(workers)):
            name = chosen[at]
            data, what = change(worker.pristine[name], random.Random(seeds[at]))
            worker.check(name, data, f"seed {options.seed}, {name}: {what}")

    with concurrent.futures.ThreadPoolExecutor(len(workers)) as pool:
        for job in [pool.submit(work, number) for number in range(len(workers))]:
            job.result()
    print(f"{options.count} {options.what} (seed {options.seed}): 0 with other bytes, all found by fsck and verify")


if __name__ == "__main__":
    main()
