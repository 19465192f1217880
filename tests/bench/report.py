# SPDX-License-Identifier: Apache-2.0
"""The page: tables of figures, and the bars that they are held against."""

import os
import platform
import re
import subprocess


def output_of(*command):
    try:
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    except OSError:
        return ""
    return run.stdout


def version(command, pattern=r"(\d+\.[\w.+~-]*\w)"):
    m = re.search(pattern, output_of(*command))
    return m.group(1) if m else None


def processor():
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as f:
        names = re.findall(r"^model name\s*:\s*(.*)$", f.read(), re.M)
    return names[0] if names else platform.machine()


def file_system_of(path):
    best, kind = "", "?"
    with open("/proc/self/mounts", encoding="utf-8", errors="replace") as f:
        for line in f:
            fields = line.split()
            where = fields[1].rstrip("/") + "/"
            if (os.path.realpath(path) + "/").startswith(where) and len(where) >= len(best):
                best, kind = where, fields[2]
    return kind


def machine(work):
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (f"{os.cpu_count()} x {processor()}, {memory:.0f} GiB of memory, {file_system_of(work)}, "
            f"Linux {os.uname().release}")


def speed(sample):
    """(SHA-256, decompression) of one processor in MB/s now, as OpenSSL and zstd tell of themselves; None where they do not.

    Absolute bars mean something only beside these: reading is at the least one of each.
    """
    hashed = re.search(r"^\+F:\d+:sha256:([\d.]+)$", output_of("openssl", "speed", "-mr", "-seconds", "1", "-bytes", "65536", "-evp",
                                                               "sha256"), re.M)
    rates = re.findall(r"([\d.]+) MB/s", output_of("zstd", "-b3", "-i1", "-B65536", sample))
    return (float(hashed.group(1)) / 1e6 if hashed else None, float(rates[-1]) if rates else None)


def speeds(measured):
    """What speed() gave at several times, in words."""
    words = []
    for what, column in (("SHA-256 (OpenSSL, 64 KiB)", 0), ("zstd -3 decompression (64 KiB frames)", 1)):
        rates = sorted(m[column] for m in measured if m[column])
        if rates:
            words.append(f"{what} {rates[0]:.0f} to {rates[-1]:.0f}")
    return ", ".join(words) or "not measured"


def versions(shale):
    tools = {
        "shale": [shale, "--version"],
        "zstd": ["zstd", "--version"],
        "OpenSSL": ["openssl", "version"],
        "tar": ["tar", "--version"],
        "mksquashfs": ["mksquashfs", "-version"],
        "mkfs.erofs": ["mkfs.erofs", "--version"],
        "squashfuse": ["squashfuse_ll", "--help"],
        "pigz": ["pigz", "--version"],
        "umoci": ["umoci", "--version"],
        "fuse-overlayfs": ["fuse-overlayfs", "--version"],
        "git": ["git", "--version"],
    }
    found = [(name, version(command)) for name, command in tools.items()]
    return ", ".join(f"{name} {number}" for name, number in found if number)


class Report:
    def __init__(self):
        self.tables = []
        self.bars = []

    def table(self, title, heads, rows):
        if rows:
            self.tables.append((title, heads, rows))

    def bar(self, section, tree, what, value, relation, limit, unit):
        """`value` None: not measured, which is neither met nor missed."""
        verdict = "not measured"
        if value is not None:
            verdict = "met" if (value <= limit if relation == "<=" else value >= limit) else "MISSED"
        self.bars.append((section, tree.name, what, value, relation, limit, unit, verdict))

    def verdicts(self, verdict):
        return [b for b in self.bars if b[-1] == verdict]

    def bar_rows(self):
        for section, tree, what, value, relation, limit, unit, verdict in self.bars:
            digits = 3 if unit in ("x", "s") else 1 if unit in ("ms", "MiB") else 0
            shown = "" if value is None else f"{value:.{digits}f} {unit}"
            yield [section, tree, what, shown, f"{relation} {limit:g} {unit}", verdict]

    def text(self):
        parts = []
        if self.bars:
            parts.append(markdown("Bars", ["work", "tree", "what", "figure", "bar", ""], list(self.bar_rows())))
        parts += [markdown(*t) for t in self.tables]
        return "\n".join(parts)


def markdown(title, heads, rows):
    """Columns of equal width, to be read as it is, too."""
    widths = [max(len(r[i]) for r in [heads, *rows]) for i in range(len(heads))]

    def line(cells):
        return "| " + " | ".join(c.ljust(w) for c, w in zip(cells, widths)) + " |"

    rule = "|" + "|".join("-" * (w + 2) for w in widths) + "|"
    return "\n".join([f"## {title}", "", line(heads), rule, *map(line, rows), ""])
