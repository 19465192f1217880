/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Growth of plain arrays, with the overflow arithmetic in one place.
 *
 *	struct thing *items = NULL; size_t count = 0, cap = 0;
 *	if (array_reserve(&items, &cap, count + 1, sizeof(*items), e) < 0) return -1;
 *	items[count++] = x;
 */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Makes room for `want` elements of `size` bytes in `*items` (a pointer to the array's pointer);
 * grows by half at least.  Returns 0, or -1 with ERR_NOMEM; nothing has changed then.
 */
int array_reserve(void *items, size_t *cap, size_t want, size_t size, struct err *e);

/* calloc with ERR_NOMEM; `count` * `size` is checked. A zero size gives a unique pointer. */
void *array_new(size_t count, size_t size, struct err *e);

/* a + b and a * b into `*out`; true when they overflow. */
static inline bool add_overflows(uint64_t a, uint64_t b, uint64_t *out)
{
	return __builtin_add_overflow(a, b, out);
}

/* a + b, or `max` when that is more: for sums that people read. */
static inline uint64_t add_up_to(uint64_t a, uint64_t b, uint64_t max)
{
	uint64_t sum;

	return add_overflows(a, b, &sum) || sum > max ? max : sum;
}

static inline bool mul_overflows(uint64_t a, uint64_t b, uint64_t *out)
{
	return __builtin_mul_overflow(a, b, out);
}

#endif
