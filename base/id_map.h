/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table from numbers, which are not 0, to numbers.
 *
 * 16 bytes a place; it grows when two thirds of the places are used, and does not shrink before
 * id_map_clear.  Threads: one at a time.
 */
#ifndef BASE_ID_MAP_H
#define BASE_ID_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"

struct id_entry {
	uint64_t id; /* 0: free */
	uint64_t value;
};

struct id_map {
	struct id_entry *slots;
	size_t size; /* a power of two, or 0 */
	size_t count;
};

#define ID_MAP_INIT        \
	{                  \
		NULL, 0, 0 \
	}

/* The value, which may be changed until the next put or remove; NULL. */
uint64_t *id_map_get(const struct id_map *m, uint64_t id);

/* ERR_NOMEM: the map has what it had. */
int id_map_put(struct id_map *m, uint64_t id, uint64_t value, struct err *e);

bool id_map_remove(struct id_map *m, uint64_t id);

/* The entry at or after place `*at`, which moves behind it; NULL at the end.  For a map that does
 * not change meanwhile. */
const struct id_entry *id_map_next(const struct id_map *m, size_t *at);

void id_map_clear(struct id_map *m);
void id_map_fini(struct id_map *m);
SCOPE_DEFINE_VALUE(id_map, struct id_map, id_map_fini)

#endif
