#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Takes one error return after the other out of the parsers and of verification, and tells which ones no test misses.

Usage: tools/mutate.py [--work DIR] [--jobs N] [--only PATTERN] [--number N]... [--tests PATTERN] [--units] [--rest] [--list]

    --work   where the changed sources are built (default shale-mutants in $XDG_CACHE_HOME, or ~/.cache, or /var/cache for
             root); kept, so that a second run builds little
    --jobs   tests at a time (default: one for each processor)
    --only   error returns of the sources whose path matches a shell pattern ("image/tar_*.c"); default: all in SOURCES
    --number the error return of this number alone (--list tells it), and what each test says of it; may be repeated
    --tests  tests whose name matches a shell pattern ("image/*", "sign/*"); default: all
    --units  unit tests and fuzz corpora alone, without tests/cases
    --rest   only what no run in this work directory found a test to miss; its answers count as well (after more tests were
             written, or after a run with --tests or --units)
    --list   print the error returns and stop

tools/error_returns.py says what an error return is, and how it is taken out.  All are changed in one build, to depend on a
number that a process inherits: there is one compilation, not one for each.  A first run of each test tells which returns it
reaches; a return is then taken out under the tests that reach it, quick ones first, until one fails.  tests/cases are asked
only for what no unit test and no corpus misses.  A test that does not end in ten times its time has failed.

A refusal, or a no, that no test reaches is a survivor, as is one that no test misses.  What passes on an error of somebody else
counts where a test makes it pass on a refusal: what it does with an error of the machine is asked elsewhere.

tools/mutants.json explains the survivors that are known: "FILE: FUNCTION: TEXT OF THE RETURN" -> why nothing can be seen.  Exit
status: 0 every survivor is explained, 1 one is not or an explanation is not true, 2 it did not come to that.

Tests run in a mount and process namespace of their own where the caller is root, and with limits: what is taken out may hang,
eat memory, or leave mounts and servers behind.
"""
import argparse
import collections
import concurrent.futures
import fnmatch
import glob
import itertools
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time

import error_returns

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EXPLAINED = os.path.join(ROOT, "tools", "mutants.json")
# Who reads bytes from outside, or says what is trusted.
SOURCES = (
    "base/digest.c", "base/hash_copy.c", "base/host_walk.c", "base/idmap.c", "base/json.c", "base/path.c", "base/rfc3339.c",
    "base/str.c", "base/subids.c", "base/utf8.c",
    "image/*.c", "manifests/*.c", "signer/*.c",
    "store/blobs.c", "store/catalogs.c", "store/derived.c", "store/fsck*.c", "store/image*.c", "store/index_file.c",
    "store/layers.c", "store/layout.c", "store/sessions_document.c", "store/sniff.c",
    "packer/accounts.c", "packer/archive_input.c", "packer/copy_archive.c", "packer/import*.c", "packer/oci_layout.c",
    "packer/tar_tree.c", "packer/tree_*.c",
)  # fmt: skip
# Not those that watch time or the terminal, that fail on purpose what the machine does, or that build or install shale.
UNFIT_CASES = ("fault/*", "install/*", "completions/*", "*/progress", "cli/manual-*", "sign/no-traces")
# The number travels as a limit that nothing here looks at: it reaches also what `env -i` or setpriv starts.  The kernel's
# default, 819200, is more than any of them.
LIMIT_MUTANT, LIMIT_REACHED, LIMIT_END = 100000, 500000, 600000
RETURNS_PER_FILE = 1000  # so that a return more does not change the numbers, and the objects, of other files
MEMORY_BYTES = 8 << 30
SKIPPED = 77
RUNTIME = """/* SPDX-License-Identifier: Apache-2.0 */
/* Written by tools/mutate.py.  No malloc: some tests count it. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/err.h"

static int told(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_MSGQUEUE, &limit) == 0 && limit.rlim_cur < %(end)d ? (int)limit.rlim_cur : 0;
}

int mutant_is(int number)
{
	static char seen[%(count)d];
	const int what = told();
	char text[4096];

	if (what >= %(reached)d && !seen[number]) {
		snprintf(text, sizeof(text), "%%s/%%d", "%(folder)s", what - %(reached)d);
		const int fd = open(text, O_WRONLY | O_APPEND | O_CLOEXEC);
		snprintf(text, sizeof(text), "%%d\\n", number);
		if (fd >= 0 && write(fd, text, strlen(text)) > 0)
			seen[number] = 1;
		if (fd >= 0)
			close(fd);
	}
	return what == %(mutant)d + number;
}

/* Out only where it would pass on a refusal. */
int mutant_passes(int number, int code)
{
	return code != ERR_NONE && code != ERR_SYS && code != ERR_NOMEM && mutant_is(number);
}
"""

Mutant = collections.namedtuple("Mutant", "number file key r")
Test = collections.namedtuple("Test", "name command folder environment")
Reached = collections.namedtuple("Reached", "test seconds numbers")


def say(text):
    print(text, file=sys.stderr, flush=True)


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def write_if_changed(path, text):
    """ninja goes by the time of a file."""
    if not os.path.exists(path) or read(path) != text:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)


def default_work():
    """Where nobody else can be first: what is built there is run.  Tests of root's run as other users, too, whom its home refuses."""
    if os.geteuid() == 0:
        return "/var/cache/shale-mutants"
    cache = os.environ.get("XDG_CACHE_HOME", "")
    # "If an implementation encounters a relative path ... it should consider the path invalid" (XDG Base Directory).
    return os.path.join(cache if os.path.isabs(cache) else os.path.expanduser("~/.cache"), "shale-mutants")


