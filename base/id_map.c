/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open addressing with linear probing; a removal moves the later ones of its run back, so that
 * there are no tombstones.
 */
#include "base/id_map.h"

#include "base/array.h"

enum { SIZE_MIN = 64 };

static size_t home(const struct id_map *m, uint64_t id)
{
	/* Fibonacci hashing: numbers that follow each other are spread. */
	return (size_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (m->size - 1);
}

/* Where it is, or where it would be put.  The map has a free place. */
static size_t find(const struct id_map *m, uint64_t id)
{
	size_t at = home(m, id);

	while (m->slots[at].id && m->slots[at].id != id)
		at = (at + 1) & (m->size - 1);
	return at;
}

uint64_t *id_map_get(const struct id_map *m, uint64_t id)
{
	if (m->size == 0)
		return NULL;
	struct id_entry *slot = &m->slots[find(m, id)];
	return slot->id ? &slot->value : NULL;
}

static int grow(struct id_map *m, struct err *e)
{
	struct id_map bigger = {.size = m->size ? m->size * 2 : SIZE_MIN, .count = m->count};

	bigger.slots = array_new(bigger.size, sizeof(*bigger.slots), e);
	if (!bigger.slots)
		return -1;
	for (size_t i = 0; i < m->size; i++) {
		if (m->slots[i].id)
			bigger.slots[find(&bigger, m->slots[i].id)] = m->slots[i];
	}
	free(m->slots);
	*m = bigger;
	return 0;
}

int id_map_put(struct id_map *m, uint64_t id, uint64_t value, struct err *e)
{
	if (m->count * 3 >= m->size * 2 && grow(m, e) < 0)
		return -1;
	struct id_entry *slot = &m->slots[find(m, id)];
	m->count += slot->id == 0;
	*slot = (struct id_entry){id, value};
	return 0;
}

bool id_map_remove(struct id_map *m, uint64_t id)
{
	if (!id_map_get(m, id))
		return false;
	size_t hole = find(m, id);
	for (size_t at = (hole + 1) & (m->size - 1); m->slots[at].id;
	     at = (at + 1) & (m->size - 1)) {
		/* It may move when its home is not between the hole and where it is. */
		const size_t from_home = (at - home(m, m->slots[at].id)) & (m->size - 1);
		if (from_home >= ((at - hole) & (m->size - 1))) {
			m->slots[hole] = m->slots[at];
			hole = at;
		}
	}
	m->slots[hole] = (struct id_entry){0, 0};
	m->count--;
	return true;
}

const struct id_entry *id_map_next(const struct id_map *m, size_t *at)
{
	while (*at < m->size) {
		const struct id_entry *slot = &m->slots[(*at)++];
		if (slot->id)
			return slot;
	}
	return NULL;
}

void id_map_fini(struct id_map *m)
{
	free(m->slots);
	*m = (struct id_map)ID_MAP_INIT;
}

void id_map_clear(struct id_map *m)
{
	id_map_fini(m);
}
