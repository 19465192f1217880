#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A wrong command line ends with 2, says what is wrong on standard error, and what was meant.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

expect 2 "shale: unknown command 'biuld' (did you mean 'build'?)" shale biuld
expect 2 "shale: unknown command 'unmount' (did you mean 'umount'?)" shale unmount
expect 2 "shale: unknown command 'frobnicate' (see shale --help)" shale frobnicate
expect 2 "shale: unknown command '' *" shale ''
expect 2 "shale: unknown option '--store': options follow the command *" shale --store here images
expect 2 "shale: unknown option '--frob' (see shale images --help)" shale images --frob
expect 2 "shale: unknown option '--frob' *" shale images --frob=x
expect 2 "shale: unknown option '-x' (see shale images --help)" shale images -x
expect 2 "shale: option '--json' takes no value" shale images --json=yes
expect 2 "shale: option '--tag' needs a value: NAME\[:TAG]" shale build . --tag
expect 2 "shale: option '-t' needs a value: *" shale build . -t
expect 2 "shale: too few arguments: shale inspect \[OPTION]... IMAGE" shale inspect
expect 2 "shale: unexpected argument 'b': shale inspect *" shale inspect a b
expect 2 "*no command given*" shale
expect 2 "*unknown option '--\\\\x1b\[31m'*" shale images "$(printf -- '--\033[31m')"

shale biuld >out 2>err || true
[ ! -s out ] || fail "an error went to standard output"
same "lines of the error" "$(wc -l <err)" 1
