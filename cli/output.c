/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/ioctl.h>

#include "base/array.h"
#include "base/json.h"
#include "base/quote.h"

enum {
	SHORT_DIGEST = 12, /* hex digits, as docker shows them */
	CUT_DEFAULT = 45,
	CUT_MIN = 20,
	UTF8_MASK = 0xc0, /* of a byte that continues a code point: RFC 3629, section 3 */
	UTF8_CONTINUES = 0x80,
};
static const size_t NO_CUT = SIZE_MAX;
static const char ellipsis[] = "...";
static const char column_gap[] = "  ";

const char *output_short_digest(const struct digest *d, char buf[static DIGEST_STR_MAX])
{
	digest_format(d, buf);
	strchr(buf, ':')[1 + SHORT_DIGEST] = '\0';
	return buf;
}

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
	size_t cut; /* the column that is cut; NO_CUT */
	char **cells;
	size_t count;
	size_t cap;
};

struct table *table_new(size_t columns, struct err *e)
{
	struct table *t = array_new(1, sizeof(*t), e);

	if (t)
		*t = (struct table){.columns = columns, .cut = NO_CUT};
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

int table_heads(struct table *t, const char *const *names, struct err *e)
{
	for (size_t i = 0; i < t->columns; i++) {
		if (table_cell(t, names[i], e) < 0)
			return -1;
	}
	return 0;
}

void table_cut(struct table *t, size_t column)
{
	t->cut = column;
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

/* Code points: bytes that do not continue one. */
static size_t width_of(const char *cell)
{
	size_t width = 0;

	for (; *cell; cell++)
		width += ((uint8_t)*cell & UTF8_MASK) != UTF8_CONTINUES;
	return width;
}

/* Shortens a cell to `width`, with an ellipsis at its end. */
static void cut_cell(char *cell, size_t width)
{
	size_t seen = 0;
	char *end = cell;

	if (width_of(cell) <= width)
		return;
	/* What is left out is longer than the ellipsis. */
	for (; seen < width - strlen(ellipsis); end++)
		seen += ((uint8_t)end[1] & UTF8_MASK) != UTF8_CONTINUES;
	memcpy(end, ellipsis, sizeof(ellipsis));
}

static void measure(const struct table *t, size_t *widths)
{
	memset(widths, 0, t->columns * sizeof(*widths));
	for (size_t i = 0; i < t->count; i++) {
		const size_t width = width_of(t->cells[i]);
		if (width > widths[i % t->columns])
			widths[i % t->columns] = width;
	}
}

/* How wide the column may be that is cut. */
static size_t room_for_cut(const struct table *t, const size_t *widths)
{
	struct winsize w;
	size_t others = 0;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 || w.ws_col == 0)
		return CUT_DEFAULT;
	for (size_t i = 0; i < t->columns; i++)
		others += (i == t->cut ? 0 : widths[i]) + strlen(column_gap);
	return w.ws_col > others + CUT_MIN ? w.ws_col - others : CUT_MIN;
}

/* The row whose cells begin at `first`. */
static int print_row(const struct table *t, size_t first, const size_t *widths, struct err *e)
{
	SCOPE(str) struct str line = STR_INIT;
	size_t text_end = 0;

	for (size_t i = 0; i < t->columns; i++) {
		const char *cell = t->cells[first + i];
		if (str_append_z(&line, cell, e) < 0)
			return -1;
		if (*cell)
			text_end = line.len;
		if (str_appendf(&line, e, "%*s%s", (int)(widths[i] - width_of(cell)), "",
				column_gap) < 0)
			return -1;
	}
	/* No blanks at the end of a line. */
	str_truncate(&line, text_end);
	return outputf(e, "%s\n", str_text(&line));
}

int table_print(struct table *t, struct err *e)
{
	SCOPE_FREE size_t *widths = array_new(t->columns, sizeof(*widths), e);

	if (!widths)
		return -1;
	measure(t, widths);
	if (t->cut != NO_CUT) {
		const size_t room = room_for_cut(t, widths);
		for (size_t i = t->cut; i < t->count; i += t->columns)
			cut_cell(t->cells[i], room);
		measure(t, widths);
	}
	for (size_t first = 0; first < t->count; first += t->columns) {
		if (print_row(t, first, widths, e) < 0)
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
