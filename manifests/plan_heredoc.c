/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of heredocs that become files.
 *
 * Source: BuildKit's parser and its instructions package.  Ends of lines stay as they are, CR
 * included.  Quotes mean nothing, the escape character is the backslash whatever the directive
 * says, and before the end of a line it takes away nothing but itself.
 */
#include <string.h>

#include "manifests/plan_private.h"

struct body {
	const struct heredoc *heredoc;
	const struct source *source;
	struct str raw; /* its lines, before anything is expanded */
};

static size_t leading_tabs(const struct body *b, const char *line, size_t len)
{
	size_t n = 0;

	while (b->heredoc->is_chomped && n < len && line[n] == '\t')
		n++;
	return n;
}

/* With its end of line. */
static const char *whole_line(const struct source *s, size_t number, size_t *len)
{
	const size_t end = number < s->line_count ? s->starts[number] : s->len;

	*len = end - s->starts[number - 1];
	return s->text + s->starts[number - 1];
}

static int read_body(struct body *b, struct err *e)
{
	const uint32_t end = b->heredoc->first_line + b->heredoc->line_count;

	for (uint32_t number = b->heredoc->first_line; number < end; number++) {
		size_t len;
		const char *line = whole_line(b->source, number, &len);
		const size_t tabs = leading_tabs(b, line, len);
		if (str_append(&b->raw, line + tabs, len - tabs, e) < 0)
			return -1;
	}
	return 0;
}

/* The place in the file of byte `at` of the text. */
static struct place body_place(const struct body *b, size_t at)
{
	uint32_t number = b->heredoc->first_line;
	const uint32_t last = number + b->heredoc->line_count - 1;
	size_t len, tabs;

	for (;; number++) {
		const char *line = whole_line(b->source, number, &len);
		tabs = leading_tabs(b, line, len);
		if (number == last || at < len - tabs)
			break;
		at -= len - tabs;
	}
	return source_place(b->source, number, (uint32_t)(tabs + at) + 1);
}

static int expand_body(struct plan *p, const struct body *b, struct place at, struct str *out,
		       struct err *e)
{
	const struct strmap *vars = &p->private->vars.stage;
	SCOPE(strlist) struct strlist unset = STRLIST_INIT;
	size_t error_at;
	const struct expander x = {
		.vars = vars,
		.escape = '\\',
		.flags = EXPAND_QUOTES_STAY,
		.unset = &unset,
		.budget = &p->private->budget,
	};

	if (expand_word(&x, str_text(&b->raw), out, &error_at, e) < 0)
		return findings_take(p->private->findings,
				     b->heredoc->line_count ? body_place(b, error_at) : at, e);
	return plan_warn_unset(p, at, &unset, vars, e) < 0 ? -1 : 1;
}

int plan_heredoc_text(struct plan *p, const struct instruction *i, const struct heredoc *h,
		      struct str *out, struct err *e)
{
	struct body b = {.heredoc = h, .source = i->source};
	int r = read_body(&b, e);

	if (r == 0 && h->is_expanded)
		r = expand_body(p, &b, instruction_place(i, h->offset), out, e);
	else if (r == 0)
		r = str_append(out, str_text(&b.raw), b.raw.len, e) < 0 ? -1 : 1;
	str_fini(&b.raw);
	return r;
}
