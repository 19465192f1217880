/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"

#include <stdlib.h>
#include <string.h>

enum { ARRAY_FIRST_CAP = 8 };

/* `count` * `size` bytes as malloc takes them; more than PTRDIFF_MAX is never to be had. */
static bool bytes_overflow(size_t count, size_t size, size_t *out)
{
	return __builtin_mul_overflow(count, size, out) || *out > PTRDIFF_MAX;
}

int array_reserve(void *items, size_t *cap, size_t want, size_t size, struct err *e)
{
	if (want <= *cap)
		return 0;

	size_t bytes;
	size_t grown = *cap + *cap / 2;
	if (grown < ARRAY_FIRST_CAP)
		grown = ARRAY_FIRST_CAP;
	if (grown < want || bytes_overflow(grown, size, &bytes)) {
		grown = want;
		if (bytes_overflow(grown, size, &bytes))
			return err_nomem(e);
	}

	/* By memcpy: the pointer behind `items` has some other type than void *. */
	void *old;
	memcpy(&old, items, sizeof(old));
	void *new = realloc(old, bytes ? bytes : 1);
	if (!new)
		return err_nomem(e);
	memcpy(items, &new, sizeof(new));
	*cap = grown;
	return 0;
}

void *array_new(size_t count, size_t size, struct err *e)
{
	size_t bytes;

	void *items = bytes_overflow(count, size, &bytes) ? NULL : calloc(1, bytes ? bytes : 1);
	if (!items)
		err_nomem(e);
	return items;
}
