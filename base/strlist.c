/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strlist.h"

#include "base/array.h"
#include "base/str.h"

int strlist_add(struct strlist *l, const char *text, struct err *e)
{
	if (array_reserve(&l->items, &l->cap, l->count + 1, sizeof(*l->items), e) < 0)
		return -1;
	char *copy = str_dup(text, e);
	if (!copy)
		return -1;
	l->items[l->count++] = copy;
	l->is_set = true;
	return 0;
}

int strlist_copy(struct strlist *to, const struct strlist *from, struct err *e)
{
	SCOPE(strlist) struct strlist copy = STRLIST_INIT;

	for (size_t i = 0; i < from->count; i++) {
		if (strlist_add(&copy, from->items[i], e) < 0)
			return -1;
	}
	copy.is_set = from->is_set;
	strlist_fini(to);
	*to = copy;
	copy = (struct strlist)STRLIST_INIT;
	return 0;
}

void strlist_clear(struct strlist *l)
{
	strlist_fini(l);
}

void strlist_fini(struct strlist *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->items[i]);
	free(l->items);
	*l = (struct strlist)STRLIST_INIT;
}
