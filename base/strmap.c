/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strmap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/str.h"

/* Whether `key` is there; `at` is its place, or where it would go. */
static bool find_key(const struct strmap *m, const char *key, size_t *at)
{
	size_t low = 0, high = m->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int order = strcmp(m->items[middle].key, key);
		if (order == 0) {
			*at = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*at = low;
	return false;
}

int strmap_set(struct strmap *m, const char *key, const char *value, struct err *e)
{
	size_t at;
	SCOPE_FREE char *new_value = str_dup(value, e);

	if (!new_value)
		return -1;
	if (find_key(m, key, &at)) {
		free(m->items[at].value);
		m->items[at].value = steal_ptr(&new_value);
		return 0;
	}

	SCOPE_FREE char *new_key = str_dup(key, e);
	if (!new_key)
		return -1;
	if (array_reserve(&m->items, &m->cap, m->count + 1, sizeof(*m->items), e) < 0)
		return -1;
	memmove(&m->items[at + 1], &m->items[at], (m->count - at) * sizeof(*m->items));
	m->items[at] = (struct strmap_item){steal_ptr(&new_key), steal_ptr(&new_value)};
	m->count++;
	return 0;
}

const char *strmap_get(const struct strmap *m, const char *key)
{
	size_t at;

	return find_key(m, key, &at) ? m->items[at].value : NULL;
}

int strmap_remove(struct strmap *m, const char *key)
{
	size_t at;

	if (!find_key(m, key, &at))
		return 0;
	free(m->items[at].key);
	free(m->items[at].value);
	m->count--;
	memmove(&m->items[at], &m->items[at + 1], (m->count - at) * sizeof(*m->items));
	return 1;
}

int strmap_copy(struct strmap *to, const struct strmap *from, struct err *e)
{
	struct strmap copy = STRMAP_INIT;

	for (size_t i = 0; i < from->count; i++) {
		if (strmap_set(&copy, from->items[i].key, from->items[i].value, e) < 0) {
			strmap_fini(&copy);
			return -1;
		}
	}
	strmap_fini(to);
	*to = copy;
	return 0;
}

void strmap_fini(struct strmap *m)
{
	for (size_t i = 0; i < m->count; i++) {
		free(m->items[i].key);
		free(m->items[i].value);
	}
	free(m->items);
	*m = (struct strmap)STRMAP_INIT;
}
