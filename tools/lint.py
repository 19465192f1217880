#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that no compiler makes: who may include whom, sizes, comments, words, documents.

Usage: tools/lint.py [CHECK]...     all checks by default; `tools/lint.py --list` names them.
Prints one line a finding, "FILE:LINE: what", and exits 1 when there is any.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FILE_LINES_MAX = 700
HEADER_LINES_MAX = 150
# Test programs are mostly tables.
TEST_FILE_LINES_MAX = 800
TEST_HEADER_LINES_MAX = 200
FUNCTION_LINES_MAX = 90
# Programs that are no part of shale.
FOLDERS_BESIDE = ("tests", "examples")
LIBRARY_HEADERS = {
    "fuse": r"fuse[_.a-z]*\.h|fuse3/.*",
    "sodium": r"sodium.*\.h",
    "sqlite": r"sqlite3.*\.h",
    "openssl": r"openssl/.*",
    "archive": r"archive.*\.h",
    "zstd": r"zstd.*\.h",
    "zlib": r"zlib\.h",
    "libdeflate": r"libdeflate\.h",
    "jansson": r"jansson\.h",
}
# The project speaks of itself alone, and of nobody's registry; words are spelled in halves so
# that this file passes its own check.
FORBIDDEN = [
    r"\bTO" r"DO\b",
    r"\bFIX" r"ME\b",
    r"\bX" r"XX\b",
    r"\bHA" r"CK\b",
    r"/work" r"/(main|shared|\.)",
    r"deb" r"\.debian\.org",
    r"registry\." r"npmjs",
    r"hostile-" r"inputs\.md",
    r"DESIGN" r"\.md",
    r"\bhash_" r"id\b",
    r"delete_" r"marker",
]


def tracked(*suffixes):
    out = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split("\n")
    names = [n for n in out if n and os.path.isfile(os.path.join(ROOT, n))]
    return [n for n in names if not suffixes or n.endswith(suffixes)]


def lines(name):
    with open(os.path.join(ROOT, name), encoding="utf-8", errors="replace") as f:
        return f.read().split("\n")


def check_rooms():
    """C is in the rooms only, and includes follow tools/rooms.json."""
    with open(os.path.join(ROOT, "tools/rooms.json"), encoding="utf-8") as f:
        table = json.load(f)
    rooms, libraries = table["rooms"], table["libraries"]
    for name in tracked(".c", ".h"):
        room = name.split("/")[0]
        if room in FOLDERS_BESIDE:
            continue
        if room not in rooms:
            yield name, 1, f"'{room}' is no room of tools/rooms.json"
            continue
        for number, line in enumerate(lines(name), 1):
            m = re.match(r'\s*#\s*include\s+(["<])([^">]+)[">]', line)
            if not m:
                continue
            other = m.group(2).split("/")[0]
            if m.group(1) == '"' or other in rooms:
                if m.group(1) == "<":
                    yield name, number, f"include \"{m.group(2)}\" in quotes"
                if other not in rooms:
                    yield name, number, f"include '{m.group(2)}' by its path from the root"
                elif other != room and other not in rooms[room]:
                    yield name, number, f"{room}/ may not include {other}/"
                continue
            for library, pattern in LIBRARY_HEADERS.items():
                if re.fullmatch(pattern, m.group(2)) and room not in libraries[library]:
                    yield name, number, f"{room}/ may not use {library}"


def check_sizes():
    """Files and functions stay short."""
    for name in tracked(".c", ".h"):
        text = lines(name)
        is_test = name.startswith("tests/")
        if name.endswith(".h"):
            limit = TEST_HEADER_LINES_MAX if is_test else HEADER_LINES_MAX
        else:
            limit = TEST_FILE_LINES_MAX if is_test else FILE_LINES_MAX
        if len(text) - 1 > limit:
            yield name, limit, f"{len(text) - 1} lines, more than {limit}"
        start = None
        for number, line in enumerate(text, 1):
            if line == "{":
                start = number
            elif line == "}" and start:
                if number - start - 1 > FUNCTION_LINES_MAX:
                    yield name, start, f"function of {number - start - 1} lines"
                start = None


