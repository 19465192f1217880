/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From physical to logical lines: comments and empty lines go, continued lines are joined, and it
 * is kept where each piece came from.
 *
 * Source: BuildKit's parser.  A line goes on when it ends in the escape character, but not in two,
 * with blanks after it or not; white space in front goes from the first line only.  Within a
 * continued line, comment lines are skipped, and empty ones, too, with a warning.
 */
#ifndef MANIFESTS_LINES_H
#define MANIFESTS_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"
#include "base/str.h"
#include "manifests/buildfile.h"
#include "manifests/source.h"

struct logical_line {
	struct str text;
	struct segment *segments;
	size_t segment_count, segment_cap;
	uint32_t first_line, last_line;
	uint32_t empty_line; /* the first one that was skipped; 0: none */
};

#define LOGICAL_LINE_INIT                     \
	{                                     \
		STR_INIT, NULL, 0, 0, 0, 0, 0 \
	}

void logical_line_fini(struct logical_line *l);
SCOPE_DEFINE_VALUE(logical_line, struct logical_line, logical_line_fini)

struct lines {
	const struct source *source;
	char escape;
	uint32_t next; /* physical line, from 1 */
};

/* 1 with `out` (empty before) filled, 0 at the end, -1 with ERR_NOMEM. */
int lines_next(struct lines *l, struct logical_line *out, struct err *e);

#endif