def make_work(work):
    """Makes the work directory, or takes the one that is there if nobody else writes into it."""
    os.makedirs(os.path.dirname(work), exist_ok=True)
    try:
        os.mkdir(work, 0o755 if os.geteuid() == 0 else 0o700)
    except FileExistsError:
        pass
    seen = os.lstat(work)
    if not stat.S_ISDIR(seen.st_mode):
        raise ValueError(f"{work}: not a directory")
    if seen.st_uid != os.geteuid():
        raise ValueError(f"{work}: belongs to user {seen.st_uid}, and what is built there is run: choose another with --work")
    if seen.st_mode & 0o022:
        raise ValueError(f"{work}: others may write there, and what is built there is run: chmod go-w, or choose another with --work")


def remove_tree(folder):
    """rm, since tests leave trees that are deeper than Python goes."""
    subprocess.run(["rm", "-rf", "--one-file-system", folder], stderr=subprocess.DEVNULL, check=False)


def source_names():
    return sorted({os.path.relpath(p, ROOT) for pattern in SOURCES for p in glob.glob(os.path.join(ROOT, pattern))})


def find_mutants():
    """Every error return of SOURCES, in order, and the changed text of each source."""
    names = source_names()
    texts = {name: read(os.path.join(ROOT, name)) for name in names}
    shared = error_returns.shared_helpers(texts.values())
    mutants, changed = [], {}
    for place, name in enumerate(names, 1):
        found = error_returns.find_returns(texts[name], shared)
        first = place * RETURNS_PER_FILE
        if len(found) > RETURNS_PER_FILE or first + len(found) > LIMIT_REACHED - LIMIT_MUTANT:
            raise ValueError(f"{name}: more error returns than there are numbers")
        mutants += [Mutant(first + i, name, error_returns.key(name, r), r) for i, r in enumerate(found)]
        changed[name] = error_returns.change(texts[name], found, first)
    return mutants, changed


def runtime(work, count):
    """What is linked with the changed sources; `count` is above each number of theirs."""
    words = {"end": LIMIT_END, "reached": LIMIT_REACHED, "mutant": LIMIT_MUTANT, "count": count}
    return RUNTIME % {**words, "folder": os.path.join(work, "reached")}


def explained():
    return json.loads(read(EXPLAINED))


def copy_tree(work, mutants, changed):
    source = os.path.join(work, "source")
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-zco", "--exclude-standard"], stdout=subprocess.PIPE, check=True).stdout
    names = {os.fsdecode(n) for n in listed.split(b"\0") if n and os.path.lexists(os.path.join(ROOT, os.fsdecode(n)))}
    for folder, _, files in os.walk(source):
        for name in files:
            path = os.path.join(folder, name)
            if os.path.relpath(path, source) not in names | {"base/mutant.c"}:
                os.unlink(path)
    for name in names - set(changed) - {"base/meson.build"}:
        theirs, ours = os.path.join(ROOT, name), os.path.join(source, name)
        os.makedirs(os.path.dirname(ours), exist_ok=True)
        if not os.path.lexists(ours) or os.lstat(ours).st_mtime != os.lstat(theirs).st_mtime:
            if os.path.lexists(ours):
                os.unlink(ours)
            shutil.copy2(theirs, ours, follow_symlinks=False)
    listing = read(os.path.join(ROOT, "base/meson.build"))
    own = {"base/mutant.c": runtime(work, max(m.number for m in mutants) + 1), "base/meson.build": listing.replace("'array.c',", "'array.c', 'mutant.c',", 1)}
    for name, text in {**changed, **own}.items():
        os.makedirs(os.path.dirname(os.path.join(source, name)), exist_ok=True)
        write_if_changed(os.path.join(source, name), text)
        if name in names:
            shutil.copymode(os.path.join(ROOT, name), os.path.join(source, name))