def check_comments():
    """C files have a licence line and block comments only."""
    for name in tracked(".c", ".h"):
        text = lines(name)
        if text[0] != "/* SPDX-License-Identifier: Apache-2.0 */":
            yield name, 1, "no SPDX line"
        for number, line in enumerate(text, 1):
            code = re.sub(r'"(\\.|[^"\\])*"', '""', line)
            code = re.sub(r"/\*.*?\*/", "", code)
            if re.search(r"(^|[^:*])//", code) and not code.lstrip().startswith("*"):
                yield name, number, "'//' comment"


def check_guards():
    """Include guards are FOLDER_FILE_H."""
    for name in tracked(".h"):
        guard = re.sub(r"[/.]", "_", name).upper()
        if f"#ifndef {guard}" not in lines(name):
            yield name, 1, f"include guard is not {guard}"


def check_words():
    """Words that do not belong in the project."""
    pattern = re.compile("|".join(FORBIDDEN))
    for name in tracked():
        if "/corpus/" in name or name.startswith("tests/data/"):
            continue
        for number, line in enumerate(lines(name), 1):
            m = pattern.search(line)
            if m:
                yield name, number, f"the word '{m.group(0)}'"


def check_documents():
    """Files that the documents name exist."""
    for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"):
        if not os.path.isfile(os.path.join(ROOT, name)):
            yield name, 1, "missing"
            continue
        for number, line in enumerate(lines(name), 1):
            for path in re.findall(r"`([A-Za-z_.][\w./-]*/[\w./-]*)`", line):
                first = path.split("/")[0]
                if first in ("blobs", "shale", "application") or "://" in path:
                    continue
                if os.path.isdir(os.path.join(ROOT, first)) and not os.path.exists(
                    os.path.join(ROOT, path)
                ):
                    yield name, number, f"'{path}' does not exist"


def check_options():
    """Every command has a page, and page and table name the same options."""
    shared = {}  # of a macro: the options whose rows it holds

    def options_of(rows):
        return set(re.findall(r'\{[^{},]*,\s*"([\w-]+)"', rows)).union(
            *(shared.get(macro, ()) for macro in re.findall(r"OPTIONS?_\w+", rows))
        )

    for name in ("cli/support.h", "cli/keys.h", "cli/committing.h"):
        text = "\n".join(lines(name)).replace("\\\n", " ")
        for macro, rows in re.findall(r"#define (OPTIONS?_\w+)\s+(.*)", text):
            shared[macro] = options_of(rows)
    for name in tracked():
        m = re.fullmatch(r"cli/cmd_(\w+)\.c", name)
        if not m:
            continue
        page = f"docs/shale-{m.group(1)}.1.scd"
        if not os.path.isfile(os.path.join(ROOT, page)):
            yield name, 1, f"{page} is missing"
            continue
        source = "\n".join(lines(name))
        table = re.search(r"struct option \w+\[\] = \{(.*?)\n\};", source, re.S)
        wanted = options_of(table.group(1)) if table else set()
        wanted |= {"store", "help"}
        described = set()
        for line in lines(page):
            if line.startswith("*-"):
                described |= set(re.findall(r"\*--([\w-]+)", line.replace("\\", "")))
        for option in sorted(wanted - described):
            yield page, 1, f"option --{option} is not described"
        for option in sorted(described - wanted):
            yield page, 1, f"describes --{option}, which the command does not have"


def limits():
    """Names and values of base/limits.h; those of the units first."""
    text = re.sub(r"/\*.*?\*/", "", "\n".join(lines("base/limits.h")).replace("\\\n", " "), flags=re.S)
    values = {}
    for name, value in re.findall(r"#define (LIMIT_\w+)\s+(\S.*)", text):
        value = re.sub(r"UINT64_C\((\d+)\)", r"\1", value)
        value = re.sub(r"LIMIT_\w+", lambda m: str(values[m.group()]), value)
        if not re.fullmatch(r"[\d\s()*+-]+", value):
            raise ValueError(f"base/limits.h: {name}: {value}")
        values[name] = eval(value)
    return values


