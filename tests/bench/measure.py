# SPDX-License-Identifier: Apache-2.0
"""Runs commands under the stopwatch, keeps the page cache in a known state, and cleans up after itself."""

import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
DROP_CACHES = "/proc/sys/vm/drop_caches"
CPUCLOCK_SCHED = 2  # of a process's clock id, <linux/posix-timers.h>


class Skip(Exception):
    """Something that this machine cannot do; the text says what."""


class Failed(Exception):
    """A command that was to be measured failed."""


class Sample:
    """What one command took: seconds, and KiB of its largest process."""

    def __init__(self, text, output):
        fields = text.split()
        self.wall = float(fields[0])
        self.cpu = float(fields[1]) + float(fields[2])
        self.rss_kib = int(fields[3])
        self.first_byte = float(fields[5])
        self.output = output


def say(text):
    print(text, file=sys.stderr, flush=True)


def have(program):
    return shutil.which(program) is not None


def need(program):
    if not have(program):
        raise Skip(f"{program} is not installed")


class Figures:
    """Samples by key; a key is (section, tree, who, what)."""

    def __init__(self):
        self.samples = {}

    def add(self, key, value):
        self.samples.setdefault(key, []).append(value)

    def get(self, key):
        """The median, or None when it was not measured."""
        return statistics.median(self.samples[key]) if key in self.samples else None

    def spread(self, key):
        values = self.samples.get(key)
        return (min(values), max(values)) if values else None


