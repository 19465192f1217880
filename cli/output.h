/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What commands print: results on standard output, complete or an error; progress on a terminal.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/progress.h"
#include "base/str.h"

/* Standard output, buffered; ERR_SYS when it cannot be written. */
int output_write(const void *bytes, size_t len, struct err *e);
int outputf(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "sha256:" and the digits that docker shows; returns `buf`. */
const char *output_short_digest(const struct digest *d, char buf[static DIGEST_STR_MAX]);
/* A report as indented JSON. */
int output_json(const json_t *value, struct err *e);
/* The same for an array of any length, element by element: `*count` is 0 before the first one. */
int output_json_element(const json_t *value, size_t *count, struct err *e);
int output_json_end(size_t count, struct err *e);
/* Fails when standard output is closed: for work that ends with a result worth printing. */
int output_check(struct err *e);
/* Flushes; must be the last. */
int output_finish(struct err *e);

/* Columns of text that line up. */
struct table;
struct table *table_new(size_t columns, struct err *e);
/* Copies; one call a cell, row by row.  Text from outside is quoted for the terminal. */
int table_cell(struct table *t, const char *text, struct err *e);
/* The first row: one name a column. */
int table_heads(struct table *t, const char *const *names, struct err *e);
/* What does not fit of this column is cut: into what the others leave of the terminal, or into 45
 * columns, as docker cuts, when standard output is none. */
void table_cut(struct table *t, size_t column);
int table_cellf(struct table *t, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Prints all rows. */
int table_print(struct table *t, struct err *e);
void table_free(struct table *t);
SCOPE_DEFINE(table, struct table *, table_free)

/*
 * A line on standard error that is drawn anew, as progress_format has it, at most ten times a
 * second while a phase lasts; nothing when standard error is no terminal or `is_quiet`, and nothing
 * of what is over within a tenth of a second.  Messages of base/log.h clear it by themselves; there
 * is one a process.
 */
struct progress_line {
	struct progress progress; /* pass &line.progress down */
	bool is_shown;
	uint64_t drawn_ms;
	pid_t owner; /* the process that was started */
};

void progress_line_init(struct progress_line *l, bool is_quiet);
/* Wipes the line: before anything else is printed. */
void progress_line_clear(struct progress_line *l);
/* The same, and nothing is drawn any more. */
void progress_line_fini(struct progress_line *l);
SCOPE_DEFINE_VALUE(progress_line, struct progress_line, progress_line_fini)

#endif
