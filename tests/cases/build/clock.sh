#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The clock has no part in what is built, nor in whether it works: at its zero, beyond 2038 and 2106, or going back.
# NEEDS: cc
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

cat >clock.c <<'END'
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

/* $CLOCK seconds; each look at it $CLOCK_STEP later. */
static time_t now(void)
{
	static long looks;
	const char *start = getenv("CLOCK"), *step = getenv("CLOCK_STEP");

	return (start ? atoll(start) : 0) + looks++ * (step ? atol(step) : 0);
}
time_t time(time_t *out)
{
	const time_t t = now();

	if (out)
		*out = t;
	return t;
}
int clock_gettime(clockid_t id, struct timespec *out)
{
	(void)id;
	*out = (struct timespec){now(), 0};
	return 0;
}
int gettimeofday(struct timeval *out, void *zone)
{
	(void)zone;
	*out = (struct timeval){now(), 0};
	return 0;
}
END
cc -shared -fPIC -o clock.so clock.c

mkdir context
seq 100000 >context/numbers
printf 'FROM scratch\nWORKDIR /w\nCOPY numbers /\n' >context/Shalefile
want=$(shale build -q -t app context)
# at CLOCK [STEP]: a new store, by this clock.
at() {
  rm -rf other
  for command in "build -q -t app context" "build -q -t app context" "fsck --read-data -q" gc "cat app /numbers"; do
    # shellcheck disable=SC2086 # a command and its arguments
    CLOCK=$1 CLOCK_STEP=${2:-0} LD_PRELOAD=$PWD/clock.so SHALE_STORE=$PWD/other timeout 60 shale $command >out ||
      fail "'$command' at $1"
    case $command in
    build*) same "digest at $1" "$(cat out)" "$want" ;;
    cat*) cmp out context/numbers ;;
    esac
  done
}
at 0
at 1
at 2147483647 1
at 4294967295 1
at 253402300800
at -1
at 2000000000 -1000000
