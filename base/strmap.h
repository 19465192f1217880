/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small maps of string to string, sorted by key bytes: annotations, labels, environments.
 */
#ifndef BASE_STRMAP_H
#define BASE_STRMAP_H

#include <stddef.h>

#include "base/err.h"
#include "base/scope.h"

struct strmap_item {
	char *key;
	char *value;
};

struct strmap {
	struct strmap_item *items; /* sorted by key */
	size_t count;
	size_t cap;
};

#define STRMAP_INIT        \
	{                  \
		NULL, 0, 0 \
	}

/* Adds or replaces; copies both.  0, or -1 with ERR_NOMEM. */
int strmap_set(struct strmap *m, const char *key, const char *value, struct err *e);
/* NULL when absent; borrowed. */
const char *strmap_get(const struct strmap *m, const char *key);
/* 1 removed, 0 was not there. */
int strmap_remove(struct strmap *m, const char *key);
int strmap_copy(struct strmap *to, const struct strmap *from, struct err *e);
void strmap_fini(struct strmap *m);
SCOPE_DEFINE_VALUE(strmap, struct strmap, strmap_fini)

#endif
