/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shale-failing: shale, of which one call fails that an ordinary machine lets succeed: an
 * allocation of memory, or a system call.  Variables of the environment say which:
 *
 * - FAILING_WHAT: in which way: ENOMEM, EIO, ENOSPC, EDQUOT, EMFILE, ENFILE, EAGAIN (of threads);
 * - FAILING_AT: the how manieth of the calls that can, from 1, counted from main() on; 0: none;
 * - FAILING_LOG: a file that gets, when the program ends, how many there were, and the name of the
 *   one that failed ("-": none did).
 *
 * strace injects errors into any program, but where it traces, the leak checker of ASan does not
 * work.  Here nobody traces, so every path of error is looked at for leaks, too.
 */
#ifndef TESTS_SUPPORT_FAILING_H
#define TESTS_SUPPORT_FAILING_H

#include <stdbool.h>

/* What a call needs that may be missing. */
enum failing {
	FAILING_MEMORY = 1,
	FAILING_DISK = 2,
	FAILING_ROOM = 4, /* on a disk */
	FAILING_DESCRIPTORS = 8,
	FAILING_THREADS = 16,
};

/* Whether calls that need one of `what` (a set) are those that count now. */
bool failing_counts(unsigned what);

/* Whether this call, which needs `what`, is the one that fails; sets errno then.  For any
 * thread. */
bool failing_now(unsigned what, const char *name);

#endif
