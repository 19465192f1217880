/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The patterns of ${name#pattern}, ${name%pattern} and ${name/pattern/text}: "*" and "?" stand for
 * any characters ("/" included), "\" takes "*", "?", "\", "}" or "/" as it is, and nothing else.
 *
 * Values come from outside and may be long, so the work is counted, for the texts' length and for
 * each comparison: `steps` goes down, and at 0 it is ERR_LIMIT.  No backtracking beyond that.
 */
#ifndef MANIFESTS_PATTERN_H
#define MANIFESTS_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/*
 * Appends `value` without the shortest (or the longest) start, or end, that matches.  ERR_SYNTAX
 * for a malformed pattern, ERR_LIMIT, ERR_NOMEM.
 */
int pattern_trim(struct str *out, const char *value, const char *pattern, bool is_end,
		 bool is_longest, uint64_t *steps, struct err *e);

/* Appends `value` with the first match (or all) replaced; matches are as long as can be. */
int pattern_replace(struct str *out, const char *value, const char *pattern, const char *text,
		    bool is_all, uint64_t *steps, struct err *e);

#endif
