#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds tools/mutate.py against a program whose error returns are known, and tools/mutants.json against the sources.

Usage: tools/check_mutate.py     prints one line a finding, and exits 1 when there is any
"""
import concurrent.futures
import os
import subprocess
import sys
import tempfile

import error_returns
import mutate

# A parser, and the test of it: `want` says of each return what the test knows.
PARSER = r"""
#include <stdbool.h>
#include <string.h>
#include "base/err.h"

/* return -1; of a comment */
static const char text_of_a_return[] = "return false; }";

static int refuse(const char *what, struct err *e)
{
	return err_set(e, ERR_FORMAT, "malformed: %s", what);
}

static bool is_word(const char *s)
{
	if (*s == '"' || *s == '\'')
		return false;
	return true;
}

static int compare(int a, int b)
{
	if (a < b)
		return -1;
	return a > b;
}

static int digit(char c)
{
	if (c < '0' || c > '9')
		return -1;
	return c - '0';
}

static int parse_first(const char *s, struct err *e)
{
	if (strlen(s) > 9)
		return err_set(e, ERR_LIMIT, "more than %d bytes; that is (too) long",
			       9);
	if (strlen(s) == 0)
		return err_set(e, ERR_FORMAT, "empty");
	if (!is_word(s))
		return refuse("a quote", e);
	return digit(*s) < 0 ? refuse("no digit", e) : 0;
}

static int parse(const char *s, struct err *e)
{
	if (parse_first(s, e) < 0)
		return -1;
	if (compare(s[0], s[1]) < 0)
		return err_set(e, ERR_FORMAT, "rises");
	return 0;
}
"""
TEST = r"""
int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	e->code = code;
	return -1;
}

static int is_refused(const char *s)
{
	struct err e = {ERR_NONE, 0, text_of_a_return};

	return parse(s, &e) < 0 && e.code != ERR_NONE;
}

int main(void)
{
	/* Reaches what rises, and does not look. */
	(void)is_refused("01");
	/* Without its own refusal, a quote is no digit. */
	if (!is_refused("\"0") || is_word("\"0"))
		return 1;
	return is_refused("10") || !is_refused("x") || !is_refused("9876543210");
}
"""
# kind, function, beginning of the text, and what the test above makes of it
WANT = [
    ("no", "is_word", "return false;", "missed"),
    ("no", "digit", "return -1;", "missed"),
    ("refusal", "parse_first", 'return err_set(e, ERR_LIMIT, "more than %d bytes; that is (too) long", 9);', "missed"),
    ("refusal", "parse_first", 'return err_set(e, ERR_FORMAT, "empty");', "unreached"),
    ("refusal", "parse_first", 'return refuse("a quote", e);', "unmissed"),
    ("refusal", "parse_first", 'refuse("no digit", e)', "missed"),
    ("passed", "parse", "return -1;", "missed"),
    ("refusal", "parse", 'return err_set(e, ERR_FORMAT, "rises");', "unmissed"),
]


def check_returns(found):
    got = [(r.kind, r.function, r.text) for r in found]
    for one in [w[:3] for w in WANT if w[:3] not in got]:
        yield f"does not find {one}"
    for one in [g for g in got if g not in [w[:3] for w in WANT]]:
        yield f"finds {one}"


def check_judgement(found):
    """Builds the program, and lets the tool tell what its test misses."""
    with tempfile.TemporaryDirectory() as work:
        mutants = [mutate.Mutant(1000 + i, "parser.c", error_returns.key("parser.c", r), r) for i, r in enumerate(found)]
        source, program = os.path.join(work, "parser.c"), os.path.join(work, "parser")
        mutate.write_if_changed(source, error_returns.change(PARSER, found, 1000) + TEST)
        mutate.write_if_changed(os.path.join(work, "mutant.c"), mutate.runtime(work, 2000))
        command = ["gcc", "-w", "-D_GNU_SOURCE", f"-I{mutate.ROOT}", source, os.path.join(work, "mutant.c"), "-o", program]
        subprocess.run(command, check=True)
        os.chmod(work, 0o755)
        state = {m.number: "unreached" for m in mutants}
        misses = []
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            mutate.judge(mutate.Runner(work), pool, mutants, [mutate.Test("parser", [program], None, {})], state, misses.append, print_nothing)
        for m, want in zip(mutants, WANT):
            if state[m.number] != want[3]:
                yield f"says '{state[m.number]}' of {m.r.text}"
        if sorted(misses) != sorted(m.key for m in mutants if state[m.number] == "missed"):
            yield f"keeps other misses than it finds: {misses}"


def check_work():
    """A work directory that somebody else may have made, or may write into, is not taken."""
    with tempfile.TemporaryDirectory() as folder:
        own, open_to_all, link = (os.path.join(folder, name) for name in ("a/own", "open", "link"))
        os.mkdir(open_to_all)
        os.chmod(open_to_all, 0o777)
        os.symlink(open_to_all, link)
        for _ in range(2):
            mutate.make_work(own)
        if os.stat(own).st_mode & 0o022:
            yield "makes a work directory that others may write into"
        refused = [open_to_all, link]
        if os.geteuid() == 0:
            refused.append(os.path.join(folder, "foreign"))
            os.mkdir(refused[-1], 0o755)
            os.chown(refused[-1], 65534, 65534)
        for work in refused:
            try:
                mutate.make_work(work)
                yield f"takes the work directory '{os.path.basename(work)}' that is not safe"
            except ValueError:
                pass


def print_nothing(_):
    pass


def check_explained():
    known = {m.key for m in mutate.find_mutants()[0]}
    for key in mutate.explained():
        if key not in known:
            yield f"explains what is no error return: {key}"


def main():
    found = error_returns.find_returns(PARSER)
    findings = [*check_returns(found)] or [*check_judgement(found)]
    findings += check_work()
    for text in findings:
        print(f"tools/mutate.py: {text}")
    stale = [*check_explained()]
    for text in stale:
        print(f"tools/mutants.json: {text}")
    return 1 if findings or stale else 0


if __name__ == "__main__":
    sys.exit(main())
