/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/findings.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/quote.h"

enum {
	/* Of a long source line, this many bytes before and after the column are shown. */
	SHOWN_BEFORE = 60,
	SHOWN_AFTER = 60,
};

static const char cut_mark[] = "...";

static int gravity(enum err_code code)
{
	if (code == ERR_LIMIT)
		return 4;
	if (code == ERR_SYNTAX)
		return 3;
	if (code == ERR_UNSUPPORTED)
		return 2;
	return code == ERR_NONE ? 0 : 1;
}

enum err_code findings_graver(enum err_code a, enum err_code b)
{
	return gravity(b) > gravity(a) ? b : a;
}

static char *format_text(const char *fmt, va_list args, struct err *e)
	__attribute__((format(printf, 1, 0)));
static char *format_text(const char *fmt, va_list args, struct err *e)
{
	va_list again;

	va_copy(again, args);
	const int len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	char *text = len < 0 ? NULL : malloc((size_t)len + 1);
	if (text)
		vsnprintf(text, (size_t)len + 1, fmt, args);
	else
		err_nomem(e);
	return text;
}

/* Takes `msg`, which is NULL when there was no memory for it. */
static int add(struct findings *f, enum err_code code, struct place at, char *msg, struct err *e)
{
	size_t *count = code == ERR_NONE ? &f->warning_count : &f->error_count;

	if (!msg)
		return -1;
	f->is_last_kept = *count < FINDINGS_MAX;
	(*count)++;
	f->gravest = findings_graver(f->gravest, code);
	if (!f->is_last_kept) {
		free(msg);
		return 0;
	}
	if (array_reserve(&f->items, &f->cap, f->count + 1, sizeof(*f->items), e) < 0) {
		free(msg);
		return -1;
	}
	f->items[f->count++] = (struct finding){code, at, msg, NULL};
	return 0;
}

int findings_error(struct findings *f, enum err_code code, struct place at, struct err *e,
		   const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	char *msg = format_text(fmt, args, e);
	va_end(args);
	return add(f, code, at, msg, e);
}

int findings_warn(struct findings *f, struct place at, struct err *e, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	char *msg = format_text(fmt, args, e);
	va_end(args);
	return add(f, ERR_NONE, at, msg, e);
}

int findings_suggest(struct findings *f, const char *known, struct err *e)
{
	if (!known || !f->is_last_kept)
		return 0;
	struct finding *last = &f->items[f->count - 1];
	free(last->hint);
	last->hint = str_dupf(e, "did you mean '%s'?", known);
	return last->hint ? 0 : -1;
}

int findings_take(struct findings *f, struct place at, struct err *e)
{
	struct err fresh = ERR_INIT;

	if (e->code != ERR_SYNTAX && e->code != ERR_LIMIT && e->code != ERR_UNSUPPORTED &&
	    e->code != ERR_NOT_FOUND)
		return -1;
	if (findings_error(f, e->code, at, &fresh, "%s", e->msg) < 0) {
		err_clear(e);
		return err_move(e, &fresh);
	}
	err_clear(e);
	return 0;
}

/*
 * One character of the source line, and as much blank for the line below: a tab stays a tab, so
 * that the caret lines up whatever the width of tabs.  A backslash is harmless here, and a
 * line with two for one would not be the user's line any more.
 */
static int show_unit(const char *s, size_t len, struct str *line, struct str *pad, struct err *e)
{
	if (s[0] == '\t') {
		if (str_append_c(line, '\t', e) < 0)
			return -1;
		return pad ? str_append_c(pad, '\t', e) : 0;
	}
	const size_t before = line->len;
	if (s[0] == '\\' ? str_append_c(line, s[0], e) < 0 : quote_append(line, s, len, e) < 0)
		return -1;
	if (!pad)
		return 0;
	/* What was escaped is longer than one column; a character of several bytes is taken as
	 * one. */
	size_t columns = line->len - before;
	if (columns == len && len > 1)
		columns = 1;
	while (columns-- > 0) {
		if (str_append_c(pad, ' ', e) < 0)
			return -1;
	}
	return 0;
}

