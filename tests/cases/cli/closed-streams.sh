#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What would go to a closed standard stream never lands in a file that has its number: it is an error (7), and the store
# stays as it was.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

small_image app >/dev/null
shale ls app >/dev/null
contents store >before
for command in images 'images --json' 'inspect app' 'ls app' 'cat app /hello' fsck 'gc -n' 'tag --help' --version \
  'build -q -t late small -f manifest'; do
  echo FROM scratch >manifest
  for close in '>&-' '<&- >&-' '<&- >&- 2>&-'; do
    expect 7 "*" sh -c "exec shale $command $close"
    case $close in *'2>&-') ;; *)
      grep -q '^shale: cannot write to standard output: Bad file descriptor$' expect.out || fail "$command: $(cat expect.out)"
      ;;
    esac
  done
done
contents store | diff -u before - >&2 || fail "the store is another"
# Nobody reads or writes these.
for close in '<&-' '2>&-' '<&- 2>&-'; do
  same "with $close" "$(sh -c "shale cat app /hello $close")" hello
done
expect 7 "*standard input*" sh -c 'exec shale build -f - small <&-'
expect 2 "" sh -c 'exec shale frobnicate 2>&-'
