/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The subordinate ids of a user: the ranges that subuid(5) or subgid(5) gives him.  Text in, ranges
 * out; files are the caller's matter.
 *
 * Source: subuid(5), "NAME:START:COUNT", where NAME may be the uid in decimal.  A line that is not
 * that is passed over, as newuidmap(1) does.  Stricter: numbers are decimal (newuidmap reads one
 * that begins with 0 as octal), and a range may not hold the id 0, which would hand root's own
 * files to whoever has it.
 *
 * Limits: LIMIT_IDMAP_EXTENTS ranges of one user.
 */
#ifndef BASE_SUBIDS_H
#define BASE_SUBIDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"

enum {
	SUBIDS_COUNT = 65536 /* ids that useradd(8) gives a user: SUB_UID_COUNT of login.defs(5) */
};

/* The largest id; the one behind it means "none" to Linux. */
#define SUBIDS_MAX UINT32_C(4294967294)

struct subid_range {
	uint32_t start;
	uint32_t count; /* not 0; start + count - 1 is an id */
};

struct subids {
	struct subid_range *ranges; /* by their start; they may overlap */
	size_t count;
	size_t cap;
	size_t bad_line; /* the first line of the user that was passed over, from 1; 0: none */
	/* The first of SUBIDS_COUNT ids behind those of all users; 0 when there are none. */
	uint32_t unused;
};

#define SUBIDS_INIT              \
	{                        \
		NULL, 0, 0, 0, 0 \
	}

/*
 * Reads the lines of the user `name` (NULL: he has none) or `uid`.  `out` is empty before.
 * Returns 0, also when he has no line; -1 with ERR_LIMIT or ERR_NOMEM.
 */
int subids_parse(struct subids *out, const char *text, size_t len, const char *name, uint32_t uid,
		 struct err *e);
void subids_fini(struct subids *s);
SCOPE_DEFINE_VALUE(subids, struct subids, subids_fini)

#endif
