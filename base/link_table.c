/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An open-addressing table that doubles when it is half full.
 */
#include "base/link_table.h"

#include "base/array.h"
#include "base/str.h"

enum { TABLE_SIZE_MIN = 64 };

/* The slot that holds the file, or the free one where it belongs. */
static struct link_name *find(struct link_name *slots, size_t size, struct file_id id)
{
	/* Fibonacci hashing: neighbouring numbers go to slots far apart. */
	size_t at = (size_t)((id.ino ^ id.dev << 32) * UINT64_C(0x9e3779b97f4a7c15) >> 32);

	for (;; at++) {
		struct link_name *n = &slots[at & (size - 1)];
		if (!n->path || (n->id.dev == id.dev && n->id.ino == id.ino))
			return n;
	}
}

static int grow(struct link_table *t, struct err *e)
{
	const size_t size = t->size ? t->size * 2 : TABLE_SIZE_MIN;
	struct link_name *slots = array_new(size, sizeof(*slots), e);

	if (!slots)
		return -1;
	for (size_t i = 0; i < t->size; i++) {
		if (t->slots[i].path)
			*find(slots, size, t->slots[i].id) = t->slots[i];
	}
	free(t->slots);
	t->slots = slots;
	t->size = size;
	return 0;
}

const struct link_name *link_table_get(const struct link_table *t, struct file_id id)
{
	if (!t->count)
		return NULL;
	const struct link_name *n = find(t->slots, t->size, id);
	return n->path ? n : NULL;
}

int link_table_add(struct link_table *t, struct file_id id, struct file_id copy, const char *path,
		   size_t path_len, struct err *e)
{
	if (t->count >= t->size / 2 && grow(t, e) < 0)
		return -1;
	char *kept = str_dup_n(path, path_len, e);
	if (!kept)
		return -1;
	*find(t->slots, t->size, id) = (struct link_name){id, copy, kept, path_len};
	t->count++;
	return 0;
}

void link_table_fini(struct link_table *t)
{
	for (size_t i = 0; i < t->size; i++)
		free(t->slots[i].path);
	free(t->slots);
	*t = (struct link_table)LINK_TABLE_INIT;
}