def build(work, jobs):
    folder = os.path.join(work, "build")
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        subprocess.run(["meson", "setup", folder, os.path.join(work, "source"), "-Dc_args=-w"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", folder, f"-j{jobs}"], check=True, stdout=subprocess.DEVNULL)
    return folder


def unit_tests(folder, pattern):
    listed = subprocess.run(["meson", "introspect", "--tests", folder], stdout=subprocess.PIPE, check=True).stdout
    tests = [Test(t["name"], t["cmd"], t["workdir"], t["env"]) for t in json.loads(listed)]
    return [t for t in tests if fnmatch.fnmatch(t.name, pattern)]


def cases(folder, source, pattern):
    tests = []
    for path in sorted(glob.glob(os.path.join(source, "tests/cases/*/*.sh"))):
        name = os.path.relpath(path, os.path.join(source, "tests/cases"))[: -len(".sh")]
        if fnmatch.fnmatch(name, pattern) and not any(fnmatch.fnmatch(name, unfit) for unfit in UNFIT_CASES):
            command = [os.path.join(source, "tests/runner.py"), "--build", folder, "--jobs", "1", name]
            tests.append(Test(name, command, None, {}))
    return tests


class Runner:
    """Runs tests with one return out, or with none out and a note of those that it reaches."""

    def __init__(self, work):
        self.work = work
        self.numbers = itertools.count(1)
        for name in ("reached", "run"):
            remove_tree(os.path.join(work, name))
            os.mkdir(os.path.join(work, name))

    def run(self, test, limit, seconds):
        """(whether it passed, seconds)"""
        folder = os.path.join(self.work, "run", str(next(self.numbers)))
        os.mkdir(folder)
        os.chmod(folder, 0o1777)  # parts of tests run as other users
        command = ["prlimit", f"--msgqueue={limit}:", f"--as={MEMORY_BYTES}", "--core=0:", *test.command]
        if os.geteuid() == 0:
            # The shell is there to bury what others leave, as the first process of a machine does.
            inside = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", '"$@"; exit $?', "sh"]
            command = inside + command
        began = time.monotonic()
        with subprocess.Popen(
            command, cwd=test.folder or folder, env={**os.environ, **test.environment, "TMPDIR": folder},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        ) as process:  # fmt: skip
            try:
                passed = process.wait(seconds) in (0, SKIPPED)
            except subprocess.TimeoutExpired:
                passed = False
            finally:
                try:
                    os.killpg(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        took = time.monotonic() - began
        self.remove(folder)
        return passed, took

    def remove(self, folder):
        with open("/proc/self/mountinfo", encoding="utf-8") as f:
            left = [line.split()[4] for line in f if line.split()[4].startswith(folder + "/")]
        for point in sorted(left, reverse=True):
            subprocess.run(["fusermount3", "-uz", point], stderr=subprocess.DEVNULL, check=True)
        remove_tree(folder)
        if os.path.exists(folder):
            subprocess.run(["chmod", "-R", "u+rwX", folder], stderr=subprocess.DEVNULL, check=False)
            remove_tree(folder)

    def reached_by(self, test):
        """None where it fails with nothing taken out."""
        number = next(self.numbers)
        log = os.path.join(self.work, "reached", str(number))
        with open(log, "w", encoding="utf-8"):
            pass
        os.chmod(log, 0o666)
        passed, seconds = self.run(test, LIMIT_REACHED + number, None)
        numbers = {int(line) for line in read(log).split()}
        os.unlink(log)
        return Reached(test, seconds, numbers) if passed else None

    def is_passed(self, reached, number):
        return self.run(reached.test, LIMIT_MUTANT + number, 10 + 10 * reached.seconds)[0]

    def missing(self, number, reached):
        """The test that misses the return, or None."""
        return next((r.test.name for r in reached if not self.is_passed(r, number)), None)


def judge(runner, pool, mutants, tests, state, on_miss, say=say):
    """Sets what is known of each of the mutants by these tests: `state` is number -> "unreached", "unmissed", "missed"."""

    def ask(m):
        missed_by = runner.missing(m.number, reached[m.number])
        if missed_by:
            on_miss(m.key)
        return missed_by

    runs = list(pool.map(runner.reached_by, tests))
    for test, ended in zip(tests, runs):
        if not ended:
            say(f"left out, as it fails with nothing taken out: {test.name}")
    runs = sorted((r for r in runs if r), key=lambda r: r.seconds)
    reached = {m.number: [r for r in runs if m.number in r.numbers] for m in mutants}
    asked = [m for m in mutants if reached[m.number]]
    say(f"{len(mutants)} error returns, {len(asked)} are reached by {len(runs)} tests")
    answers = pool.map(ask, asked)
    for done, (m, missed_by) in enumerate(zip(asked, answers), 1):
        state[m.number] = "missed" if missed_by else "unmissed"
        if not missed_by:
            say(f"no test misses {m.number} {m.file}:{m.r.line}: {m.r.text}")
        if done % 50 == 0:
            say(f"{done} of {len(asked)}")


class Misses:
    """Keys of returns that a test misses: a line each in the work directory, so that a run that is stopped loses nothing."""

    def __init__(self, work, anew):
        self.path = os.path.join(work, "missed")
        if anew or not os.path.exists(self.path):
            with open(self.path, "w", encoding="utf-8"):
                pass
        self.known = set(read(self.path).splitlines())

    def add(self, key):
        with open(self.path, "a", encoding="utf-8") as f:
            f.write(key + "\n")


def look_closer(runner, pool, mutants, tests):
    """What each test says, for a few of them."""
    runs = [r for r in pool.map(runner.reached_by, tests) if r]
    for m in mutants:
        print(f"{m.number} {m.file}:{m.r.line}: {m.r.text}")
        for r in runs:
            if m.number in r.numbers:
                print(f"    {r.test.name}: {'passes all the same' if runner.is_passed(r, m.number) else 'misses it'}")


def is_counted(m, state):
    return m.r.kind != "passed" or state[m.number] != "unreached"


def table(mutants, state, known):
    """By room, as it stands in docs/testing.md."""
    lines = ["| room | refusals | noes | passed on | missed | explained |", "|---|---|---|---|---|---|"]
    rooms = sorted({m.file.split("/")[0] for m in mutants})
    for room in [*rooms, "all"]:
        here = [m for m in mutants if room in ("all", m.file.split("/")[0]) and is_counted(m, state)]
        kinds = collections.Counter(m.r.kind for m in here)
        missed = sum(state[m.number] == "missed" for m in here)
        told = sum(state[m.number] != "missed" and m.key in known for m in here)
        lines.append(f"| {room} | {kinds['refusal']} | {kinds['no']} | {kinds['passed']} | {missed} | {told} |")
    return "\n".join(lines)


def report(mutants, state, known):
    """Prints it; how many survivors are not explained, and how many explanations are not true."""
    wrong = 0
    for m in mutants:
        if state[m.number] == "missed" and m.key in known:
            print(f"explained, but a test misses it: {m.key}")
            wrong += 1
        elif state[m.number] != "missed" and is_counted(m, state):
            title = "reached by no test" if state[m.number] == "unreached" else "missed by no test"
            why = known.get(m.key)
            print(f"{title}: {m.number} {m.file}:{m.r.line}: {m.r.text}" + (f"  [{why}]" if why else ""))
            wrong += why is None
    counted = [m for m in mutants if is_counted(m, state)]
    missed = sum(state[m.number] == "missed" for m in counted)
    print("\n" + table(mutants, state, known))
    print(
        f"\n{len(counted)} error returns, {missed} missed, {len(counted) - missed} not, {wrong} of these not explained; "
        f"{len(mutants) - len(counted)} more pass on errors of the machine alone"
    )
    return wrong


def run(options, work):
    mutants, changed = find_mutants()
    chosen = [m for m in mutants if fnmatch.fnmatch(m.file, options.only) and m.number in (options.number or [m.number])]
    if options.list:
        for m in chosen:
            print(f"{m.number} {m.r.kind} {m.file}:{m.r.line}: {m.r.function}: {m.r.text}")
        return 0
    make_work(work)
    copy_tree(work, mutants, changed)
    folder = build(work, options.jobs)
    runner = Runner(work)
    units = unit_tests(folder, options.tests)
    shells = [] if options.units else cases(folder, os.path.join(work, "source"), options.tests)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        if options.number:
            look_closer(runner, pool, chosen, units + shells)
            return 0
        misses = Misses(work, anew=not options.rest)
        state = {m.number: "missed" if m.key in misses.known else "unreached" for m in chosen}
        for tests in (units, shells):
            left = [m for m in chosen if state[m.number] != "missed"]
            if left and tests:
                judge(runner, pool, left, tests, state, misses.add)
    return min(1, report(chosen, state, explained()))


def main(argv):
    usage = __doc__.split("\n\n")[1].replace("Usage: ", "")
    parser = argparse.ArgumentParser(usage=usage, description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--work", default=default_work())
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", default="*")
    parser.add_argument("--number", type=int, action="append")
    parser.add_argument("--tests", default="*")
    parser.add_argument("--units", action="store_true")
    parser.add_argument("--rest", action="store_true")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args(argv)
    try:
        return run(options, os.path.abspath(options.work))
    except (OSError, ValueError, subprocess.CalledProcessError) as why:
        say(f"mutate.py: {why}")
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
