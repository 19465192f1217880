/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash table from numbers, which are not 0, to numbers.
 *
 * 16 bytes a place; it grows when two thirds of the places are used, and shrinks when less than an
 * eighth is.
 * Threads: one at a time.
 */
#ifndef BASE_U64MAP_H
#define BASE_U64MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"

struct u64map_entry {
	uint64_t key; /* 0: free */
	uint64_t value;
};

struct u64map {
	struct u64map_entry *slots;
	size_t size; /* a power of two, or 0 */
	size_t count;
};

#define U64MAP_INIT        \
	{                  \
		NULL, 0, 0 \
	}

/* The value, which may be changed until the next put or remove; NULL. */
uint64_t *u64map_get(const struct u64map *m, uint64_t key);

/* ERR_NOMEM: the map has what it had. */
int u64map_put(struct u64map *m, uint64_t key, uint64_t value, struct err *e);

bool u64map_remove(struct u64map *m, uint64_t key);

/* The entry at or after place `*at`, which moves behind it; NULL at the end.  For a map that does
 * not change meanwhile. */
const struct u64map_entry *u64map_next(const struct u64map *m, size_t *at);

/* Leaves it empty, and of use. */
void u64map_fini(struct u64map *m);
SCOPE_DEFINE_VALUE(u64map, struct u64map, u64map_fini)

#endif
