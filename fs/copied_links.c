/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An open-addressing table that doubles when it is half full.
 */
#include "fs/copied_links.h"

#include "base/array.h"
#include "base/str.h"

enum { TABLE_SIZE_MIN = 64 };

/* The slot of the inode, or the free one where it belongs. */
static struct copied_link *find(struct copied_link *slots, size_t size, uint32_t inode)
{
	size_t at = (size_t)((inode * UINT64_C(0x9e3779b97f4a7c15)) >> 32);

	for (;; at++) {
		struct copied_link *l = &slots[at & (size - 1)];
		if (!l->path || l->inode == inode)
			return l;
	}
}

static int grow(struct copied_links *t, struct err *e)
{
	const size_t size = t->size ? t->size * 2 : TABLE_SIZE_MIN;
	struct copied_link *slots = array_new(size, sizeof(*slots), e);

	if (!slots)
		return -1;
	for (size_t i = 0; i < t->size; i++) {
		if (t->slots[i].path)
			*find(slots, size, t->slots[i].inode) = t->slots[i];
	}
	free(t->slots);
	t->slots = slots;
	t->size = size;
	return 0;
}

const struct copied_link *copied_links_get(const struct copied_links *t, uint32_t inode)
{
	if (!t->count)
		return NULL;
	const struct copied_link *l = find(t->slots, t->size, inode);
	return l->path ? l : NULL;
}

int copied_links_add(struct copied_links *t, uint32_t inode, dev_t dev, ino_t ino, const char *path,
		     struct err *e)
{
	if (t->count >= t->size / 2 && grow(t, e) < 0)
		return -1;
	char *copy = str_dup(path, e);
	if (!copy)
		return -1;
	*find(t->slots, t->size, inode) = (struct copied_link){inode, dev, ino, copy};
	t->count++;
	return 0;
}

void copied_links_fini(struct copied_links *t)
{
	for (size_t i = 0; i < t->size; i++)
		free(t->slots[i].path);
	free(t->slots);
	*t = (struct copied_links){.slots = NULL};
}