static bool is_continuation_byte(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* The bytes of a UTF-8 character at `s`, by its first byte alone. */
static size_t unit_len(const char *s, size_t len)
{
	size_t n = 1;

	while (n < len && is_continuation_byte(s[n]))
		n++;
	return n;
}

static int show_line(const char *s, size_t len, size_t column, struct str *out, struct err *e)
{
	SCOPE(str) struct str pad = STR_INIT;
	size_t start = 0, end = len;

	if (column > len)
		column = len;
	if (column > SHOWN_BEFORE && len > SHOWN_BEFORE + SHOWN_AFTER)
		start = column - SHOWN_BEFORE;
	while (start > 0 && start < len && is_continuation_byte(s[start]))
		start++;
	if (end - start > SHOWN_BEFORE + SHOWN_AFTER)
		end = start + SHOWN_BEFORE + SHOWN_AFTER;
	while (end < len && is_continuation_byte(s[end]))
		end++;

	if (start > 0 && (str_append_z(out, cut_mark, e) < 0 || str_append_z(&pad, "   ", e) < 0))
		return -1;
	for (size_t at = start, n; at < end; at += n) {
		n = unit_len(s + at, end - at);
		if (show_unit(s + at, n, out, at < column ? &pad : NULL, e) < 0)
			return -1;
	}
	if (end < len && str_append_z(out, cut_mark, e) < 0)
		return -1;
	return str_appendf(out, e, "\n%s^", str_text(&pad));
}

static int format_head(const struct findings *f, const struct finding *one, struct str *out,
		       struct err *e)
{
	const struct source *source = source_at(f->source, one->at);

	if (quote_append(out, source->name, strlen(source->name), e) < 0)
		return -1;
	if (one->at.line > 0 && str_appendf(out, e, ":%u:%u", one->at.line, one->at.column) < 0)
		return -1;
	if (str_appendf(out, e, ": %s%s", one->code == ERR_NONE ? "warning: " : "", one->msg) < 0)
		return -1;
	return one->hint ? str_appendf(out, e, " (%s)", one->hint) : 0;
}

/* The source line with its caret, on lines of their own. */
static int format_line(const struct findings *f, const struct finding *one, struct str *out,
		       struct err *e)
{
	const struct source *source = source_at(f->source, one->at);

	if (one->at.line == 0 || one->at.line > source->line_count)
		return 0;

	size_t len;
	const char *line = source_line(source, one->at.line, &len);
	if (str_append_c(out, '\n', e) < 0)
		return -1;
	return show_line(line, len, one->at.column > 0 ? one->at.column - 1 : 0, out, e);
}

int findings_format(const struct findings *f, const struct finding *one, struct str *out,
		    struct err *e)
{
	return format_head(f, one, out, e) < 0 ? -1 : format_line(f, one, out, e);
}

int findings_wrap(const struct findings *f, struct place at, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	struct err was = ERR_INIT, no_memory = ERR_INIT;

	if (e->code == ERR_NOMEM)
		return -1;
	/* A full disk is not the line's fault: it only tells where the work was. */
	const bool is_elsewhere = e->code == ERR_SYS || e->code == ERR_DIGEST || e->code == ERR_NET;
	const struct finding one = {e->code, at, e->msg, NULL};
	if (format_head(f, &one, &text, &no_memory) < 0 ||
	    (!is_elsewhere && format_line(f, &one, &text, &no_memory) < 0)) {
		/* The reason without its place is still true. */
		err_clear(&no_memory);
		return -1;
	}
	err_move(&was, e);
	err_set(e, was.code, "%s", str_text(&text));
	e->sys = was.sys;
	err_clear(&was);
	return -1;
}

/* By file, by place, and in the order of discovery at one place: the items are one array. */
static int compare(const void *a, const void *b)
{
	const struct finding *const *x = a, *const *y = b;

	if ((*x)->at.file != (*y)->at.file)
		return (*x)->at.file < (*y)->at.file ? -1 : 1;
	if ((*x)->at.line != (*y)->at.line)
		return (*x)->at.line < (*y)->at.line ? -1 : 1;
	if ((*x)->at.column != (*y)->at.column)
		return (*x)->at.column < (*y)->at.column ? -1 : 1;
	return *x < *y ? -1 : 1;
}

static int append_sorted(const struct findings *f, bool want_errors, struct str *out, struct err *e)
{
	size_t count = 0;
	SCOPE_FREE const struct finding **sorted = array_new(f->count, sizeof(struct finding *), e);

	if (!sorted)
		return -1;
	for (size_t i = 0; i < f->count; i++) {
		if ((f->items[i].code != ERR_NONE) == want_errors)
			sorted[count++] = &f->items[i];
	}
	qsort(sorted, count, sizeof(struct finding *), compare);
	for (size_t i = 0; i < count; i++) {
		if (findings_format(f, sorted[i], out, e) < 0 || str_append_c(out, '\n', e) < 0)
			return -1;
	}
	const size_t all = want_errors ? f->error_count : f->warning_count;
	if (all > count)
		return str_appendf(out, e, "... and %zu more\n", all - count);
	return 0;
}

int findings_raise(const struct findings *f, struct err *e)
{
	SCOPE(str) struct str report = STR_INIT;

	if (f->error_count == 0)
		return 0;
	if (append_sorted(f, true, &report, e) < 0)
		return -1;
	str_truncate(&report, report.len - 1);
	return err_set(e, f->gravest, "%s", str_text(&report));
}

int findings_warnings(const struct findings *f, struct str *out, struct err *e)
{
	return f->warning_count ? append_sorted(f, false, out, e) : 0;
}

void findings_fini(struct findings *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free(f->items[i].msg);
		free(f->items[i].hint);
	}
	free(f->items);
	*f = (struct findings)FINDINGS_INIT(f->source);
}
