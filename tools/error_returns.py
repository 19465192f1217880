# SPDX-License-Identifier: Apache-2.0
"""Finds the error returns of C sources, and changes each so that it can be left out while the program runs.

What is an error return:

refusal   `err_set(...)` or `findings_error(...)`: here it is decided that something is wrong with what came in.  Or the call of
          a function that does nothing but to make one such error (every return of it fails): then the callers are what counts,
          not its own line.
no        `return false;` of a function of type bool, and `return -1;` of one that has no place for an error: a validator says no.
passed    `return -1;`, `return NULL;`, `return rc;`, `goto ...`, `return err_wrap(...)` and the like, in a function that has an
          `e`: an error of somebody else is passed on.

err_sys() and err_nomem() are none of them: what is wrong with the machine is the business of tests/cases/fault and of the tests
named nomem.

How it is left out: a statement `return ...;` is jumped over, so that the function goes on with what it should have refused; a
call within an expression is not made and counts as 0.  Where a function would run over its end, it returns success.
"""
import collections
import re

REFUSING = ("err_set", "findings_error")
# Their value is always that of failure.
FAILING = REFUSING + ("err_sys", "err_nomem", "err_wrap", "err_move", "findings_wrap")
PASSING = ("err_wrap", "err_move", "findings_take", "findings_wrap")
# An order is no error.
COMPARES = re.compile(r"compare|order|_cmp|\bby_")
DECLARED = "int mutant_is(int number); int mutant_passes(int number, int code); "

Function = collections.namedtuple("Function", "name kind is_static has_e start end")
# `number` tells apart the same text within a function; `start` and `end` are offsets of what is left out.
Return = collections.namedtuple("Return", "kind function text number line start end code")


