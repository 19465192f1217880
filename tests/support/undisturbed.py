# SPDX-License-Identifier: Apache-2.0
"""What the programs that disturb a command of shale share: a fresh copy of what it starts from, what it does undisturbed, and
whether the store is whole after it was disturbed.
"""
import os
import shutil
import subprocess
import sys

NOT_FOUND = 8

WORK = os.path.abspath("work")
ENV = {**os.environ, "SHALE_STORE": os.path.join(WORK, "store"), "WORK": WORK}


def run(command, env=None):
    return subprocess.run(
        command, env=env or ENV, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False
    )


def fresh(pristine):
    shutil.rmtree(WORK, ignore_errors=True)
    shutil.copytree(pristine, WORK, symlinks=True)


def names():
    """All files below WORK, after gc."""
    collected = run(["shale", "gc"])
    if collected.returncode != 0:
        fail(f"gc ended with {collected.returncode}: {collected.stderr.decode()}")
    return {
        os.path.relpath(os.path.join(folder, name), WORK)
        for folder, _, files in os.walk(WORK)
        for name in files
    }


def fail(text):
    sys.exit(f"FAIL: {text}")


class Reference:
    """What the command does when nobody disturbs it."""

    def __init__(self, pristine, command, once):
        fresh(pristine)
        done = run(command)
        if done.returncode != 0:
            fail(f"'{' '.join(command)}' ended with {done.returncode}: {done.stderr.decode()}")
        self.once = once
        self.output = done.stdout
        self.names = names()


def check_store(reference, command, place):
    checked = run(["shale", "fsck"])
    if checked.returncode not in (0, NOT_FOUND):
        fail(f"{place}: fsck ended with {checked.returncode}: {(checked.stdout + checked.stderr).decode()}")
    again = run(command)
    if again.returncode != 0 and not (reference.once and again.returncode == NOT_FOUND):
        fail(f"{place}: the next run ended with {again.returncode}: {again.stderr.decode()}")
    if again.stdout != reference.output and not reference.once:
        fail(f"{place}: the next run printed '{again.stdout.decode()}', not '{reference.output.decode()}'")
    left = names()
    if left != reference.names:
        fail(f"{place}: files too many: {left - reference.names}, missing: {reference.names - left}")
    checked = run(["shale", "fsck", "--read-data", "-q"])
    if checked.returncode != 0:
        fail(f"{place}: the last fsck ended with {checked.returncode}: {checked.stdout.decode()}")
