#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs `meson test` in a build directory and counts single checks, not programs.

Usage: tools/count-tests.py BUILD [MESON-TEST-ARGUMENT]...

A test that cannot do anything prints a line "SKIPPED ..." (tests/unit/main.h).  With SHALE_REQUIRE it has failed.
"""

import os
import re
import subprocess
import sys


def main():
    run = subprocess.run(
        ["meson", "test", "-C", sys.argv[1], "--no-rebuild", "--print-errorlogs", "--verbose", *sys.argv[2:]],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
    )
    passed = failed = skipped = 0
    for line in run.stdout.split("\n"):
        # Check's own summary: "95%: Checks: 20, Failures: 1, Errors: 0".
        m = re.search(r"\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)", line)
        if m:
            checks, failures, errors = map(int, m.groups())
            passed += checks - failures - errors
            failed += failures + errors
        if line.startswith("SKIPPED "):
            skipped += 1
            print(line)
        # Other programs (corpus replays) count as one each.
        m = re.search(r"shale:(fuzz|lint)\b.*\s(OK|FAIL|TIMEOUT|ERROR)\s", line)
        if m:
            passed += m.group(2) == "OK"
            failed += m.group(2) != "OK"
        if re.search(r"FAIL|TIMEOUT|:[FE]:|ERROR|Sanitizer", line):
            print(line)
    # Check knows of no skips.
    passed -= skipped
    if os.environ.get("SHALE_REQUIRE"):
        failed, skipped = failed + skipped, 0
    if run.returncode != 0 and failed == 0:
        failed = 1
    if failed:
        print("\n".join(run.stdout.split("\n")[-60:]))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
