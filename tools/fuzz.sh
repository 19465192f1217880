#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the fuzz targets of a build with libFuzzer (-Dfuzz=enabled, clang): each replays its corpus and then goes on.
#
# Usage: tools/fuzz.sh BUILD [LIBFUZZER-OPTION]...
#   e.g. tools/fuzz.sh build-fuzz -max_total_time=3600 -jobs=2
#
# By default a few hundred runs, the same each time.  With ONLY=NAME one target.  What is found stays in BUILD/found/
# (crash-*, leak-*, timeout-*; and NAME/, the corpus as it grew).  Each target counts as one test.
set -u
cd "$(dirname "$0")/.." || exit
build=$(realpath "$1")
shift
[ $# -gt 0 ] || set -- -runs=350 -seed=1
# A target whose room is not instrumented has some dozens of its own.
COUNTERS_MIN=300
passed=0
failed=0
for corpus in "$PWD"/tests/fuzz/corpus/*/; do
  name=$(basename "$corpus")
  [ "${ONLY:-$name}" = "$name" ] || continue
  # libFuzzer writes into the folder.
  mkdir -p "$build/found/$name"
  cp "$corpus"* "$build/found/$name"
  status=0
  (cd "$build/found" && "$build/tests/fuzz/fuzz_$name" -timeout=60 -artifact_prefix="$build/found/$name-" \
    "$@" "$name") >"$build/found/$name.log" 2>&1 || status=$?
  counters=$(sed -n 's/^INFO: Loaded .*(\([0-9]*\) inline 8-bit counters).*/\1/p' "$build/found/$name.log" | head -n 1)
  if [ "$status" -eq 0 ] && [ "${counters:-0}" -ge "$COUNTERS_MIN" ]; then
    passed=$((passed + 1))
    echo "passed   $name ($counters counters; $(grep -o 'DONE .*' "$build/found/$name.log" | tail -n 1))"
  else
    failed=$((failed + 1))
    echo "failed   $name: ended with $status, ${counters:-0} counters"
    tail -n 60 "$build/found/$name.log"
  fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
