#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks, one by one, what POSIX and Linux promise of a file system.

Usage: posix.py DIR [--only PATTERN] [--list] [--no-dir-nlink]

To be run as root; DIR is a directory of the file system, in which each check gets one of its own, and which is left as it was.
Prints a line for each check that fails, "NAME: what is wrong", and in the end "N checks, M failed"; ends with 1 when any did.
--only takes those whose name has the pattern in it (regular expression).  --no-dir-nlink leaves out those of the link counts of
directories, which some file systems do not keep.

From POSIX.1-2017 and the manual pages of Linux, section 2; where they leave a choice, what ext4 and tmpfs do alike.
"""
import argparse
import os
import re
import shutil
import sys
import tempfile

# These fill the table of checks.
from posix_checks import attributes, files, links, modes, paths, permissions, times  # noqa: F401
from posix_checks.harness import CHECKS, run

DIR_NLINK = re.compile("^links of (a )?folder")


def take_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", metavar="DIR")
    parser.add_argument("--only", default="", metavar="PATTERN")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--no-dir-nlink", action="store_true")
    options = parser.parse_args()
    if not options.folder and not options.list:
        parser.error("DIR is missing")
    return options


def main():
    options = take_arguments()
    names = [name for name in CHECKS if re.search(options.only, name) and not (options.no_dir_nlink and DIR_NLINK.search(name))]
    if options.list:
        print("\n".join(names))
        return 0
    top = tempfile.mkdtemp(prefix="posix-", dir=os.path.abspath(options.folder))
    os.chmod(top, 0o755)
    failed = 0
    for number, name in enumerate(names):
        folder = os.path.join(top, str(number))
        if why := run(name, folder):
            print(f"{name}: {why}".encode("unicode_escape").decode())
            failed += 1
        shutil.rmtree(folder, ignore_errors=True)
    try:
        shutil.rmtree(top)
    except OSError as e:
        print(f"what is left of the checks cannot be removed: {e}")
        failed += 1
    print(f"{len(names)} checks, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
