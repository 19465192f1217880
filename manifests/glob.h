/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File name patterns, compiled once and matched in time that is linear in pattern times path.
 *
 * GLOB_PLAIN is Go's filepath.Match, which COPY's sources are: "*" and "?" never match "/",
 * "[a-z]" and "[^a-z]", "\" takes the next character as it is; the whole path must match.
 * GLOB_DEEP is what moby's patternmatcher makes of a line of .dockerignore: also "**", for any
 * number of directories, none included; and it may match a part of a path (see ignore.h).
 *
 * Paths are relative, by "/", without "." or "..".  Limits: a pattern has at most LIMIT_PATH bytes.
 */
#ifndef MANIFESTS_GLOB_H
#define MANIFESTS_GLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"

enum glob_kind { GLOB_PLAIN, GLOB_DEEP };

struct glob_token;

struct glob {
	struct glob_token *tokens;
	size_t count, cap;
	char *prefix;      /* what every match starts with */
	size_t prefix_len; /* bytes; the whole pattern when is_literal */
	bool is_literal;   /* no magic character */
};

#define GLOB_INIT                          \
	{                                  \
		NULL, 0, 0, NULL, 0, false \
	}

/* ERR_SYNTAX for a malformed pattern, ERR_LIMIT, ERR_NOMEM; `g` is then empty. */
int glob_init(struct glob *g, const char *pattern, size_t len, enum glob_kind kind, struct err *e);
void glob_fini(struct glob *g);
SCOPE_DEFINE_VALUE(glob, struct glob, glob_fini)

/* Whether the whole of `path` matches.  Cannot fail: paths longer than LIMIT_PATH never match. */
bool glob_match(const struct glob *g, const char *path, size_t len);

/* Whether some longer path that starts with these bytes could match. */
bool glob_may_match_from(const struct glob *g, const char *start, size_t len);

/* The same; add to `steps` how many comparisons it took. */
bool glob_match_counting(const struct glob *g, const char *path, size_t len, uint64_t *steps);
bool glob_may_match_from_counting(const struct glob *g, const char *start, size_t len,
				  uint64_t *steps);

#endif
