/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of a build file, cut into physical lines, and places in it.
 *
 * Refused at once: more than LIMIT_MANIFEST bytes or a line of more than LIMIT_MANIFEST_LINE
 * (ERR_LIMIT), a NUL byte (ERR_SYNTAX).  A UTF-8 byte order mark in front is dropped.
 */
#ifndef MANIFESTS_SOURCE_H
#define MANIFESTS_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"

/* Lines and columns count from 1, columns in bytes; line 0 is the file as a whole. */
struct place {
	uint32_t line, column;
	uint32_t file; /* see source_at */
};

struct source {
	char *name; /* as the user knows the file */
	char *text;
	size_t len;
	size_t *starts; /* of the lines */
	size_t line_count;
	uint32_t file;       /* 0: the build file; else the number of a fragment */
	struct source *next; /* the fragments of the build file, by number; owned */
};

#define SOURCE_INIT                             \
	{                                       \
		NULL, NULL, 0, NULL, 0, 0, NULL \
	}

/* Copies both; file 0.  ERR_LIMIT, ERR_SYNTAX, ERR_NOMEM; `s` is then as it was. */
int source_init(struct source *s, const char *name, const void *bytes, size_t len, struct err *e);
void source_fini(struct source *s);
SCOPE_DEFINE_VALUE(source, struct source, source_fini)

/* The last source of `s` and its fragments gets one more, which it takes over. */
void source_add_fragment(struct source *s, struct source *fragment);

/* The source that `at` is in, of `s` and its fragments. */
const struct source *source_at(const struct source *s, struct place at);

static inline struct place source_place(const struct source *s, uint32_t line, uint32_t column)
{
	return (struct place){line, column, s->file};
}

/* Line `number` (1..line_count) without its end of line; not terminated. */
const char *source_line(const struct source *s, size_t number, size_t *len);

#endif
