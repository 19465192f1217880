/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An open-addressing table that doubles when it is half full.
 */
#include "packer/link_table.h"

#include <stdint.h>

#include "base/array.h"
#include "base/str.h"

enum { TABLE_SIZE_MIN = 256 };

struct slot {
	dev_t dev;
	ino_t ino;
	char *path; /* NULL: free */
	size_t len;
};

struct link_table {
	struct slot *slots;
	size_t size; /* a power of two */
	size_t count;
};

struct link_table *link_table_new(struct err *e)
{
	struct link_table *t = array_new(1, sizeof(*t), e);

	if (!t)
		return NULL;
	t->size = TABLE_SIZE_MIN;
	t->slots = array_new(t->size, sizeof(*t->slots), e);
	if (!t->slots) {
		free(t);
		return NULL;
	}
	return t;
}

void link_table_free(struct link_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->size; i++)
		free(t->slots[i].path);
	free(t->slots);
	free(t);
}

/* The slot that holds the file, or the free one where it belongs. */
static struct slot *find(struct slot *slots, size_t size, dev_t dev, ino_t ino)
{
	size_t at = (size_t)(((uint64_t)ino ^ (uint64_t)dev << 32) * UINT64_C(0x9e3779b97f4a7c15) >>
			     32);

	for (;; at++) {
		struct slot *s = &slots[at & (size - 1)];
		if (!s->path || (s->dev == dev && s->ino == ino))
			return s;
	}
}

static int grow(struct link_table *t, struct err *e)
{
	const size_t size = t->size * 2;
	struct slot *slots = array_new(size, sizeof(*slots), e);

	if (!slots)
		return -1;
	for (size_t i = 0; i < t->size; i++) {
		if (t->slots[i].path)
			*find(slots, size, t->slots[i].dev, t->slots[i].ino) = t->slots[i];
	}
	free(t->slots);
	t->slots = slots;
	t->size = size;
	return 0;
}

int link_table_note(struct link_table *t, const struct stat *st, const char *path, size_t len,
		    const char **first, size_t *first_len, struct err *e)
{
	if (t->count >= t->size / 2 && grow(t, e) < 0)
		return -1;
	struct slot *s = find(t->slots, t->size, st->st_dev, st->st_ino);
	if (s->path) {
		*first = s->path;
		*first_len = s->len;
		return 1;
	}
	char *copy = str_dup_n(path, len, e);
	if (!copy)
		return -1;
	*s = (struct slot){st->st_dev, st->st_ino, copy, len};
	t->count++;
	return 0;
}
