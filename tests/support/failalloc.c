/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/failalloc.h"

#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdlib.h>

/* The linker's names for what it wraps, and for what it wrapped. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

enum { RUNS_MAX = 100000 };

/* Allocations until the one that fails; 0 and below: none does. */
static atomic_long left;
static atomic_bool reached;

static bool fails_now(void)
{
	if (atomic_load(&left) <= 0 || atomic_fetch_sub(&left, 1) != 1)
		return false;
	atomic_store(&reached, true);
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails_now() ? NULL : __real_realloc(old, size);
}

void failalloc_start(unsigned n)
{
	json_malloc_t taker;
	json_free_t giver;

	/* Unless it goes through the program already. */
	json_get_alloc_funcs(&taker, &giver);
	if (taker == __real_malloc)
		json_set_alloc_funcs(malloc, free);
	atomic_store(&reached, false);
	atomic_store(&left, (long)n);
}

bool failalloc_stop(void)
{
	atomic_store(&left, 0);
	return atomic_load(&reached);
}

void failalloc_each(int (*fn)(void *arg, struct err *e), void *arg)
{
	unsigned failures = 0;

	for (unsigned n = 1; n <= RUNS_MAX; n++) {
		struct err e = ERR_INIT;
		failalloc_start(n);
		const int rc = fn(arg, &e);
		const bool was_reached = failalloc_stop();
		if (rc == 0)
			ck_assert_msg(e.code == ERR_NONE, "allocation %u: success with: %s", n,
				      e.msg ? e.msg : "(none)");
		else
			ck_assert_msg(e.code == ERR_NOMEM, "allocation %u: code %d: %s", n,
				      (int)e.code, e.msg ? e.msg : "(none)");
		failures += rc != 0;
		err_clear(&e);
		if (!was_reached) {
			ck_assert_int_eq(rc, 0);
			ck_assert_uint_gt(failures, 0);
			return;
		}
	}
	ck_abort_msg("more than %d allocations", RUNS_MAX);
}
