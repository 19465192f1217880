/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open addressing with linear probing; a removal moves the later ones of its run back, so that
 * there are no tombstones.
 */
#include "base/u64map.h"

#include "base/array.h"

enum { SIZE_MIN = 64 };

static size_t home(const struct u64map *m, uint64_t key)
{
	/* Fibonacci hashing: numbers that follow each other are spread. */
	return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (m->size - 1);
}

/* Where it is, or where it would be put.  The map has a free place. */
static size_t find(const struct u64map *m, uint64_t key)
{
	size_t at = home(m, key);

	while (m->slots[at].key && m->slots[at].key != key)
		at = (at + 1) & (m->size - 1);
	return at;
}

uint64_t *u64map_get(const struct u64map *m, uint64_t key)
{
	if (m->size == 0)
		return NULL;
	struct u64map_entry *slot = &m->slots[find(m, key)];
	return slot->key ? &slot->value : NULL;
}

static int resize(struct u64map *m, size_t size, struct err *e)
{
	struct u64map other = {.size = size, .count = m->count};

	other.slots = array_new(size, sizeof(*other.slots), e);
	if (!other.slots)
		return -1;
	for (size_t i = 0; i < m->size; i++) {
		if (m->slots[i].key)
			other.slots[find(&other, m->slots[i].key)] = m->slots[i];
	}
	free(m->slots);
	*m = other;
	return 0;
}

static int grow(struct u64map *m, struct err *e)
{
	return resize(m, m->size ? m->size * 2 : SIZE_MIN, e);
}

/* Far from where it grows again, so that nobody who adds and removes pays for each. */
static void shrink(struct u64map *m)
{
	struct err ignored = ERR_INIT;

	if (m->size > SIZE_MIN && m->count * 8 < m->size && resize(m, m->size / 4, &ignored) < 0)
		err_clear(&ignored);
}

int u64map_put(struct u64map *m, uint64_t key, uint64_t value, struct err *e)
{
	if (m->count * 3 >= m->size * 2 && grow(m, e) < 0)
		return -1;
	struct u64map_entry *slot = &m->slots[find(m, key)];
	m->count += slot->key == 0;
	*slot = (struct u64map_entry){key, value};
	return 0;
}

bool u64map_remove(struct u64map *m, uint64_t key)
{
	if (!u64map_get(m, key))
		return false;
	size_t hole = find(m, key);
	for (size_t at = (hole + 1) & (m->size - 1); m->slots[at].key;
	     at = (at + 1) & (m->size - 1)) {
		/* It may move when its home is not between the hole and where it is. */
		const size_t from_home = (at - home(m, m->slots[at].key)) & (m->size - 1);
		if (from_home >= ((at - hole) & (m->size - 1))) {
			m->slots[hole] = m->slots[at];
			hole = at;
		}
	}
	m->slots[hole] = (struct u64map_entry){0, 0};
	m->count--;
	shrink(m);
	return true;
}

const struct u64map_entry *u64map_next(const struct u64map *m, size_t *at)
{
	while (*at < m->size) {
		const struct u64map_entry *slot = &m->slots[(*at)++];
		if (slot->key)
			return slot;
	}
	return NULL;
}

void u64map_fini(struct u64map *m)
{
	free(m->slots);
	*m = (struct u64map)U64MAP_INIT;
}