def check_limits():
    """shale-limits(7) has every limit: a comment names those of the paragraph behind it."""
    page = "docs/shale-limits.7.scd"
    units = ("KiB", "MiB", "GiB", "TiB")
    said = {}
    names, at = [], 0
    for number, line in enumerate(lines(page), 1):
        if line.startswith("; "):
            if not names or number != at + 1:
                names = []
            names, at = names + line[2:].split(), number
            said.update({name: (number, "") for name in line[2:].split()})
            continue
        for name in names:
            said[name] = (said[name][0], said[name][1] + " " + line.strip())
    values = limits()
    for name, value in values.items():
        if name.endswith(("_KIB", "_MIB", "_GIB")):
            continue
        if name not in said:
            yield page, 1, f"{name} is missing"
            continue
        forms = [f"{value:,}", f"2^{value}"]
        forms += [f"{value >> 10 * i} {unit}" for i, unit in enumerate(units, 1) if value % (1 << 10 * i) == 0]
        number, text = said[name]
        if not any(re.search(rf"(?<![\d,^]){re.escape(form)}(?![\d,]\d)(?!\d)", text) for form in forms):
            yield page, number, f"{name} is {value}, which the text does not say"
    for name in sorted(set(said) - set(values)):
        yield page, said[name][0], f"{name} is no limit"


# What check_rooms must say of a line of a file, for check_itself.
BAD_FILES = {
    "image/bad.c": ('#include "store/store.h"', "image/ may not include store/"),
    "fs/bad.c": ("#include <packer/build.h>", "fs/ may not include packer/"),
    "cli/bad.c": ("#include <store/store.h>", "in quotes"),
    "base/bad.h": ('#include "err.h"', "by its path from the root"),
    "store/bad.c": ("#include <zstd.h>", "store/ may not use zstd"),
    "packer/bad.c": ("# include <fuse3/fuse.h>", "packer/ may not use fuse"),
    "cellar/new.c": ("#include <stdio.h>", "'cellar' is no room"),
    "new.c": ("#include <stdio.h>", "'new.c' is no room"),
}
GOOD_FILES = {
    "store/good.c": '#include "base/err.h"',
    "fs/good.c": "#include <fuse.h>",
    "tests/unit/good.c": '#include "main.h"',
}


def check_itself():
    """The check of the rooms goes red when it has to, and only then."""
    global ROOT
    root = ROOT
    with tempfile.TemporaryDirectory() as ROOT:
        # Where a hook or `git rebase --exec` runs this, git says where its own repository is.
        for name in [name for name in os.environ if name.startswith("GIT_")]:
            del os.environ[name]
        subprocess.run(["git", "init", "-q", ROOT], check=True)
        os.mkdir(os.path.join(ROOT, "tools"))
        shutil.copy(os.path.join(root, "tools/rooms.json"), os.path.join(ROOT, "tools"))
        for name, line in [*GOOD_FILES.items(), *((name, line) for name, (line, _) in BAD_FILES.items())]:
            path = os.path.join(ROOT, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as f:
                f.write(f"/* */\n{line}\n")
        said = {}
        for name, _, text in check_rooms():
            said[name] = said.get(name, "") + text
    ROOT = root
    for name, (line, text) in BAD_FILES.items():
        if text not in said.pop(name, ""):
            yield "tools/lint.py", 1, f"does not say '{text}' of '{line}' in {name}"
    for name, text in said.items():
        yield "tools/lint.py", 1, f"says '{text}' of {name}"


CHECKS = {
    "itself": check_itself,
    "rooms": check_rooms,
    "sizes": check_sizes,
    "comments": check_comments,
    "guards": check_guards,
    "words": check_words,
    "documents": check_documents,
    "options": check_options,
    "limits": check_limits,
}


def main():
    wanted = sys.argv[1:] or list(CHECKS)
    if wanted == ["--list"]:
        print("\n".join(CHECKS))
        return 0
    found = 0
    for check in wanted:
        for name, number, text in CHECKS[check]():
            print(f"{name}:{number}: {text}")
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
