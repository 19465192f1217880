#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the shell cases below tests/cases.

Usage: tests/runner.py [--build DIR] [--jobs N] [--full] [--keep] [--verbose] [PATTERN]...

A case is an executable *.sh file: dropping it in is all the registration there is.  It runs with `sh -eu`
semantics of its own, in a directory of its own, with HOME and the store below it, and `shale` of the
build first on PATH.  Lines at its top steer the runner:

    # TIMEOUT: 120         seconds; 60 by default
    # NEEDS: root fuse     what it cannot do without: root, fuse, userns, or a program on PATH
    # FULL: only           runs with --full alone
    # SANITIZERS: no       says nothing of a build that watches itself: not run with one, unless with --full
    # SANITIZERS: only     says nothing of a build without ASan
    # SANITIZERS: first    takes long, and sees with them all that it would see without: without them only by name or with
    #                      --full

Exit status 0 passes, 77 skips (say why on standard error), all else fails.  Siblings NAME.stdout.exact,
NAME.stdout.glob and NAME.stderr.glob are compared with what it printed.  SHALE_REQUIRE=root,fuse,... or
SHALE_REQUIRE=all turns the lack of a need, and any skip, into a failure.  A failed case leaves its directory and a
repro.sh in it.

Of a build with sanitizers, every report fails the case, whatever the process was that made it: also that of a mount's
server, whose standard error is /dev/null and whose exit status nobody sees.
"""

import argparse
import concurrent.futures
import contextlib
import fnmatch
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = os.path.join(HERE, "cases")
# Debian's programs, whatever else the user has: tools that start others through scripts make cases slow.
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SKIP = 77
SERVERS_S = 20  # for the servers of a case to end


def discover(patterns):
    found = []
    for folder, _, names in os.walk(CASES):
        for name in names:
            path = os.path.join(folder, name)
            if name.endswith(".sh") and os.access(path, os.X_OK):
                found.append((os.path.relpath(path, CASES)[: -len(".sh")], path))
    # A name in full is that case alone, whatever else begins so.
    labels = {label for label, _ in found}
    patterns = [p if p in labels else f"*{p}*" for p in patterns]
    found = [case for case in found if not patterns or any(fnmatch.fnmatch(case[0], p) for p in patterns)]
    # What may take long begins first, so that no processor is idle while the last one ends.
    return sorted(found, key=lambda case: (-seconds_allowed(case[1]), case))


def seconds_allowed(path):
    return int(header(path).get("TIMEOUT", "60"))


def header(path):
    fields = {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            if not line.startswith("#"):
                break
            m = re.match(r"# (TIMEOUT|NEEDS|FULL|SANITIZERS): (.*)", line)
            if m:
                fields[m.group(1)] = m.group(2).strip()
    return fields


def can_userns():
    return subprocess.run(["unshare", "-Ur", "true"], stderr=subprocess.DEVNULL).returncode == 0


def has(need):
    if need == "root":
        return os.geteuid() == 0
    if need == "fuse":
        return os.access("/dev/fuse", os.R_OK | os.W_OK)
    if need == "userns":
        return can_userns()
    return shutil.which(need, path=SYSTEM_PATH) is not None


def unmount_below(folder):
    """A case that failed may have left mounts; none may outlive it."""
    with open("/proc/self/mountinfo", encoding="utf-8") as f:
        # Blanks in names are octal there.
        points = [re.sub(r"\\([0-7]{3})", lambda m: chr(int(m.group(1), 8)), line.split()[4]) for line in f]
    for point in sorted(points, reverse=True):
        if point.startswith(folder + "/"):
            if subprocess.run(["umount", "-l", point], stderr=subprocess.DEVNULL).returncode:
                subprocess.run(["fusermount3", "-uz", point], stderr=subprocess.DEVNULL)


def servers(folder):
    """The processes in the background that a case started."""
    mark = f"HOME={folder}".encode()
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/environ", "rb") as f:
                if mark in f.read().split(b"\0"):
                    yield int(process)
        except OSError:
            continue


def end_servers(folder):
    """They end after the case does, and only then tell of leaks; those that it stopped never would."""
    deadline = time.monotonic() + SERVERS_S
    while any(servers(folder)):
        if time.monotonic() > deadline:
            for process in servers(folder):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            return
        time.sleep(0.05)


def take_reports(folder):
    text = ""
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as f:
            text += f"{name}:\n{f.read()}"
    return text


def compare_golden(path, outputs):
    for suffix, stream, exact in (
        (".stdout.exact", 0, True),
        (".stdout.glob", 0, False),
        (".stderr.glob", 1, False),
    ):
        golden = path[: -len(".sh")] + suffix
        if not os.path.exists(golden):
            continue
        with open(golden, encoding="utf-8", errors="surrogateescape") as f:
            want = f.read()
        got = outputs[stream].decode(errors="surrogateescape")
        if (got != want) if exact else not fnmatch.fnmatchcase(got, want):
            return f"output differs from {os.path.basename(golden)}"
    return None


def make_base():
    """A folder for all cases, without an underscore: podman takes a part of a path for one of a reference."""
    while True:
        base = tempfile.mkdtemp(prefix="shale-cases-", dir=os.environ.get("TMPDIR", "/tmp"))
        if "_" not in os.path.basename(base):
            return base
        os.rmdir(base)


class Runner:
    def __init__(self, options):
        self.options = options
        self.required = set(filter(None, os.environ.get("SHALE_REQUIRE", "").split(",")))
        self.base = make_base()
        with open(os.path.join(options.build, "cli", "shale"), "rb") as f:
            program = f.read()
        self.has_asan = b"__asan_init" in program
        self.has_sanitizers = self.has_asan or b"__tsan_init" in program
        # Cases drop privileges to look at images as another user.
        os.chmod(self.base, 0o755)

    def must(self, need):
        return "all" in self.required or need in self.required

    def environment(self, folder):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("SHALE_", "XDG_"))}
        env.update(
            PATH=f"{os.path.join(self.options.build, 'cli')}:{SYSTEM_PATH}",
            HOME=folder,
            TMPDIR=folder,
            LC_ALL="C.UTF-8",
            TZ="UTC",
            SHALE_CASES=CASES,
            SHALE_SOURCE=os.path.dirname(HERE),
            SHALE_BUILD=self.options.build,
            SHALE_FULL="1" if self.options.full else "",
            SHALE_SANITIZERS="1" if self.has_sanitizers else "",
            ASAN_OPTIONS=env.get("ASAN_OPTIONS", "abort_on_error=0:exitcode=99:detect_leaks=1"),
            UBSAN_OPTIONS=env.get("UBSAN_OPTIONS", "halt_on_error=1:exitcode=99:print_stacktrace=1"),
            TSAN_OPTIONS=env.get("TSAN_OPTIONS", "halt_on_error=1:exitcode=99"),
        )
        return env

    def run(self, label, path):
        """(status, seconds, what to print)"""
        fields = header(path)
        if fields.get("FULL") == "only" and not self.options.full:
            return None
        if fields.get("SANITIZERS") == "no" and self.has_sanitizers and not self.options.full:
            return None
        if fields.get("SANITIZERS") == "only" and not self.has_asan:
            return None
        is_asked_for = self.options.full or self.options.patterns
        if fields.get("SANITIZERS") == "first" and not self.has_sanitizers and not is_asked_for:
            return None
        for need in fields.get("NEEDS", "").split():
            if not has(need):
                return ("failed" if self.must(need) else "skipped", 0.0, f"needs {need}")
        folder = os.path.join(self.base, label.replace("/", "-"))
        os.mkdir(folder)
        started = time.monotonic()
        timeout = seconds_allowed(path) * (10 if self.options.full else 1)
        env = self.environment(folder)
        # Beside the case, which may list or pack its own directory; for any user.
        reports = folder + ".sanitizer"
        os.mkdir(reports)
        os.chmod(reports, 0o1777)
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            env[name] += f":log_path={reports}/{name[:-len('_OPTIONS')].lower()}"
        # The leak checker is a tracer itself, and gives up under another.
        if "strace" in fields.get("NEEDS", ""):
            env["ASAN_OPTIONS"] += ":detect_leaks=0"
        # What whoever runs the tests ignores (nohup) would stay ignored, in the program that signals are sent to.
        process = subprocess.Popen(
            ["env", "--default-signal=HUP,INT,QUIT", "/bin/sh", path], cwd=folder, env=env,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            outputs = process.communicate(timeout=timeout * self.options.slow)
            problem = None
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            outputs = process.communicate()
            problem = f"timed out after {timeout} s"
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        unmount_below(folder)
        end_servers(folder)
        seconds = time.monotonic() - started
        text = (outputs[0] + outputs[1]).decode(errors="replace")
        found = take_reports(reports)
        if found:
            problem = problem or "a sanitizer's report"
            text += found
        shutil.rmtree(reports, ignore_errors=True)
        if problem is None and process.returncode == SKIP:
            return ("failed" if self.required else "skipped", seconds, text)
        if problem is None and process.returncode != 0:
            problem = f"exit status {process.returncode}"
        if problem is None:
            problem = compare_golden(path, outputs)
        if problem is None:
            if not self.options.keep:
                subprocess.run(["chmod", "-R", "u+rwX", folder], stderr=subprocess.DEVNULL)
                shutil.rmtree(folder, ignore_errors=True)
            return ("passed", seconds, text if self.options.verbose else "")
        with open(os.path.join(folder, "repro.sh"), "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\n# Runs the case again, in its directory.\n")
            for key in ("PATH", "HOME", "TMPDIR", "SHALE_CASES", "SHALE_SOURCE", "SHALE_BUILD", "SHALE_SANITIZERS"):
                f.write(f"export {key}='{self.environment(folder)[key]}'\n")
            f.write(f"cd '{folder}' && exec sh '{path}'\n")
        return ("failed", seconds, f"{problem} in {folder}\n{text}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=os.path.join(os.path.dirname(HERE), "build"))
    # Cases wait for what they stop and start: one more keeps the processors busy.
    parser.add_argument("--jobs", type=int, default=os.cpu_count() + 1)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="print what cases print that pass, too")
    parser.add_argument("--slow", type=int, default=1, help="factor for timeouts (sanitizers)")
    parser.add_argument("patterns", nargs="*")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)

    runner = Runner(options)
    cases = discover(options.patterns)
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = {pool.submit(runner.run, label, path): label for label, path in cases}
        for job in concurrent.futures.as_completed(jobs):
            if job.result() is None:
                continue
            status, seconds, text = job.result()
            counts[status] += 1
            print(f"{status:8} {jobs[job]} ({seconds:.1f} s)", flush=True)
            if text:
                print("    " + text.rstrip("\n").replace("\n", "\n    "), flush=True)
    if not counts["failed"] and not options.keep:
        shutil.rmtree(runner.base, ignore_errors=True)
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
