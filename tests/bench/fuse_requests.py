# SPDX-License-Identifier: Apache-2.0
"""What a FUSE server is asked, counted: exact on any machine, where times are not.

strace prints the head of each request that the server reads from /dev/fuse, or from a pipe that it spliced it to; the operation is its
second word, the length its first.
"""

import os
import re
import signal
import subprocess
import time

from measure import Failed, Skip, is_mounted, need, remove, say
from read import Reading, Shale, Squashfuse

# enum fuse_opcode of <linux/fuse.h>
OPCODES = {
    1: "LOOKUP", 2: "FORGET", 3: "GETATTR", 4: "SETATTR", 5: "READLINK", 6: "SYMLINK", 8: "MKNOD", 9: "MKDIR", 10: "UNLINK", 11: "RMDIR",
    12: "RENAME", 13: "LINK", 14: "OPEN", 15: "READ", 16: "WRITE", 17: "STATFS", 18: "RELEASE", 20: "FSYNC", 21: "SETXATTR",
    22: "GETXATTR", 23: "LISTXATTR", 24: "REMOVEXATTR", 25: "FLUSH", 26: "INIT", 27: "OPENDIR", 28: "READDIR", 29: "RELEASEDIR",
    30: "FSYNCDIR", 34: "ACCESS", 35: "CREATE", 36: "INTERRUPT", 38: "DESTROY", 39: "IOCTL", 42: "FORGET", 43: "FALLOCATE",
    44: "READDIRPLUS", 45: "RENAME2", 46: "LSEEK", 47: "COPY_FILE_RANGE", 50: "SYNCFS", 51: "TMPFILE", 52: "STATX", 53: "COPY_FILE_RANGE",
}
WRITE = 16
HEAD_BYTES = 8  # length and opcode of struct fuse_in_header
LINE = re.compile(r'read\(\d+, "((?:\\x[0-9a-f]{2}){%d})".* = (\d+)$' % HEAD_BYTES)
SETTLE_S = 0.3  # until FORGETs have come in
NO_ROUND_TRIP = ("FORGET", "INTERRUPT")  # nobody waits for them
PHASES = ("mount", "walk cold", "walk warm", "read all cold", "read all warm")


def operation_of(line):
    """What a line of strace asks, or None when it is no request.  A large WRITE is spliced on, and only its head is read."""
    m = LINE.match(line)
    if not m:
        return None
    head = bytes.fromhex(m.group(1).replace("\\x", ""))
    size, code = (int.from_bytes(head[i:i + 4], "little") for i in (0, 4))
    if size == int(m.group(2)) or (code == WRITE and size > int(m.group(2))):
        return OPCODES.get(code, f"opcode {code}")
    return None


class Trace:
    """A server under strace."""

    def __init__(self, bench, command, mountpoint):
        self.folder = bench.path("strace")
        self.bench = bench
        self.mountpoint = mountpoint
        remove(self.folder)
        os.makedirs(self.folder)
        os.makedirs(mountpoint, exist_ok=True)
        bench.mounts.append(mountpoint)
        self.seen = {}
        with open(bench.path("strace.messages"), "wb") as messages:
            self.process = subprocess.Popen(
                ["strace", "-q", "-ff", "-o", os.path.join(self.folder, "t"), "-xx", "-s", str(HEAD_BYTES),
                 "-e", "trace=read", *command],
                stdin=subprocess.DEVNULL, stdout=messages, stderr=messages, start_new_session=True,
            )
        deadline = time.monotonic() + bench.timeout_s
        # Not by looking at the mount, which would be a request.
        while not is_mounted(mountpoint):
            if self.process.poll() not in (None, 0) or time.monotonic() > deadline:
                raise Failed("it does not mount under strace")
            time.sleep(0.05)

    def count(self):
        """The requests since the last call, by operation."""
        time.sleep(SETTLE_S)
        now = {}
        for name in os.listdir(self.folder):
            with open(os.path.join(self.folder, name), encoding="ascii", errors="replace") as f:
                for line in f:
                    operation = operation_of(line)
                    if operation:
                        now[operation] = now.get(operation, 0) + 1
        fresh = {k: v - self.seen.get(k, 0) for k, v in now.items() if v != self.seen.get(k, 0)}
        self.seen = now
        return fresh

    def close(self):
        self.bench.unmount(self.mountpoint)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        remove(self.folder)


def trace(reading, target, phases):
    """Runs the phases, (name, words of the reader or nothing), on one mount: {phase: (count, {operation: n})}."""
    bench = reading.bench
    bench.drop_caches()
    command = target.command(bench, reading.images, reading.mountpoint)
    running = None
    found = {}
    try:
        running = Trace(bench, command, reading.mountpoint)
        for name, words in phases:
            count = bench.read(*words)[0] if words else 1
            found[name] = (count, running.count())
    finally:
        if running:
            running.close()
        else:
            bench.unmount(reading.mountpoint)
    return found


def measure(bench, tree):
    try:
        need("strace")
        if not bench.is_root:
            raise Skip("following a mount with strace needs root")
    except Skip as why:
        bench.skip(f"requests {tree.name}", why)
        return
    reading = Reading(bench, tree, (Shale(), Squashfuse()))
    walk, files = ["walk", reading.mountpoint], ["files", reading.mountpoint, 1]
    try:
        for target in reading.targets:
            say(f"requests {tree.name}: {target.name}")
            found = trace(reading, target, [("mount", None), ("walk cold", walk), ("walk warm", walk)])
            found |= trace(reading, target, [("", None), ("read all cold", files), ("read all warm", files)])
            for phase in PHASES:
                bench.figures.add(("requests", tree.name, target.name, phase), found[phase])
    except Failed as why:
        bench.skip(f"requests {tree.name}, {target.name}", why)
    finally:
        reading.close()


def total(operations):
    return sum(n for name, n in operations.items() if name not in NO_ROUND_TRIP)


def listing(operations):
    """In words, the most frequent first."""
    parts = sorted(((n, name) for name, n in operations.items() if name not in NO_ROUND_TRIP), reverse=True)
    return ", ".join(f"{n} {name}" for n, name in parts)


def result(bench, tree, target, phase):
    samples = bench.figures.samples.get(("requests", tree.name, target, phase))
    return samples[0] if samples else None


def bars(bench, tree, report):
    for phase in ("walk warm", "read all warm"):
        found = result(bench, tree, Shale.name, phase)
        report.bar("requests", tree, phase, total(found[1]) if found else None, "<=", 0, "requests")


def table(bench, tree, report):
    rows = []
    for target in (Shale.name, Squashfuse.name):
        for phase in PHASES:
            found = result(bench, tree, target, phase)
            if found is None:
                continue
            count, operations = found
            rows.append([target, phase, str(count) if phase != "mount" else "", str(total(operations)),
                         f"{total(operations) / count:.3f}", listing(operations)])
    report.table(f"Requests: {tree.line()}",
                 ["mount", "work", "entries or files", "requests", "for each", "of which"], rows)
