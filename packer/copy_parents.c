/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/copy_parents.h"

#include <string.h>

#include "base/quote.h"
#include "manifests/glob.h"

/* Rules that exclude all but what the pattern selects; `*out` is NULL for all. */
static int selection(const char *pattern, struct ignore **out, struct err *e)
{
	SCOPE(strlist) struct strlist rules = STRLIST_INIT;

	*out = NULL;
	if (strcmp(pattern, ".") == 0)
		return 0;
	SCOPE_FREE char *taken = str_dupf(e, "!%s", pattern);
	if (!taken || strlist_add(&rules, "*", e) < 0 || strlist_add(&rules, taken, e) < 0)
		return -1;
	*out = ignore_new(&rules, e);
	return *out ? 0 : -1;
}

int copy_parents_walk(const struct context *c, const struct plan_copy *copy, size_t index,
		      int (*each)(void *ctx, const struct context_entry *entry, struct err *e),
		      void *ctx, struct err *e)
{
	SCOPE(strlist) struct strlist dirs = STRLIST_INIT;
	SCOPE(ignore) struct ignore *others = NULL;

	if (context_match(c, copy->sources.items[index], &dirs, e) < 0 ||
	    selection(copy->patterns.items[index], &others, e) < 0)
		return -1;
	for (size_t i = 0; i < dirs.count; i++) {
		struct stat st;
		if (context_stat(c, dirs.items[i], &st, e) < 0)
			return -1;
		/* Nothing is below a file. */
		if (S_ISDIR(st.st_mode) && context_walk(c, dirs.items[i], others, each, ctx, e) < 0)
			return -1;
	}
	return 0;
}

static bool is_literal(const char *pattern)
{
	return !pattern[strcspn(pattern, "*?[\\")];
}

bool copy_parents_is_literal(const struct plan_copy *copy, size_t index)
{
	return is_literal(copy->sources.items[index]) && is_literal(copy->patterns.items[index]);
}

int copy_parents_refuse(const struct context *c, const struct plan_copy *copy, size_t index,
			struct err *e)
{
	const char *dir = copy->sources.items[index];
	SCOPE(strlist) struct strlist found = STRLIST_INIT;
	SCOPE_FREE char *path = NULL;
	char q[QUOTE_MAX];

	path = strcmp(dir, ".") == 0 ? str_dup(copy->patterns.items[index], e)
				     : str_dupf(e, "%s/%s", dir, copy->patterns.items[index]);
	if (!path || context_match(c, path, &found, e) < 0)
		return -1;
	return err_set(e, ERR_UNSUPPORTED,
		       "'%s' of the context leads through a link: --parents keeps paths, and "
		       "follows none",
		       quote_str(q, path));
}
