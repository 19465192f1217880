#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts everything that is no file, or another one, in the place of each file of a store, and runs commands on it.

Usage: stores.py KIB SECONDS STEP

In a directory that holds a store, `store`, of one image of one file, localhost/app:latest with its catalog, a copy of
it, `pristine`, and `canary`, a directory that must stay as it is.  TABLE tells of each file, each thing in its place and
each command how that ends, and what it prints; what is there twice or not at all is an error.  KIB and SECONDS (of
processor) bound each command.  Of the table each STEP-th line is taken.
"""
import fnmatch
import glob
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys

HANGS_S = 120  # of wall clock
STORE, PRISTINE = "store", "pristine"
STRAY = "0" * 64
COMMANDS = {
    "cat": ["shale", "cat", "app", "/file"],
    "fsck": ["shale", "fsck", "--read-data"],
    "gc": ["shale", "gc"],
    "tag": ["shale", "tag", "app", "other"],
}
FILES = ["manifest", "config", "layer", "index.json", "oci-layout", "version", "lock", "gc.lock", "catalog", "lease",
         "stray"]
LINKS = ["link-out", "link-to-nothing", "link-to-itself"]
DATA = ["empty", "binary", "endless"]
THINGS = ["fifo", "directory", *LINKS, *DATA]
GROUPS = {"odd": ["fifo", "directory", *LINKS], "links": LINKS, "data": DATA, "all": list(COMMANDS),
          "documents": ["manifest", "config", "layer"]}
# A blob of 1 TiB of which no document tells the size: fsck reads it.
NOT_RUN = {("stray", "endless", "fsck")}

# FILES, THINGS, COMMANDS, STATUS, what is printed (a pattern).
TABLE = [
    ("documents", "odd", "cat", 3, "*is not a regular file*"),
    ("documents", "empty", "cat", 5, "*has 0 bytes, not*"),
    ("documents", "binary", "cat", 5, "*has 3000 bytes, not*"),
    ("documents", "endless", "cat", 5, "*has 1099511627776 bytes, not*"),
    ("documents", "odd", "fsck", 5, "*error: blob sha256:*is not a regular file (used by 'localhost/app:latest')*"),
    ("documents", "empty", "fsck", 5, "*error: blob sha256:*has 0 bytes, not*(used by 'localhost/app:latest')*"),
    ("documents", "binary", "fsck", 5, "*error: blob sha256:*has 3000 bytes, not*(used by 'localhost/app:latest')*"),
    ("documents", "endless", "fsck", 5, "*error: blob sha256:*has 1099511627776 bytes, not*(used by 'localhost/app*"),
    ("manifest", "odd", "gc", 3, "*nothing was removed*'localhost/app:latest'*is not a regular file*"),
    ("manifest", "empty", "gc", 5, "*nothing was removed*'localhost/app:latest'*has 0 bytes, not*"),
    ("manifest", "binary", "gc", 5, "*nothing was removed*'localhost/app:latest'*has 3000 bytes, not*"),
    ("manifest", "endless", "gc", 5, "*nothing was removed*'localhost/app:latest'*has 1099511627776 bytes, not*"),
    ("config layer", "odd data", "gc", 0, "removed 0 blobs and 0 derived files*"),
    ("manifest", "odd", "tag", 3, "*image 'localhost/app:latest': blob 'sha256:*' is not a regular file*"),
    ("manifest", "empty", "tag", 5, "*image 'localhost/app:latest': blob 'sha256:*has 0 bytes, not*"),
    ("manifest", "binary", "tag", 5, "*image 'localhost/app:latest': blob 'sha256:*has 3000 bytes, not*"),
    ("manifest", "endless", "tag", 5, "*image 'localhost/app:latest': blob 'sha256:*has 1099511627776 bytes, not*"),
    ("config layer", "odd data", "tag", 0, ""),
    ("index.json", "odd", "cat gc tag", 3, "*'index.json' is not a regular file*"),
    ("index.json", "empty", "cat gc tag", 3, "*'index.json': image index: JSON line 1, column 0: unexpected end*"),
    ("index.json", "binary", "cat gc tag", 3, "*'index.json': image index: JSON line 1, column ?: invalid UTF-8*"),
    ("index.json", "endless", "cat gc tag", 4, "*'index.json': more than 67108864 bytes*"),
    ("index.json", "odd", "fsck", 5, "*error: index.json: *'index.json' is not a regular file*"),
    ("index.json", "empty", "fsck", 5, "*error: index.json: *unexpected end*"),
    ("index.json", "binary", "fsck", 5, "*error: index.json: *invalid UTF-8*"),
    ("index.json", "endless", "fsck", 5, "*error: index.json: *more than 67108864 bytes*"),
    ("oci-layout", "odd", "all", 3, "*'oci-layout' is not a regular file*"),
    ("oci-layout", "empty", "all", 3, "*oci-layout: JSON line 1, column 0: unexpected end*"),
    ("oci-layout", "binary", "all", 3, "*oci-layout: JSON line 1, column ?: invalid UTF-8*"),
    ("oci-layout", "endless", "all", 4, "*'oci-layout': more than 65536 bytes*"),
    ("version", "odd", "all", 3, "*'version' is not a regular file*"),
    ("version", "empty", "all", 3, "*has version ''; this shale knows version 1*"),
    ("version", "binary endless", "all", 4, "*'version': more than 64 bytes*"),
    ("lock gc.lock", "data fifo", "cat", 0, "content"),
    ("lock gc.lock", "data fifo", "fsck", 0, "*0 errors*"),
    ("lock gc.lock", "data fifo", "gc", 0, "removed 0 blobs and 0 derived files*"),
    ("lock gc.lock", "data fifo", "tag", 0, ""),
    ("lock", "directory", "fsck gc tag", 1, "*cannot open the store's 'lock': Is a directory*"),
    ("lock", "links", "fsck gc tag", 1, "*cannot open the store's 'lock': Too many levels of symbolic links*"),
    ("lock", "directory links", "cat", 0, "content"),
    ("gc.lock", "directory", "all", 1, "*cannot open the store's 'gc.lock': Is a directory*"),
    ("gc.lock", "links", "all", 1, "*cannot open the store's 'gc.lock': Too many levels of symbolic links*"),
    ("catalog", "directory", "cat", 0, "shale: warning: cannot keep the catalog of 'localhost/app:latest'*content"),
    ("catalog", "fifo links data", "cat", 0, "content"),
    ("catalog", "odd", "fsck", 0, "*derived: catalog of manifest *is not a regular file*"),
    ("catalog", "empty binary", "fsck", 0, "*derived: catalog of manifest *the catalog is damaged: it has no header*"),
    ("catalog", "endless", "fsck", 0, "*derived: catalog of manifest *it is larger than catalogs are*"),
    ("catalog", "odd data", "gc", 0, "removed 0 blobs and 0 derived files*"),
    ("catalog", "odd data", "tag", 0, ""),
    ("lease stray", "odd data", "cat", 0, "content"),
    ("lease stray", "odd data", "tag", 0, ""),
    ("lease", "odd", "fsck", 0, "*0 errors*"),
    ("lease", "data", "fsck", 0, "*note: lease 1-hostile: its process died*"),
    ("lease", "odd data", "gc", 0, "removed 0 blobs and 0 derived files*"),
    ("stray", "odd", "fsck", 0, "*note: blob sha256:0000*: *nothing uses*: gc removes it*0 errors*"),
    ("stray", "empty binary", "fsck", 5, "*error: blob sha256:0000*: the content has another digest*"),
    ("stray", "odd data", "gc", 0, "removed 1 blobs and 0 derived files*"),
]


def items(text):
    for word in text.split():
        yield from GROUPS.get(word, [word])


def expanded():
    for files, things, commands, status, pattern in TABLE:
        for file, what, command in itertools.product(items(files), items(things), items(commands)):
            yield (file, what, command), status, pattern


def put_back():
    shutil.rmtree(STORE)
    shutil.copytree(PRISTINE, STORE, symlinks=True)


def replace(what, path):
    if os.path.lexists(path):
        os.remove(path)
    if what == "fifo":
        os.mkfifo(path)
    elif what == "directory":
        os.mkdir(path)
    elif what in LINKS:
        target = {"link-out": os.path.abspath("canary/victim"), "link-to-nothing": "nothing"}
        os.symlink(target.get(what, os.path.basename(path)), path)
    else:
        with open(path, "wb") as f:
            f.write(b"\xff\xfe" + b"0" * 2998 if what == "binary" else b"")
            if what == "endless":
                f.truncate(1 << 40)


def digests():
    """Of the blobs of the image."""

    def read(path):
        with open(path, encoding="utf-8") as f:
            return json.load(f)

    manifest = read(f"{STORE}/index.json")["manifests"][0]["digest"][7:]
    document = read(f"{STORE}/blobs/sha256/{manifest}")
    config, layer = document["config"], document["layers"][0]
    return {"manifest": manifest, "config": config["digest"][7:], "layer": layer["digest"][7:]}


def paths(file, blobs):
    """Where all that goes by the name of FILE is."""
    if file in blobs:
        return [f"{STORE}/blobs/sha256/{blobs[file]}"]
    if file == "stray":
        return [f"{STORE}/blobs/hostile", f"{STORE}/blobs/sha256/hostile", f"{STORE}/blobs/sha256/{STRAY}"]
    if file == "catalog":
        return [f"{STORE}/shale/catalogs/{blobs['manifest']}"]
    if file == "lease":
        return [f"{STORE}/shale/leases/1-hostile"]
    return [f"{STORE}/{file}" if file in ("index.json", "oci-layout") else f"{STORE}/shale/{file}"]


def run(command):
    """(status, output, KiB, seconds of processor)"""
    with open("out", "wb") as out:
        process = subprocess.Popen(COMMANDS[command], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
    signal.signal(signal.SIGALRM, lambda *_: process.kill())
    signal.alarm(HANGS_S)
    _, status, usage = os.wait4(process.pid, 0)
    signal.alarm(0)
    process.returncode = os.waitstatus_to_exitcode(status)
    with open("out", encoding="utf-8", errors="replace") as f:
        return process.returncode, f.read().rstrip("\n"), usage.ru_maxrss, usage.ru_utime + usage.ru_stime


def canary():
    state = {}
    for path in sorted(glob.glob("canary/**", recursive=True)):
        status = os.lstat(path)
        state[path] = (status.st_mode, status.st_size, status.st_mtime_ns, status.st_nlink)
    return state


def faults(key, status, pattern, blobs, limits):
    """What is wrong with one line of the table."""
    file, what, command = key
    for path in paths(file, blobs):
        replace(what, path)
    if file in blobs:
        # Who has the catalog needs no documents.
        os.remove(paths("catalog", blobs)[0])
    got, text, kib, seconds = run(command)
    if got != status:
        yield f"ended with {got}, not {status}"
    if not fnmatch.fnmatchcase(text, pattern):
        yield f"printed '{text}', not '{pattern}'"
    if kib > limits[0] or seconds > limits[1]:
        yield f"took {kib} KiB and {seconds} s"
    # What it named is not lost.
    for name in blobs:
        if name != file and not os.path.isfile(paths(name, blobs)[0]):
            yield f"the {name} is gone"
    # Nor what stands in a blob's place, if it might be mended.
    if file in blobs and not os.path.lexists(paths(file, blobs)[0]):
        yield f"the {file} is gone"
    if command == "tag" and status == 0:
        with open(f"{STORE}/index.json", encoding="utf-8") as f:
            names = [m["annotations"]["org.opencontainers.image.ref.name"] for m in json.load(f)["manifests"]]
        if sorted(names) != ["localhost/app:latest", "localhost/other:latest"]:
            yield f"the names are {names}"


def main():
    limits = (int(sys.argv[1]), int(sys.argv[2]))
    lines = list(expanded())
    keys = [key for key, _, _ in lines]
    every = set(itertools.product(FILES, THINGS, COMMANDS)) - NOT_RUN
    if len(keys) != len(set(keys)) or set(keys) != every:
        sys.exit(f"the table lacks {every - set(keys)}, or has too many of {set(keys) - every}")
    blobs, before = digests(), canary()
    failed = 0
    # Files, things and commands take turns, so that a part of the lines has all of each.
    for key, status, pattern in lines[::int(sys.argv[3])]:
        for fault in faults(key, status, pattern, blobs, limits):
            failed += 1
            print(*key, fault, sep=": ")
        if canary() != before:
            sys.exit(f"{key} touched the canary")
        put_back()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
