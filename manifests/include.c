/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/include.h"

#include <stdbool.h>
#include <string.h>

#include "base/limits.h"
#include "base/path.h"
#include "base/quote.h"

/* Whether ".." climbs above where `path` starts. */
static bool leads_out(const char *path)
{
	size_t depth = 0;

	while (*path) {
		const size_t len = strcspn(path, "/");
		if (len == 2 && memcmp(path, "..", 2) == 0) {
			if (depth-- == 0)
				return true;
		} else if (len > 0 && !(len == 1 && path[0] == '.')) {
			depth++;
		}
		path += len + (path[len] == '/');
	}
	return false;
}

static int check_chain(const struct include_chain *chain, const char *path, struct err *e)
{
	unsigned depth = 0;
	char q[QUOTE_MAX];

	for (const struct include_chain *c = chain; c; c = c->outer) {
		if (strcmp(c->path, path) == 0)
			return err_set(e, ERR_SYNTAX, "'%s' includes itself", quote_str(q, path));
		depth++;
	}
	if (depth > LIMIT_INCLUDE_DEPTH)
		return err_set(e, ERR_LIMIT, "'%s': fragments nest deeper than %d",
			       quote_str(q, path), LIMIT_INCLUDE_DEPTH);
	return 0;
}

int include_resolve(const struct include_chain *chain, const char *path, struct str *out,
		    struct err *e)
{
	SCOPE(str) struct str joined = STR_INIT;
	SCOPE(str) struct str clean = STR_INIT;
	const char *slash = strrchr(chain->path, '/');
	char q[QUOTE_MAX];

	quote_str(q, path);
	if (strstr(path, "://"))
		return err_set(e, ERR_UNSUPPORTED,
			       "INCLUDE takes files of the context, not from the network: '%s'", q);
	if (path[0] == '/')
		return err_set(e, ERR_SYNTAX,
			       "'%s': INCLUDE takes a path that is relative to this file", q);
	if ((slash && str_append(&joined, chain->path, (size_t)(slash - chain->path) + 1, e) < 0) ||
	    str_append_z(&joined, path, e) < 0)
		return -1;
	if (leads_out(str_text(&joined)))
		return err_set(e, ERR_SYNTAX, "'%s' leads out of the context", q);
	if (joined.len > LIMIT_PATH)
		return err_set(e, ERR_LIMIT, "'%s': path is longer than %d bytes", q, LIMIT_PATH);
	if (path_clean(str_text(&joined), &clean, e) < 0)
		return -1;
	if (clean.len == 0)
		return err_set(e, ERR_SYNTAX, "'%s' is no file", q);
	if (check_chain(chain, clean.data, e) < 0)
		return -1;
	return str_append(out, clean.data, clean.len, e);
}
