/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

#include "base/array.h"
#include "base/json.h"
#include "base/quote.h"

int output_write(const void *bytes, size_t len, struct err *e)
{
	if (len && fwrite(bytes, 1, len, stdout) != len)
		return err_sys(e, errno, "cannot write to standard output");
	return 0;
}

int outputf(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	const int n = vprintf(fmt, ap);
	va_end(ap);
	return n < 0 ? err_sys(e, errno, "cannot write to standard output") : 0;
}

int output_json(const json_t *value, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;

	if (json_format_pretty(value, &text, e) < 0)
		return -1;
	return output_write(text.data, text.len, e);
}

int output_json_element(const json_t *value, size_t *count, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;

	if (str_append_z(&text, (*count)++ ? ",\n  " : "[\n  ", e) < 0 ||
	    json_format(value, &text, e) < 0)
		return -1;
	return output_write(text.data, text.len, e);
}

int output_json_end(size_t count, struct err *e)
{
	return outputf(e, count ? "\n]\n" : "[]\n");
}

int output_check(struct err *e)
{
	const int flags = fcntl(STDOUT_FILENO, F_GETFL);

	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
		return err_sys(e, EBADF, "cannot write to standard output");
	return 0;
}

int output_finish(struct err *e)
{
	/* The stream remembers that an earlier write failed, but not why. */
	errno = 0;
	if (fflush(stdout) != 0 || ferror(stdout))
		return err_sys(e, errno ? errno : EIO, "cannot write to standard output");
	return 0;
}

struct table {
	size_t columns;
	char **cells;
	size_t count;
	size_t cap;
};

struct table *table_new(size_t columns, struct err *e)
{
	struct table *t = array_new(1, sizeof(*t), e);

	if (t)
		t->columns = columns;
	return t;
}

int table_cell(struct table *t, const char *text, struct err *e)
{
	SCOPE(str) struct str quoted = STR_INIT;

	if (array_reserve(&t->cells, &t->cap, t->count + 1, sizeof(*t->cells), e) < 0 ||
	    quote_append(&quoted, text, strlen(text), e) < 0)
		return -1;
	char *cell = str_steal(&quoted, e);
	if (!cell)
		return -1;
	t->cells[t->count++] = cell;
	return 0;
}

int table_cellf(struct table *t, struct err *e, const char *fmt, ...)
{
	SCOPE_FREE char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	const int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		text = NULL;
		return err_nomem(e);
	}
	return table_cell(t, text, e);
}

int table_print(const struct table *t, struct err *e)
{
	SCOPE_FREE int *widths = array_new(t->columns, sizeof(*widths), e);

	if (!widths)
		return -1;
	for (size_t i = 0; i < t->count; i++) {
		const int len = (int)strlen(t->cells[i]);
		if (len > widths[i % t->columns])
			widths[i % t->columns] = len;
	}
	for (size_t i = 0; i < t->count; i++) {
		const size_t column = i % t->columns;
		const bool is_last = column + 1 == t->columns;

		if (is_last ? outputf(e, "%s\n", t->cells[i]) < 0
			    : outputf(e, "%-*s  ", widths[column], t->cells[i]) < 0)
			return -1;
	}
	return 0;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->count; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}