def blank(text):
    """The same text without comments, strings, characters and macros; what stays keeps its place."""
    pattern = r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|' r"'(?:\\.|[^'\\\n])*'" r"|^[ \t]*#(?:\\\n|/\*.*?\*/|[^\n])*"
    return re.sub(pattern, lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S | re.M)


def functions(code):
    found = []
    for m in re.finditer(r"^([A-Za-z_][^;{}\n]*(?:\n[ \t][^;{}\n]*)*)\n\{\n(.*?)^\}", code, re.M | re.S):
        head = re.sub(r"__attribute__\s*\(\(.*?\)\)", "", m.group(1), flags=re.S)
        named = re.search(r"(\w+)\s*\(", head)
        before = head[: named.start()]
        kind = "pointer" if "*" in before else "bool" if re.search(r"\bbool\b", before) else "other"
        if kind == "other" and re.search(r"\b(int|ssize_t|int64_t|long)\b", before):
            kind = "int"
        has_e = re.search(r"\bstruct err \*e\b", head) is not None
        found.append(Function(named.group(1), kind, "static" in before, has_e, m.start(2), m.end(2)))
    return found


def closing(code, at):
    """Behind the bracket that closes the one at `at`."""
    depth = 0
    while True:
        depth += {"(": 1, ")": -1}.get(code[at], 0)
        at += 1
        if depth == 0:
            return at


def calls(names):
    return re.compile(r"\b(?:" + "|".join(map(re.escape, sorted(names))) + r")\(")


def only_fails(code, f, names):
    """Whether each return of a function is -1, or the value of one of `names`."""
    allowed = re.compile(r"\s*(?:-1\s*$|(?:" + "|".join(sorted(names)) + r")\()")
    returns = re.findall(r"\breturn\b([^;]*);", code[f.start : f.end])
    parts = [part for r in returns for part in (re.split(r"[?:]", r)[1:] if "?" in r else [r])]
    return f.kind == "int" and parts and all(allowed.match(part) for part in parts)


def helpers(code, refusing=frozenset(REFUSING)):
    """Functions that do nothing but to fail: (those that refuse, in one way; those that pass on an error in other words).

    Both may do so through others of them."""
    refuse, pass_on = {}, {}
    while True:
        size = len(refuse) + len(pass_on)
        for f in functions(code):
            if f.name in FAILING or not only_fails(code, f, {*FAILING, *refusing, *refuse, *pass_on}):
                continue
            made = [code[m.end() :] for m in calls({*refusing, *refuse}).finditer(code, f.start, f.end)]
            rewords = [text for text in made if re.match(r"[^,;]*,\s*[\w.>-]+code\b", text)]
            if f.has_e and len(made) == len(rewords):
                pass_on[f.name] = f
            elif len(made) == 1:
                refuse[f.name] = f
        if len(refuse) + len(pass_on) == size:
            return refuse, pass_on


def shared_helpers(texts):
    """Names of functions that only fail, and that other files may call."""
    found = set()
    for text in texts:
        found |= {name for name, f in helpers(blank(text))[0].items() if not f.is_static}
    return found


def code_passed(code, m, f):
    """The expression for the error code of what is passed on."""
    if m.group(1) in ("err_move", "err_wrap"):
        arguments = code[m.end() : closing(code, m.end() - 1) - 1].split(",")
        return f"({arguments[1 if m.group(1) == 'err_move' else 0].strip()})->code"
    return "e->code"


def refusals_of(code, f, pattern):
    for m in pattern.finditer(code, f.start, f.end):
        end = closing(code, m.end() - 1)
        before = re.search(r"\breturn\s+$", code[f.start : m.start()])
        after = re.match(r"\s*;", code[end:])
        if before and after:
            yield "refusal", f.start + before.start(), end + after.end(), None
        else:
            yield "refusal", m.start(), end, None


def others_of(code, f, passing):
    """Returns of a function that says no, or that passes on what somebody else refused."""
    if f.has_e:
        names = "|".join(sorted(passing))
        pattern = rf"\breturn (?:-1|NULL|rc|r|n|found|has|got|({names})\()|\bgoto \w+"
        for m in re.compile(pattern).finditer(code, f.start, f.end):
            end = code.index(";", closing(code, m.end() - 1) if m.group(1) else m.end()) + 1
            whole = code[m.start() : end]
            # More than a name behind "return" is an expression, and at the end NULL would be returned all the same.
            is_plain = m.group(1) or re.fullmatch(r"(return|goto)\s+[-\w]+;", whole)
            is_last = f.kind != "int" and not code[end : f.end].strip()
            if is_plain and not is_last:
                yield "passed", m.start(), end, code_passed(code, m, f)
    elif f.kind == "int" and not COMPARES.search(f.name):
        for m in re.finditer(r"\breturn -1;", code[f.start : f.end]):
            yield "no", f.start + m.start(), f.start + m.end(), None
    if f.kind == "bool":
        for m in re.finditer(r"\breturn false;", code[f.start : f.end]):
            yield "no", f.start + m.start(), f.start + m.end(), None


def find_returns(text, shared=frozenset()):
    """The error returns of a source, in its order; `shared` are functions of other files that only fail."""
    code = blank(text)
    refusing = set(REFUSING) | set(shared)
    own, rewording = helpers(code, refusing)
    pattern = calls(refusing | set(own))
    found = []
    for f in functions(code):
        # Of what only fails, the callers are what can be taken out.
        if f.name in own or f.name in shared or f.name in rewording:
            continue
        spans = sorted([*refusals_of(code, f, pattern), *others_of(code, f, {*PASSING, *rewording})], key=lambda s: s[1])
        seen, end_before = collections.Counter(), 0
        for kind, start, end, passed in spans:
            # An error that is wrapped and refused in one statement is one return.
            if start < end_before:
                continue
            end_before = end
            shown = " ".join(text[start:end].split())
            seen[shown] += 1
            line = text.count("\n", 0, start) + 1
            found.append(Return(kind, f.name, shown, seen[shown], line, start, end, passed))
    return found


def key(file, r):
    """What tools/mutants.json calls it."""
    return f"{file}: {r.function}: {r.text}" + (f" #{r.number}" if r.number > 1 else "")


def change(text, found, first):
    """The source with each of the returns `found` in it made to depend on its number, counted from `first`."""
    out, last = [DECLARED], 0
    ends = {f.end: f for f in functions(blank(text)) if any(f.start <= r.start < f.end for r in found)}
    pieces = [(r.start, r.end, first + i, r) for i, r in enumerate(found)]
    pieces += [(end, end, None, f) for end, f in ends.items()]
    for start, end, number, what in sorted(pieces, key=lambda p: p[0]):
        out.append(text[last:start])
        last = end
        if number is None:
            out.append({"int": "return 0; ", "bool": "return 1; "}.get(what.kind, ""))
            continue
        test = f"mutant_passes({number}, {what.code})" if what.code else f"mutant_is({number})"
        piece = text[start:end]
        if piece.endswith(";"):
            out.append(f"do {{ if (!{test}) {piece} }} while (0);")
        else:
            out.append(f"({test} ? 0 : {piece})")
    return "".join(out) + text[last:]
