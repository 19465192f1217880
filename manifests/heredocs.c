/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/heredocs.h"

#include <stdbool.h>
#include <string.h>

#include "base/array.h"
#include "base/quote.h"
#include "manifests/chars.h"

/* Steps over one character, quoted string or escaped character; 0: a quote without an end. */
static size_t skip_one(const char *s, size_t len)
{
	uint32_t ignored;

	if (s[0] == '\'') {
		const char *end = memchr(s + 1, '\'', len - 1);
		return end ? (size_t)(end - s) + 1 : 0;
	}
	if (s[0] == '"') {
		for (size_t at = 1; at < len; at++) {
			if (s[at] == '"')
				return at + 1;
			if (s[at] == '\\')
				at++;
		}
		return 0;
	}
	if (s[0] == '\\' && len > 1)
		return 1 + chars_decode(s + 1, len - 1, &ignored);
	return chars_decode(s, len, &ignored);
}

static size_t skip_space(const char *s, size_t len)
{
	size_t at = 0, n;

	while ((n = chars_space(s + at, len - at)) > 0)
		at += n;
	return at;
}

/* The length of the word at `s`; white space between "<<" and a name belongs to it.  0: bad. */
static size_t word_len(const char *s, size_t len)
{
	size_t at = 0, n;

	while (at < len && chars_space(s + at, len - at) == 0) {
		if (len - at >= 2 && memcmp(s + at, "<<", 2) == 0) {
			at += 2;
			if (at < len && s[at] == '-')
				at++;
			at += skip_space(s + at, len - at);
			continue;
		}
		n = skip_one(s + at, len - at);
		if (n == 0)
			return 0;
		at += n;
	}
	return at;
}

static bool has_paired_quotes(const char *s, size_t len)
{
	size_t n;

	for (size_t at = 0; at < len; at += n) {
		n = skip_one(s + at, len - at);
		if (n == 0)
			return false;
	}
	return true;
}

/* Takes quotes and escapes off a name: 1 when some part was quoted, 0 when not, -1. */
static int unquote(const char *s, size_t len, struct str *out, struct err *e)
{
	bool was_quoted = false;
	size_t n;

	for (size_t at = 0; at < len; at += n) {
		n = skip_one(s + at, len - at);
		const size_t is_quoted = s[at] == '\'' || s[at] == '"';
		const size_t is_escaped = s[at] == '\\' && n > 1;
		was_quoted = was_quoted || is_quoted;
		if (s[at] == '"') {
			for (size_t k = at + 1; k < at + n - 1; k++) {
				if (s[k] == '\\' && k + 1 < at + n - 1 && strchr("\"$\\", s[k + 1]))
					k++;
				if (str_append_c(out, s[k], e) < 0)
					return -1;
			}
		} else if (str_append(out, s + at + (is_quoted || is_escaped),
				      n - 2 * is_quoted - is_escaped, e) < 0) {
			return -1;
		}
	}
	return was_quoted;
}

static int add(struct instruction *i, struct heredoc *made, const char *name, size_t len,
	       struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;

	if (array_reserve(&i->heredocs, &i->heredoc_cap, i->heredoc_count + 1, sizeof(*i->heredocs),
			  e) < 0)
		return -1;
	const int was_quoted = unquote(name, len, &text, e);
	if (was_quoted < 0)
		return -1;
	made->is_expanded = !was_quoted;
	made->name = str_steal(&text, e);
	if (!made->name)
		return -1;
	i->heredocs[i->heredoc_count++] = *made;
	return 0;
}

/* <digits><<[-]<name>, and nothing else in the word. */
static int check_word(struct instruction *i, size_t offset, size_t len, struct err *e)
{
	struct heredoc made = {.offset = offset, .len = len};
	const char *s = i->text + offset;
	const char *end = s + len;
	uint64_t fd = 0;
	size_t digits = 0;

	while (digits < len && chars_is_digit((unsigned char)s[digits]))
		digits++;
	if (len - digits < 2 || memcmp(s + digits, "<<", 2) != 0)
		return 0;
	if (digits > 0 && str_to_u64(s, digits, 10, UINT32_MAX, &fd) < 0)
		fd = 0;
	made.fd = (unsigned long)fd;
	s += digits + 2;
	made.is_chomped = s < end && *s == '-';
	s += made.is_chomped;
	s += skip_space(s, (size_t)(end - s));
	if (s == end || memchr(s, '<', (size_t)(end - s)))
		return 0;
	return add(i, &made, s, (size_t)(end - s), e);
}

int heredocs_find(struct instruction *i, struct findings *f, struct err *e)
{
	const size_t end = strlen(i->text);
	size_t at = i->name_offset;

	if (!strstr(i->text + at, "<<") || !has_paired_quotes(i->text + at, end - at))
		return 0;
	while (at < end) {
		at += skip_space(i->text + at, end - at);
		const size_t len = word_len(i->text + at, end - at);
		if (len == 0)
			return 0;
		if (check_word(i, at, len, e) < 0)
			return -1;
		at += len;
	}
	for (size_t k = 0; k < i->heredoc_count; k++) {
		if (i->heredocs[k].name[0] != '\0')
			continue;
		i->is_broken = true;
		if (findings_error(f, ERR_SYNTAX, instruction_place(i, i->heredocs[k].offset), e,
				   "heredoc with an empty name") < 0)
			return -1;
	}
	return 0;
}

static bool is_end(const struct heredoc *h, const char *line, size_t len)
{
	while (h->is_chomped && len > 0 && line[0] == '\t') {
		line++;
		len--;
	}
	return len == strlen(h->name) && memcmp(line, h->name, len) == 0;
}

int heredocs_read(struct instruction *i, const struct source *source, uint32_t *next,
		  struct findings *f, struct err *e)
{
	char quoted[QUOTE_MAX];

	for (size_t k = 0; k < i->heredoc_count; k++) {
		struct heredoc *h = &i->heredocs[k];
		bool has_end = false;
		h->first_line = *next;
		while (!has_end && *next <= source->line_count) {
			size_t len;
			const char *line = source_line(source, (*next)++, &len);
			has_end = is_end(h, line, len);
		}
		h->line_count = *next - h->first_line - has_end;
		i->last_line = *next - 1;
		if (has_end)
			continue;
		i->is_broken = true;
		return findings_error(f, ERR_SYNTAX, instruction_place(i, h->offset), e,
				      "heredoc '%s' without an end: no line is just that",
				      quote_str(quoted, h->name));
	}
	return 0;
}
