#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes hostile build files.

Usage: manifests.py DIR

DIR/CASE is a build file for each case.  Prints a line "CASE STATUS WORD", with tabs, for each: what `shale build` must
end with in a context that holds a file `x`, and a part of its message.
"""
import os
import sys

MALFORMED, LIMIT, ABSENT = 3, 4, 8
START = b"FROM scratch\n"


def cases():
    """(name, status, word, bytes)"""
    # Odd, but fine.
    yield "crlf", 0, "", b"FROM scratch\r\nCOPY x /\r\n"
    yield "byte-order-mark", 0, "", b"\xef\xbb\xbfFROM scratch\nCOPY x /\n"
    yield "tabs", 0, "", b"\tFROM\tscratch\n\tCOPY\tx\t/\n"
    yield "no-newline", 0, "", b"FROM scratch\nCOPY x /"
    yield "19000-instructions", 0, "", START + b"CMD a\n" * 19000
    yield "many-comments", 0, "", b"#\n" * 400000 + START
    yield "one-instruction-of-60000-lines", 0, "", START + b"LABEL a=b" + b"\\\n" * 60000 + b"\n"

    # Text that is none.
    yield "empty", MALFORMED, "no instructions", b""
    yield "nul", MALFORMED, "NUL", START + b"ENV A=a\0b\n"
    yield "nul-between", MALFORMED, "NUL", START + b"\0\n"
    yield "not-utf8", MALFORMED, "UTF-8", START + b"ENV A=\xff\xfe\n"
    yield "utf-16", MALFORMED, "NUL", "\ufeffFROM scratch\n".encode("utf-16-le")
    yield "binary", MALFORMED, "NUL", b"\x7fELF" + bytes(range(256)) * 40
    yield "escape-sequences", MALFORMED, "x1b", START + b"\x1b[2J\x1b]0;x\x07 y\n"

    # Too much of it.
    yield "line-of-1-mib-less", LIMIT, "65535", START + b"ENV A=" + b"a" * 1000000 + b"\n"
    yield "over-1-mib", LIMIT, "1048576", START + b"#" * 70 + b"\n" * 1100000
    yield "30000-instructions", LIMIT, "20000", START + b"CMD a\n" * 30000
    yield "20000-variables", LIMIT, "10000", START + b"".join(b"ENV a%d=1\n" % i for i in range(15000))

    # Values that grow.
    doubling = b"ARG v0=aaaaaaaaaaaaaaaa\n" + b"".join(
        b"ARG v%d=$v%d$v%d$v%d$v%d\n" % (i + 1, i, i, i, i) for i in range(30)
    )
    yield "arg-bomb", LIMIT, "1048576", START + doubling
    yield "env-bomb", LIMIT, "1048576", START + doubling.replace(b"ARG", b"ENV")
    yield "total-bomb", LIMIT, "4194304", START + b"ARG a=" + b"a" * 60000 + b"\n" + b"ENV b=$a$a$a$a$a$a$a$a$a$a$a$a$a\n" * 10000
    yield "deep-expansion", LIMIT, "64", START + b"ENV a=" + b"${b:-" * 10000 + b"}" * 10000 + b"\n"
    yield "self", 0, "", START + b"ENV a=$a$a$a\nENV a=$a$a$a\n"
    yield "pattern-of-stars", 0, "", (
        START + b"ARG a=" + b"a" * 60000 + b"\n" + b"ENV b=${a#" + b"*a" * 30000 + b"b}\n"
    )
    yield "replacement-bomb", LIMIT, "1048576", (
        START + b"ARG a=" + b"a" * 60000 + b"\nARG b=${a//a/" + b"b" * 5000 + b"}\n"
    )
    for name, word in (("trims", b"${b##*}"), ("replacements", b"${b//?/}")):
        yield f"{name}-to-nothing", LIMIT, "takes too long", (
            START + b"ARG a=" + b"a" * 60000 + b"\nARG b=" + b"$a" * 16 + b"\n"
            + b"".join(b"ENV c=" + word * 2000 + b"\n" for _ in range(40))
        )
    names = b"ARG p=" + b"p" * 6000 + b"\n" + b"ENV" + b" \\\n".join(b" ${p}%d=1" % i for i in range(9900)) + b"\n"
    yield "long-names-alike", LIMIT, "4194304", START + names
    unset = b"ENV" + b"".join(b" \\\nv%d=1" % i for i in range(9900)) + b"\nEXPOSE" + b" \\\n$a$a" * 120000 + b"\n"
    yield "many-names-not-set", 0, "", START + unset
    words = b'ENV b="' + b"8 " * 30000 + b'"\nENV c=' + b"$b" * 10 + b"\nEXPOSE" + b" $c" * 50 + b"\n"
    yield "words-that-grow", LIMIT, "67108864", START + words
    yield "unclosed", MALFORMED, "missing '}'", START + b"ENV a=${b\n"

    # Names that lead out, and patterns that cost.
    # As for docker, ".." ends at the top of the context.
    for name, status, source in (
        ("parent", 0, b"../x"), ("deep", ABSENT, b"a/../../../../etc/passwd"), ("glob", 0, b"../*")
    ):
        yield f"source-{name}", status, "no 'etc/passwd'" if status else "", START + b"COPY " + source + b" /y/\n"
    yield "source-absolute", ABSENT, "no 'etc/passwd' in the context", START + b"COPY /etc/passwd /y\n"
    yield "destination-climbs", 0, "", START + b"COPY x /../../../canary/victim\n"
    yield "workdir-climbs", 0, "", START + b"WORKDIR ../../../..\nCOPY x canary/victim\n"
    yield "destination-4-kib", LIMIT, "4095", START + b"COPY x /" + b"d/" * 3000 + b"x\n"
    yield "destination-component", LIMIT, "component that is too long", START + b"COPY x /" + b"n" * 300 + b"\n"
    yield "glob-of-40000-bytes", LIMIT, "4095", START + b"COPY " + b"*a" * 20000 + b"b /\n"
    yield "glob-of-stars", 0, "", START + b"COPY " + b"*a" * 2000 + b"b /\n"
    yield "glob-unclosed", MALFORMED, "bad pattern", START + b"COPY [a /\n"

    yield "unknown-instruction", MALFORMED, "unknown instruction 'REBOOT'", START + b"REBOOT now\n"
    yield "no-from", MALFORMED, "FROM", b"COPY x /\n"
    yield "from-host-path", MALFORMED, "/etc/passwd", b"FROM /etc/passwd\n"
    yield "from-traversal", MALFORMED, "../../x", b"FROM ../../x\n"
    yield "include-elsewhere", ABSENT, "no 'include-elsewhere' in the context", START + b"INCLUDE include-elsewhere\n"
    yield "from-itself", MALFORMED, "more than one stage", b"FROM a AS a\nFROM a AS a\nCOPY --from=a /x /\n"


def main():
    os.makedirs(sys.argv[1], exist_ok=True)
    for name, status, word, text in cases():
        with open(os.path.join(sys.argv[1], name), "wb") as f:
            f.write(text)
        print(name, status, word, sep="\t")


if __name__ == "__main__":
    main()