class Bench:
    """The working directory, the programs under test, and everything that has to be undone at the end."""

    def __init__(self, work, shale, runs, timeout_s, scale=1.0):
        self.work = os.path.abspath(work)
        self.shale = os.path.abspath(shale)
        self.runs = runs
        self.scale = scale
        self.timeout_s = timeout_s
        self.is_root = os.geteuid() == 0
        self.can_drop = os.access(DROP_CACHES, os.W_OK)
        self.figures = Figures()
        self.skips = []
        self.mounts = []
        self.running = None
        os.makedirs(self.work, exist_ok=True)
        # All that this run makes and removes is below; trees are kept apart, to be used again.
        self.scratch = tempfile.mkdtemp(prefix="run.", dir=self.work)
        self.reader = self.compile("reader")
        self.editor = self.compile("editor")
        self.stopwatch = self.compile("stopwatch")

    def compile(self, name):
        program = self.path(name)
        command = ["cc", "-std=c17", "-D_GNU_SOURCE", "-O2", "-pthread", "-o", program, os.path.join(HERE, name + ".c")]
        subprocess.run(command, check=True)
        return program

    def path(self, *names):
        return os.path.join(self.scratch, *names)

    def strip_program(self):
        """Measures what a package installs: its peers have no debugging tables to be read from the disk either."""
        stripped = self.path("shale")
        subprocess.run(["strip", "-o", stripped, self.shale], check=True)
        self.shale = stripped

    def skip(self, what, why):
        line = f"{what}: {why}"
        if line not in self.skips:
            self.skips.append(line)
            say(f"skipped: {line}")

    # Commands

    def run(self, command, cpu=None, first=None, env=None, cwd=None):
        """A Sample.  `cpu`: the only processor for it and its children; `first`: a file whose first byte is read
        when the command has ended."""
        result, output = self.path("stopwatch.result"), self.path("stopwatch.output")
        watched = [self.stopwatch]
        watched += ["-c", str(cpu)] if cpu is not None else []
        watched += ["-r", first] if first else []
        watched += [result, *command]
        if os.path.exists(result):
            os.unlink(result)
        # To a file: a server that stays would keep a pipe open.
        with open(output, "wb") as out:
            self.running = subprocess.Popen(
                watched, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=cwd,
                env={**os.environ, **(env or {})}, start_new_session=True,
            )
            try:
                status = self.running.wait(self.timeout_s)
            except subprocess.TimeoutExpired:
                self.stop_running()
                raise Failed(f"{command[0]}: not done after {self.timeout_s} s") from None
        self.running = None
        with open(output, encoding="utf-8", errors="replace") as f:
            text = f.read()
        if status != 0:
            last = text.strip().split("\n")[-1] if text.strip() else "no message"
            raise Failed(f"{os.path.basename(command[0])} ended with {status}: {last}")
        with open(result, encoding="ascii") as f:
            return Sample(f.read(), text)

    def stop_running(self):
        if self.running and self.running.poll() is None:
            os.killpg(self.running.pid, signal.SIGKILL)
            self.running.wait()
        self.running = None

    def read(self, *args, cpu=None):
        """Runs the reader: (count, bytes, seconds, processor seconds)."""
        sample = self.run([self.reader, *map(str, args)], cpu=cpu)
        count, size, seconds = sample.output.split()
        return int(count), int(size), float(seconds), sample.cpu

    # Caches

    def settle(self):
        """What earlier commands wrote is on the disk, so that it disturbs nobody later."""
        os.sync()

    def drop_caches(self):
        os.sync()
        if self.can_drop:
            with open(DROP_CACHES, "w", encoding="ascii") as f:
                f.write("3\n")

    # Mounts

    def mounted(self, mountpoint, command, cpu=None, first=None):
        """Mounts by a command that returns when the mount answers."""
        os.makedirs(mountpoint, exist_ok=True)
        self.mounts.append(mountpoint)
        return self.run(command, cpu=cpu, first=first)

    def unmount(self, mountpoint):
        servers = servers_of(mountpoint)
        deadline = time.monotonic() + 10
        while is_mounted(mountpoint):
            command = ["umount", mountpoint] if self.is_root else ["fusermount3", "-u", mountpoint]
            lazy = ["umount", "-l", mountpoint] if self.is_root else ["fusermount3", "-uz", mountpoint]
            is_late = time.monotonic() > deadline
            subprocess.run(lazy if is_late else command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            if is_late:
                break
            time.sleep(0.02)
        while set(servers) & set(servers_of(mountpoint)) and time.monotonic() < deadline:
            time.sleep(0.01)
        if mountpoint in self.mounts:
            self.mounts.remove(mountpoint)

    def close(self):
        self.stop_running()
        for mountpoint in list(self.mounts):
            self.unmount(mountpoint)
        remove(self.scratch)


def remove(path):
    """A tree without mounts in it, or a file, or nothing."""
    if os.path.isdir(path) and not os.path.islink(path):
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as f:
            if any(line.split()[4].startswith(path + "/") for line in f):
                raise Failed(f"something is still mounted below {path}; it is left there")
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def is_mounted(mountpoint):
    # From the table and not by stat(2), which would ask the server.
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as f:
        return any(line.split()[4] == mountpoint for line in f)


def servers_of(mountpoint):
    """The processes that have the mountpoint among their arguments: FUSE tells nobody who serves, and shale has a supervisor beside."""
    found = []
    for pid in os.listdir("/proc"):
        if not pid.isdigit() or int(pid) == os.getpid():
            continue
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read().split(b"\0")
        except OSError:
            continue
        if os.fsencode(mountpoint) in words and b"strace" not in os.path.basename(words[0]):
            found.append(int(pid))
    return found


def cpu_of(pids):
    """Seconds that all threads of the processes have run, ended threads too."""
    seconds = 0.0
    for pid in pids:
        try:
            seconds += time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED)
        except OSError:
            continue
    return seconds


def memory_of(pids):
    """MiB by name of /proc/PID/status, of all processes together: VmHWM, VmRSS, RssAnon."""
    found = {}
    for pid in pids:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
            for line in f:
                name, _, value = line.partition(":")
                if name in ("VmHWM", "VmRSS", "RssAnon"):
                    found[name] = found.get(name, 0) + int(value.split()[0]) / 1024
    return found
