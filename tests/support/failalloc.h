/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that runs out: the linker hands the program's malloc, calloc and realloc to this module
 * (--wrap), which fails the one that a test names.  Jansson's allocations come here, too; those
 * inside other shared libraries do not.
 *
 * Threads: the count is of the whole process.
 */
#ifndef TESTS_SUPPORT_FAILALLOC_H
#define TESTS_SUPPORT_FAILALLOC_H

#include <stdbool.h>

#include "base/err.h"

/* The n-th allocation after this call fails, and no other. */
void failalloc_start(unsigned n);

/* Back to normal.  Whether the n-th allocation was reached. */
bool failalloc_stop(void);

/*
 * Calls `fn` with its 1st, 2nd, ... allocation failing, until one call gets through without a
 * failure.  `fn` returns 0 or -1, and releases all that it made.  Each call that fails must say
 * ERR_NOMEM; one that copes must leave the error clean; at least one must fail.
 */
void failalloc_each(int (*fn)(void *arg, struct err *e), void *arg);

#endif
