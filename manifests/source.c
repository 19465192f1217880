/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/source.h"

#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/quote.h"
#include "base/str.h"

static const char byte_order_mark[] = "\xef\xbb\xbf";

static size_t line_end(const struct source *s, size_t index)
{
	return index + 1 < s->line_count ? s->starts[index + 1] : s->len;
}

static int check_lines(const struct source *s, const char *quoted, struct err *e)
{
	for (size_t i = 0; i < s->line_count; i++) {
		const char *line = s->text + s->starts[i];
		size_t len = line_end(s, i) - s->starts[i];
		const char *nul = memchr(line, '\0', len);

		if (nul)
			return err_set(e, ERR_SYNTAX,
				       "%s:%zu:%zu: NUL byte; this is not a text file", quoted,
				       i + 1, (size_t)(nul - line) + 1);
		if (len > 0 && line[len - 1] == '\n')
			len--;
		if (len > LIMIT_MANIFEST_LINE)
			return err_set(e, ERR_LIMIT, "%s:%zu:1: line of more than %d bytes", quoted,
				       i + 1, LIMIT_MANIFEST_LINE);
	}
	return 0;
}

static int cut_lines(struct source *s, struct err *e)
{
	size_t cap = 0;

	for (size_t pos = 0; pos < s->len;) {
		const char *end = memchr(s->text + pos, '\n', s->len - pos);
		if (array_reserve(&s->starts, &cap, s->line_count + 1, sizeof(*s->starts), e) < 0)
			return -1;
		s->starts[s->line_count++] = pos;
		pos = end ? (size_t)(end - s->text) + 1 : s->len;
	}
	return 0;
}

int source_init(struct source *s, const char *name, const void *bytes, size_t len, struct err *e)
{
	SCOPE(source) struct source made = SOURCE_INIT;
	char quoted[QUOTE_MAX];
	const size_t mark = sizeof(byte_order_mark) - 1;

	quote_str(quoted, name);
	if (len > LIMIT_MANIFEST)
		return err_set(e, ERR_LIMIT, "%s: more than %" PRIu64 " bytes", quoted,
			       (uint64_t)LIMIT_MANIFEST);
	if (len >= mark && memcmp(bytes, byte_order_mark, mark) == 0) {
		bytes = (const char *)bytes + mark;
		len -= mark;
	}
	made.name = str_dup(name, e);
	if (!made.name)
		return -1;
	made.text = str_dup_n(len ? bytes : "", len, e);
	if (!made.text)
		return -1;
	made.len = len;
	if (cut_lines(&made, e) < 0 || check_lines(&made, quoted, e) < 0)
		return -1;
	*s = made;
	made = (struct source)SOURCE_INIT;
	return 0;
}

void source_fini(struct source *s)
{
	struct source *fragment = s->next;

	while (fragment) {
		struct source *next = fragment->next;
		fragment->next = NULL;
		source_fini(fragment);
		free(fragment);
		fragment = next;
	}
	free(s->name);
	free(s->text);
	free(s->starts);
	*s = (struct source)SOURCE_INIT;
}

void source_add_fragment(struct source *s, struct source *fragment)
{
	while (s->next)
		s = s->next;
	fragment->file = s->file + 1;
	s->next = fragment;
}

const struct source *source_at(const struct source *s, struct place at)
{
	while (s->file != at.file && s->next)
		s = s->next;
	return s;
}

const char *source_line(const struct source *s, size_t number, size_t *len)
{
	const char *line = s->text + s->starts[number - 1];
	size_t n = line_end(s, number - 1) - s->starts[number - 1];

	while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
		n--;
	*len = n;
	return line;
}
