/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of strings in the order given: argument vectors, environments, sources of a COPY.
 */
#ifndef BASE_STRLIST_H
#define BASE_STRLIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/scope.h"

struct strlist {
	char **items;
	size_t count;
	size_t cap;
	bool is_set; /* an empty list is not the same as no list: CMD [] */
};

#define STRLIST_INIT              \
	{                         \
		NULL, 0, 0, false \
	}

/* Copy; 0, or -1 with ERR_NOMEM.  Both set is_set. */
int strlist_add(struct strlist *l, const char *text, struct err *e);
int strlist_copy(struct strlist *to, const struct strlist *from, struct err *e);
/* Empty again, and not set. */
void strlist_clear(struct strlist *l);
void strlist_fini(struct strlist *l);
SCOPE_DEFINE_VALUE(strlist, struct strlist, strlist_fini)

#endif
