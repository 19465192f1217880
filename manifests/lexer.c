/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/lexer.h"

#include <stdbool.h>
#include <string.h>

#include "base/array.h"
#include "manifests/chars.h"

/* A flag's text while quotes are taken off, and where its value starts. */
struct flag_text {
	struct str text;
	size_t equals;       /* in `text` */
	size_t value_offset; /* in the instruction's text */
	bool has_equals;
};

static int add_flag(struct instruction *i, const struct flag_text *t, size_t offset, struct err *e)
{
	const char *text = str_text(&t->text) + 2;
	const size_t name_len = t->has_equals ? t->equals - 2 : strlen(text);

	if (array_reserve(&i->flags, &i->flag_cap, i->flag_count + 1, sizeof(*i->flags), e) < 0)
		return -1;
	struct flag *flag = &i->flags[i->flag_count];
	*flag = (struct flag){.offset = offset, .value_offset = t->value_offset};
	flag->name = str_dup_n(text, name_len, e);
	if (!flag->name)
		return -1;
	i->flag_count++;
	if (!t->has_equals)
		return 0;
	flag->value = str_dup(text + name_len + 1, e);
	return flag->value ? 0 : -1;
}

/* One word at `*at`, to the next white space outside of quotes. */
static int read_flag(const char *s, size_t len, size_t *at, struct flag_text *out, struct err *e)
{
	char quote = '\0';

	while (*at < len && (quote || chars_space(s + *at, len - *at) == 0)) {
		char c = s[(*at)++];
		if (quote ? c == quote : c == '\'' || c == '"') {
			if (quote)
				quote = '\0';
			else
				quote = c;
			continue;
		}
		if (c == '\\') {
			if (*at == len)
				break;
			c = s[(*at)++];
		}
		if (c == '=' && !out->has_equals) {
			out->has_equals = true;
			out->equals = out->text.len;
			out->value_offset = *at;
		}
		if (str_append_c(&out->text, c, e) < 0)
			return -1;
	}
	return 0;
}

static void skip_space(const char *s, size_t len, size_t *at)
{
	size_t n;

	while ((n = chars_space(s + *at, len - *at)) > 0)
		*at += n;
}

static int read_flags(struct instruction *i, size_t len, size_t *at, struct err *e)
{
	for (;;) {
		skip_space(i->text, len, at);
		if (len - *at < 2 || memcmp(i->text + *at, "--", 2) != 0)
			return 0;
		SCOPE(str) struct str text = STR_INIT;
		struct flag_text flag = {.text = STR_INIT};
		const size_t start = *at;
		int result = read_flag(i->text, len, at, &flag, e);
		text = flag.text;
		if (result < 0)
			return -1;
		if (strcmp(str_text(&text), "--") == 0) {
			skip_space(i->text, len, at);
			return 0;
		}
		if (add_flag(i, &flag, start, e) < 0)
			return -1;
	}
}

int lexer_read_front(struct instruction *i, size_t from, size_t *args_len, struct err *e)
{
	const char *s = i->text + from;
	size_t len = strlen(s);

	chars_trim(&s, &len);
	const size_t start = (size_t)(s - i->text);
	const size_t end = start + len;
	size_t at = start;
	while (at < end && !chars_is_blank(i->text[at]))
		at++;
	i->name_offset = start;
	i->name = str_dup_n(s, at - start, e);
	if (!i->name)
		return -1;
	if (read_flags(i, end, &at, e) < 0)
		return -1;
	i->args_offset = at;
	*args_len = end - at;
	return 0;
}
