/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/directives.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/quote.h"
#include "manifests/chars.h"

static const char *const known_keys[] = {"syntax", "escape", "check"};

struct found {
	const char *key, *value; /* parts of the line */
	size_t key_len, value_len;
	struct place at; /* of the value */
};

static bool is_letter(char c)
{
	return chars_is_name((unsigned char)c) && c != '_' && !chars_is_digit((unsigned char)c) &&
	       (unsigned char)c < 0x80;
}

static bool is_known(const char *key, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(known_keys); i++) {
		if (chars_equal_fold(key, len, known_keys[i]))
			return true;
	}
	return false;
}

/* <comment> key = value */
static bool parse_line(const struct source *source, uint32_t number, const char *comment,
		       struct found *out)
{
	size_t len;
	const char *line = source_line(source, number, &len);
	const char *s = line;

	chars_trim(&s, &len);
	const size_t mark = strlen(comment);
	if (len < mark || memcmp(s, comment, mark) != 0)
		return false;
	s += mark;
	len -= mark;
	chars_trim(&s, &len);

	size_t n = 0;
	while (n < len && (is_letter(s[n]) || (n > 0 && chars_is_digit((unsigned char)s[n]))))
		n++;
	out->key = s;
	out->key_len = n;
	s += n;
	len -= n;
	chars_trim(&s, &len);
	if (n == 0 || len == 0 || *s != '=')
		return false;
	s++;
	len--;
	chars_trim(&s, &len);
	out->value = s;
	out->value_len = len;
	out->at = source_place(source, number, (uint32_t)(s - line) + 1);
	return len > 0 && is_known(out->key, out->key_len);
}

static int add(struct buildfile *b, const struct found *found, struct err *e)
{
	if (array_reserve(&b->directives, &b->directive_cap, b->directive_count + 1,
			  sizeof(*b->directives), e) < 0)
		return -1;
	struct directive *d = &b->directives[b->directive_count];
	*d = (struct directive){.at = found->at};
	d->name = str_dup_n(found->key, found->key_len, e);
	if (!d->name)
		return -1;
	b->directive_count++;
	for (char *c = d->name; *c; c++)
		*c = chars_lower(*c);
	d->value = str_dup_n(found->value, found->value_len, e);
	return d->value ? 0 : -1;
}

/* docker/dockerfile, its upstream channel, and mirrors of both are this language. */
static bool is_our_language(const char *value, size_t len)
{
	static const char *const names[] = {"docker/dockerfile", "docker/dockerfile-upstream"};
	const char *space = memchr(value, ' ', len);

	if (space)
		len = (size_t)(space - value);
	/* The tag and the digest; a port has a "/" behind it. */
	const char *at = memchr(value, '@', len);
	if (at)
		len = (size_t)(at - value);
	const char *colon = memrchr(value, ':', len);
	if (colon && !memchr(colon, '/', len - (size_t)(colon - value)))
		len = (size_t)(colon - value);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const size_t n = strlen(names[i]);
		if (len >= n && memcmp(value + len - n, names[i], n) == 0 &&
		    (len == n || value[len - n - 1] == '/'))
			return true;
	}
	return false;
}

static int check_language(const char *value, size_t len, struct place at, struct findings *f,
			  struct err *e)
{
	char quoted[QUOTE_MAX];

	if (is_our_language(value, len))
		return 0;
	return findings_error(f, ERR_UNSUPPORTED, at, e,
			      "the syntax '%s' is not supported: only docker/dockerfile is",
			      quote_bytes(quoted, value, len));
}

static int take(struct buildfile *b, const struct found *found, struct findings *f, struct err *e)
{
	char quoted[QUOTE_MAX];

	for (size_t i = 0; i < b->directive_count; i++) {
		if (chars_equal_fold(found->key, found->key_len, b->directives[i].name))
			return findings_error(f, ERR_SYNTAX, found->at, e,
					      "only one parser directive '%s' can be used",
					      b->directives[i].name);
	}
	if (add(b, found, e) < 0)
		return -1;
	const struct directive *d = &b->directives[b->directive_count - 1];
	if (strcmp(d->name, "syntax") == 0)
		return check_language(d->value, strlen(d->value), d->at, f, e);
	if (strcmp(d->name, "escape") != 0)
		return 0;
	if (strcmp(d->value, "\\") != 0 && strcmp(d->value, "`") != 0)
		return findings_error(f, ERR_SYNTAX, d->at, e,
				      "the escape character is '\\' or '`', not '%s'",
				      quote_str(quoted, d->value));
	b->escape = d->value[0];
	return 0;
}

/* syntax in the ways that only the choice of a language looks at. */
static int check_other_languages(const struct source *source, struct findings *f, struct err *e)
{
	struct found found;
	struct err ignored = ERR_INIT;
	const char *value;

	size_t len;
	const char *line = source_line(source, 1, &len);
	uint32_t first = 1;
	if (len >= 2 && memcmp(line, "#!", 2) == 0) {
		for (first = 2;
		     first <= source->line_count && parse_line(source, first, "#", &found);
		     first++) {
			if (chars_equal_fold(found.key, found.key_len, "syntax"))
				return check_language(found.value, found.value_len, found.at, f, e);
		}
		first = 2;
	}
	for (; first <= source->line_count && parse_line(source, first, "//", &found); first++) {
		if (chars_equal_fold(found.key, found.key_len, "syntax"))
			return check_language(found.value, found.value_len, found.at, f, e);
	}
	if (source->text[0] != '{')
		return 0;
	json_t *root = json_parse_object(source->text, source->len, LIMIT_MANIFEST, "", &ignored);
	int result = 0;
	if (root && json_get_str(root, "syntax", "", &value, &ignored) == 1)
		result = check_language(value, strlen(value), source_place(source, 1, 1), f, e);
	json_decref(root);
	err_clear(&ignored);
	return result;
}

int directives_parse(struct buildfile *b, struct findings *f, struct err *e)
{
	struct found found;
	uint32_t number = 1;

	b->escape = '\\';
	if (b->source->line_count == 0)
		return 0;
	for (; number <= b->source->line_count && parse_line(b->source, number, "#", &found);
	     number++) {
		if (take(b, &found, f, e) < 0)
			return -1;
	}
	return number == 1 ? check_other_languages(b->source, f, e) : 0;
}

void directives_fini(struct buildfile *b)
{
	for (size_t i = 0; i < b->directive_count; i++) {
		free(b->directives[i].name);
		free(b->directives[i].value);
	}
	free(b->directives);
	b->directives = NULL;
	b->directive_count = b->directive_cap = 0;
}
