#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# TIMEOUT: 240
# Long work draws a line on a terminal: what, how much of how much, how fast; nothing goes into a pipe, and nothing is left.
# SANITIZERS: no
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/terminal.sh"

# Text that repeats costs little to pack: 400 MB take long enough for a few lines.
mkdir -p big small/dir
yes 'a line of the one big file' | head -c 400000000 >big/file
seq 20000 | split -l 1 -a 4 - small/dir/f

on_terminal 80 shale import -t big dir:big || fail "import failed"
[ "$(figures packing)" -gt 1 ] || fail "one big file: not more than one figure ($(cat -v lines))"
shows '^packing  [0-9.]+ MiB, [0-9.]+ [MG]iB/s  file$' "one big file"
same "what import left on the terminal" "$(grep -c '^sha256:[0-9a-f]*$' left) of $(grep -c . left)" "1 of 1"

printf 'FROM scratch\nCOPY . /app\n' >big/Containerfile
on_terminal 80 shale build -t built big || fail "build failed"
[ "$(figures packing)" -gt 1 ] || fail "build: not more than one figure ($(cat -v lines))"
shows '^packing  [0-9.]+ MiB of [0-9.]+ MiB, [0-9]+%, [0-9.]+ [MG]iB/s  app/file$' "build"
grep -q '^\[1/1\] COPY \. /app' left || fail "the step is mixed with the line"

on_terminal 80 shale import -t small dir:small || fail "import failed"
shows '^packing  [0-9.]+ KiB, [0-9.]+ [KM]iB/s  dir/f[a-z]*$' "many small files"
on_terminal 40 shale import -t small2 dir:small || fail "import failed"
shows '^packing  ' "on a narrow terminal"
mkdir out
on_terminal 80 shale cp small:/dir out || fail "cp failed"
shows '^copying  [0-9.]+ KiB, [0-9.]+ [KM]iB/s  dir/f[a-z]*$' "cp of many small files"
on_terminal 80 shale cp big:/file out || fail "cp failed"
shows '^copying  [0-9.]+ MiB of 381\.5 MiB, [0-9]+%, [0-9.]+ [MG]iB/s  file$' "cp of one big file"

# A foreign layer whose derived files are not there is re-framed by who reads it first.
foreign big/file foreign
on_terminal 80 shale import -t foreign oci:foreign || fail "import failed"
shows '^re-framing a layer  [0-9.]+ [KM]iB of [0-9.]+ [KM]iB, [0-9]+%, ' "import of a foreign layer"
for command in "ls foreign" "cat foreign /none" "cp foreign:/none out"; do
  rm -rf "$SHALE_STORE"/shale/layers/* "$SHALE_STORE"/shale/catalogs/*
  status=0
  # shellcheck disable=SC2086 # words
  on_terminal 80 shale $command || status=$?
  case $command in
  ls*)
    same "ls" "$status" 0
    same "what ls left" "$(cat left)" "file"
    ;;
  *)
    same "$command" "$status" 8
    same "lines that $command left" "$(grep -c '^shale: ' left) of $(grep -c . left)" "1 of 1"
    ;;
  esac
  shows '^re-framing a layer  [0-9.]+ [KM]iB of [0-9.]+ [KM]iB, [0-9]+%, [0-9.]+ [KM]iB/s$' "$command"
done

# What cannot be compressed takes a while to be read, too.
head -c 400000000 /dev/urandom >big/file
shale import -q -t random dir:big >/dev/null
on_terminal 80 shale fsck --read-data || fail "fsck failed"
shows '^checking the store  [0-9.]+ [MK]iB of [0-9.]+ [KM]iB, [0-9]+%, [0-9.]+ [MG]iB/s' "fsck"

# Nothing for who asks for nothing, and nothing where it is no terminal.
on_terminal 80 shale import -q -t small dir:small || fail "import failed"
same "import -q" "$(wc -l <lines)" 0
shale import -t small dir:small >out.txt 2>err.txt
same "what went into a file" "$(wc -c <err.txt) $(wc -l <out.txt)" "0 1"
shale import -t small dir:small 2>&1 >/dev/null | wc -c >count
same "what went into a pipe" "$(cat count)" 0
