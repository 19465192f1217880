/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/lines.h"

#include <stdbool.h>
#include <string.h>

#include "base/array.h"
#include "manifests/chars.h"

void logical_line_fini(struct logical_line *l)
{
	str_fini(&l->text);
	free(l->segments);
	*l = (struct logical_line)LOGICAL_LINE_INIT;
}

static size_t leading_space(const char *s, size_t len)
{
	size_t at = 0, n;

	while ((n = chars_space(s + at, len - at)) > 0)
		at += n;
	return at;
}

/* Cuts the escape character, and the blanks behind it, off a line that goes on. */
static bool cut_continuation(const char *s, size_t *len, char escape)
{
	size_t end = *len;

	while (end > 0 && (s[end - 1] == ' ' || s[end - 1] == '\t'))
		end--;
	if (end == 0 || s[end - 1] != escape || (end > 1 && s[end - 2] == escape))
		return false;
	*len = end - 1;
	return true;
}

static int add_segment(struct logical_line *out, const char *s, size_t len, struct place at,
		       struct err *e)
{
	if (array_reserve(&out->segments, &out->segment_cap, out->segment_count + 1,
			  sizeof(*out->segments), e) < 0)
		return -1;
	out->segments[out->segment_count++] = (struct segment){out->text.len, at};
	return str_append(&out->text, s, len, e);
}

/* The lines behind the first one. */
static int join_rest(struct lines *l, struct logical_line *out, struct err *e)
{
	bool goes_on = true;

	while (goes_on && l->next <= l->source->line_count) {
		const uint32_t number = l->next++;
		size_t len;
		const char *line = source_line(l->source, number, &len);
		const size_t space = leading_space(line, len);

		out->last_line = number;
		if (space < len && line[space] == '#')
			continue;
		if (space == len) {
			if (out->empty_line == 0)
				out->empty_line = number;
			continue;
		}
		goes_on = cut_continuation(line, &len, l->escape);
		if (add_segment(out, line, len, source_place(l->source, number, 1), e) < 0)
			return -1;
	}
	return 0;
}

int lines_next(struct lines *l, struct logical_line *out, struct err *e)
{
	while (l->next <= l->source->line_count) {
		const uint32_t number = l->next++;
		size_t len;
		const char *line = source_line(l->source, number, &len);
		const size_t space = leading_space(line, len);

		if (space == len || line[space] == '#')
			continue;
		line += space;
		len -= space;
		const bool goes_on = cut_continuation(line, &len, l->escape);
		const struct place at = source_place(l->source, number, (uint32_t)space + 1);
		out->first_line = number;
		out->last_line = number;
		if (add_segment(out, line, len, at, e) < 0)
			return -1;
		if (goes_on && join_rest(l, out, e) < 0)
			return -1;
		return 1;
	}
	return 0;
}
