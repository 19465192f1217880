#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds, and passes every test.
#
# Usage: tests/run.sh [--full] [--quick]
#   --full   also the long forms: every system call of a command, all byte flips, more rounds
#   --quick  only the release build, its unit tests and cases (while working)
#
# Ends with a line "N passed, N failed, N skipped" over all suites.
set -eu
cd "$(dirname "$0")/.."

full=
quick=
for arg in "$@"; do
  case "$arg" in
  --full) full=--full ;;
  --quick) quick=1 ;;
  *)
    echo "usage: tests/run.sh [--full] [--quick]" >&2
    exit 2
    ;;
  esac
done

tools/install-deps.sh

passed=0
failed=0
skipped=0

# suite NAME COMMAND...: runs it; its last line "N passed, N failed, N skipped" is added up.
suite() {
  name=$1
  shift
  echo
  echo "== $name"
  status=0
  "$@" >build-suite.log 2>&1 || status=$?
  cat build-suite.log
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' build-suite.log | tail -n 1)
  rm -f build-suite.log
  if [ -z "$line" ]; then
    echo "$name: ended with $status and no count"
    failed=$((failed + 1))
    return
  fi
  # shellcheck disable=SC2046 # three numbers
  set -- $(echo "$line" | tr -c '0-9\n' ' ')
  passed=$((passed + $1))
  failed=$((failed + $2))
  skipped=$((skipped + ${3:-0}))
  [ "$status" -eq 0 ] || [ "$2" -ne 0 ] || failed=$((failed + 1))
}

# configure DIR COMPILER OPTION...
configure() {
  dir=$1
  compiler=$2
  shift 2
  [ -e "$dir/build.ninja" ] || CC=$compiler meson setup "$dir" --werror "$@"
}

configure build gcc
ninja -C build
suite "unit and fuzz corpora (gcc)" tools/count-tests.py build
suite "cases" tests/runner.py --build build $full

# The example ends when something is wrong; it builds nothing that is built.
quickstart() {
  quickstart_tmp=$(mktemp -d)
  quickstart_status=0
  TMPDIR=$quickstart_tmp examples/quickstart.sh || quickstart_status=$?
  # Neither a mount nor a file is left.
  if rmdir "$quickstart_tmp" && [ "$quickstart_status" -eq 0 ]; then
    echo "1 passed, 0 failed"
    return
  fi
  echo "0 passed, 1 failed"
  return 1
}

if [ -z "$quick" ]; then
  suite "examples/quickstart.sh" quickstart
  configure build-asan gcc --native-file tools/asan.ini
  ninja -C build-asan
  # libFuzzer replays the corpora with both below.
  suite "unit (ASan and UBSan)" tools/count-tests.py build-asan --suite unit
  suite "cases (ASan and UBSan)" tests/runner.py --build build-asan --slow 4 $full
  # For its warnings, and for what reads its commands: nothing of it runs.
  configure build-clang clang -Doptimization=0 -Ddebug=false
  ninja -C build-clang
  suite "lint" tools/check.sh build-clang $full
  # Only what has threads: of the others it says nothing.
  threads="base/hash_copy base/mapping base/workers fs/cache fs/channel fs/ops fs/session_threads fs/view image/catalog image/layer_write store/catalogs store/layers"
  configure build-tsan clang --native-file tools/tsan.ini -Dman=disabled
  # shellcheck disable=SC2046,SC2086 # lists
  ninja -C build-tsan cli/shale $(printf '%s\n' $threads | sed 's|\(.*\)/\(.*\)|tests/unit/\1/test_\1_\2|')
  TSAN_OPTIONS="halt_on_error=1:exitcode=99:suppressions=$PWD/tools/tsan.supp"
  export TSAN_OPTIONS
  # shellcheck disable=SC2086 # a list
  suite "unit (TSan)" tools/count-tests.py build-tsan $threads
  suite "cases (TSan)" tests/runner.py --build build-tsan --slow 4 mount/many-readers mount/two-of-one-image \
    mount/handles mount/cache-size mount/killed-worker mount/killed-worker-often edit/threads build/large-tree store/concurrent
  unset TSAN_OPTIONS
  configure build-fuzz clang -Dfuzz=enabled -Dtests=disabled -Dman=disabled
  ninja -C build-fuzz fuzzers
  suite "fuzz targets (libFuzzer)" tools/fuzz.sh build-fuzz
fi

echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
