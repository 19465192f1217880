/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The map of a user namespace: which ids of its inside are which ids of its outside.
 *
 * Source: user_namespaces(7), "User and group ID mappings".  Inside, 0 is the user's own id, and 1,
 * 2, ... are his subordinate ids by their size, as podman has them, so that what one of the two
 * stores belongs to the same ids in the other.  Linux refuses ranges that overlap: what is mapped
 * already is left out.
 *
 * Limits: LIMIT_IDMAP_EXTENTS, LIMIT_IDMAP_TEXT.
 */
#ifndef BASE_IDMAP_H
#define BASE_IDMAP_H

#include "base/str.h"
#include "base/subids.h"

struct idmap_extent {
	uint32_t inside;
	uint32_t outside;
	uint32_t count;
};

struct idmap {
	struct idmap_extent *extents; /* the first is the user's own id */
	size_t count;
	size_t cap;
};

#define IDMAP_INIT         \
	{                  \
		NULL, 0, 0 \
	}

/* `own` and `ids`; `out` is empty before, and on an error.  0, or -1 with ERR_LIMIT or ERR_NOMEM.
 */
int idmap_build(struct idmap *out, uint32_t own, const struct subids *ids, struct err *e);

/* Appends "INSIDE OUTSIDE COUNT\n" for each extent, as /proc/PID/uid_map takes it.  ERR_NOMEM. */
int idmap_format(const struct idmap *m, struct str *out, struct err *e);

void idmap_fini(struct idmap *m);
SCOPE_DEFINE_VALUE(idmap, struct idmap, idmap_fini)

#endif
