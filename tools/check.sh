#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every static check; each counts as one test.
#
# Usage: tools/check.sh CLANG-BUILD-DIR [--full]
#   --full   the analyzer follows each function as far as clang has it, which takes twice as long for some more paths
set -u
cd "$(dirname "$0")/.." || exit
build=$1
nodes=50000
[ "${2:-}" != --full ] || nodes=225000
passed=0
failed=0

check() {
  name=$1
  shift
  if out=$("$@" 2>&1); then
    passed=$((passed + 1))
    echo "passed   $name"
  else
    failed=$((failed + 1))
    echo "failed   $name"
    # clang-tidy counts what it keeps to itself.
    printf '%s\n' "$out" | grep -v ' warnings* generated\.$' | tail -n 40
  fi
}

sources() {
  git ls-files -co --exclude-standard -- '*.c' '*.h'
}

format() {
  # shellcheck disable=SC2046 # names of ours have no blanks
  clang-format --dry-run --Werror $(sources)
}

headers() {
  for header in $(git ls-files -co --exclude-standard -- '*.h' | grep -v '^base/banned.h$'); do
    # shellcheck disable=SC2046 # flags
    printf '#include "%s"\n' "$header" |
      gcc -std=c17 -D_GNU_SOURCE -I. -Itests/unit $(pkg-config --cflags fuse3) -Wall -Wextra -Wpedantic -Werror \
        -fsyntax-only -x c - || return 1
  done
}

tidy() {
  git ls-files -co --exclude-standard -- '*.c' | grep -v '^tests/' |
    xargs -P 2 -n 8 clang-tidy --quiet -p "$build" --extra-arg=-Xclang --extra-arg=-analyzer-config \
      --extra-arg=-Xclang --extra-arg="max-nodes=$nodes"
}

shells() {
  git ls-files -co --exclude-standard -- '*.sh' '*.bash' .ci/run debian/tests/smoke | xargs shellcheck
}

# Not the unit tests: they are full of mistakes on purpose.
spelling() {
  git ls-files -co --exclude-standard -- '*.c' '*.h' '*.md' '*.scd' '*.sh' '*.py' |
    grep -v '^tests/unit/' | xargs codespell --ignore-words-list=noes,ot,fo,ois,inout,crate,te,nd,creat,mis
}

pages() {
  for page in docs/*.scd; do
    scdoc <"$page" >/dev/null || return 1
  done
}

for name in $(tools/lint.py --list); do
  check "lint: $name" tools/lint.py "$name"
done
check "mutate.py" tools/check_mutate.py
check "clang-format" format
check "headers compile alone" headers
check "shellcheck" shells
check "codespell" spelling
check "man pages" pages
check "clang-tidy" tidy

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
