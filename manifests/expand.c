/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/expand.h"

#include <stdbool.h>
#include <string.h>

#include "base/quote.h"
#include "manifests/chars.h"
#include "manifests/pattern.h"

enum {
	NO_STOP = -1,
	WORD_BYTES = 64, /* what a word of a list costs, beside its text */
};

struct state {
	const struct expander *x;
	const char *word;
	size_t len, pos;
	unsigned depth;
	size_t *error_at;
};

/* Where the text goes: into one string, and, when `words` is wanted, by words as well. */
struct sink {
	struct str *text;
	struct strlist *words;
	struct str word; /* that is not finished */
};

/* Up to `stop`, which is taken, too, or to the end: 1 found (or none was wanted), 0 not, -1. */
static int process(struct state *st, int stop, bool keep_escapes, struct sink *out, struct err *e);

static int refuse_total(struct err *e)
{
	return err_set(e, ERR_LIMIT, "all words together grow beyond %d bytes",
		       (int)LIMIT_EXPANDED_TOTAL);
}

/* All text goes through here, so no word of whatever kind grows beyond the limits. */
static int put(struct state *st, struct str *to, const char *s, size_t len, struct err *e)
{
	struct expand_budget *budget = st->x->budget;

	if (to->len + len > LIMIT_EXPANDED_WORD)
		return err_set(e, ERR_LIMIT, "a word grows beyond %d bytes",
			       (int)LIMIT_EXPANDED_WORD);
	if (len > budget->bytes)
		return refuse_total(e);
	budget->bytes -= len;
	return str_append(to, s, len, e);
}

static int end_word(struct state *st, struct sink *out, struct err *e)
{
	struct expand_budget *budget = st->x->budget;

	if (out->word.len == 0)
		return 0;
	if (budget->bytes < WORD_BYTES)
		return refuse_total(e);
	budget->bytes -= WORD_BYTES;
	if (strlist_add(out->words, str_text(&out->word), e) < 0)
		return -1;
	str_truncate(&out->word, 0);
	return 0;
}

/* `is_split`: white space in it separates words. */
static int emit(struct state *st, struct sink *out, const char *s, size_t len, bool is_split,
		struct err *e)
{
	if (put(st, out->text, s, len, e) < 0)
		return -1;
	if (!out->words)
		return 0;
	if (!is_split)
		return put(st, &out->word, s, len, e);
	for (size_t at = 0, n; at < len; at += n) {
		uint32_t point;
		n = chars_space(s + at, len - at);
		if (n > 0) {
			if (end_word(st, out, e) < 0)
				return -1;
			continue;
		}
		n = chars_decode(s + at, len - at, &point);
		if (put(st, &out->word, s + at, n, e) < 0)
			return -1;
	}
	return 0;
}

static char peek(const struct state *st)
{
	/* Behind the last byte is the NUL. */
	return st->word[st->pos];
}

/* The character at the position, by its bytes; moves on. */
static const char *next_char(struct state *st, size_t *len)
{
	const char *at = st->word + st->pos;
	uint32_t point;

	*len = chars_decode(at, st->len - st->pos, &point);
	st->pos += *len;
	return at;
}

static int process_single_quoted(struct state *st, struct sink *out, struct err *e)
{
	const size_t start = st->pos++;
	const char *end = memchr(st->word + st->pos, '\'', st->len - st->pos);

	if (!end) {
		*st->error_at = start;
		return err_set(e, ERR_SYNTAX, "single quote without an end");
	}
	const char *text = st->word + st->pos;
	st->pos = (size_t)(end - st->word) + 1;
	return emit(st, out, text, (size_t)(end - text), false, e);
}

static bool is_special(char c)
{
	return c && strchr("@*#?-$!0", c);
}

/* A name at the position: how long it is. */
static size_t name_len(const struct state *st)
{
	const char *s = st->word + st->pos;
	const size_t len = st->len - st->pos;
	size_t n = 0, step;
	uint32_t point;

	if (len > 0 && chars_is_digit((unsigned char)s[0])) {
		while (n < len && chars_is_digit((unsigned char)s[n]))
			n++;
		return n;
	}
	if (len > 0 && is_special(s[0]))
		return 1;
	for (; n < len; n += step) {
		step = chars_decode(s + n, len - n, &point);
		if (!chars_is_name(point))
			break;
	}
	return n;
}

/* 1 set, 0 not set (`value` is then ""), -1. */
static int look_up(const struct state *st, const char *name, size_t len, const char **value,
		   struct err *e)
{
	SCOPE_FREE char *key = str_dup_n(name, len, e);

	*value = "";
	if (!key)
		return -1;
	const char *found = strmap_get(st->x->vars, key);
	if (!found)
		return 0;
	*value = found;
	return 1;
}

static int note_unset(const struct state *st, const char *name, size_t len, struct err *e)
{
	uint32_t point;

	if (!st->x->unset || len == 0)
		return 0;
	chars_decode(name, len, &point);
	if (!chars_is_name(point) || chars_is_digit(point))
		return 0;
	SCOPE_FREE char *copy = str_dup_n(name, len, e);
	return copy ? strlist_add(st->x->unset, copy, e) : -1;
}

static int bad_substitution(struct state *st, size_t start, const char *why, struct err *e)
{
	*st->error_at = start;
	return err_set(e, ERR_SYNTAX, "bad substitution: %s", why);
}

/* A word inside of ${}, up to `stop`. */
static int process_inner(struct state *st, size_t start, char stop, bool keep_escapes,
			 struct str *out, struct err *e)
{
	struct sink sink = {.text = out, .words = NULL, .word = STR_INIT};
	char why[] = "missing '}'";

	const int found = process(st, (unsigned char)stop, keep_escapes, &sink, e);
	if (found == 0) {
		why[sizeof("missing '") - 1] = stop;
		return bad_substitution(st, start, why, e);
	}
	return found < 0 ? -1 : 0;
}

struct variable {
	const char *name;
	size_t name_len;
	const char *value;
	bool is_set, is_empty_unset; /* the latter: a colon was there */
	size_t start;                /* of the "$" */
};

static int refuse_variable(struct state *st, const struct variable *v, const char *word,
			   struct err *e)
{
	char name[QUOTE_MAX], text[QUOTE_MAX];

	*st->error_at = v->start;
	quote_bytes(name, v->name, v->name_len);
	if (word[0] != '\0')
		return err_set(e, ERR_SYNTAX, "%s: %s", name, quote_str(text, word));
	return err_set(e, ERR_SYNTAX, "%s: is not allowed to be %s", name,
		       v->is_set ? "empty" : "unset");
}

static int process_default(struct state *st, const struct variable *v, char op, struct sink *out,
			   struct err *e)
{
	SCOPE(str) struct str word = STR_INIT;
	const bool has_value = v->is_set && !(v->is_empty_unset && v->value[0] == '\0');

	if (process_inner(st, v->start, '}', false, &word, e) < 0)
		return -1;
	if (op == '?' && !has_value)
		return refuse_variable(st, v, str_text(&word), e);
	if (op == '+' && !has_value)
		return 0;
	if (op == '+' || !has_value)
		return emit(st, out, str_text(&word), word.len, true, e);
	return emit(st, out, v->value, strlen(v->value), true, e);
}

static int process_trim(struct state *st, const struct variable *v, char op, struct sink *out,
			struct err *e)
{
	SCOPE(str) struct str pattern = STR_INIT;
	SCOPE(str) struct str text = STR_INIT;
	const bool is_longest = peek(st) == op;

	st->pos += is_longest;
	if (process_inner(st, v->start, '}', true, &pattern, e) < 0)
		return -1;
	if (pattern_trim(&text, v->value, str_text(&pattern), op == '%', is_longest,
			 &st->x->budget->steps, e) < 0) {
		*st->error_at = v->start;
		return -1;
	}
	return emit(st, out, str_text(&text), text.len, true, e);
}

static int process_replace(struct state *st, const struct variable *v, struct sink *out,
			   struct err *e)
{
	SCOPE(str) struct str pattern = STR_INIT;
	SCOPE(str) struct str with = STR_INIT;
	SCOPE(str) struct str text = STR_INIT;
	const bool is_all = peek(st) == '/';

	st->pos += is_all;
	if (process_inner(st, v->start, '/', true, &pattern, e) < 0 ||
	    process_inner(st, v->start, '}', true, &with, e) < 0)
		return -1;
	if (pattern_replace(&text, v->value, str_text(&pattern), str_text(&with), is_all,
			    &st->x->budget->steps, e) < 0) {
		*st->error_at = v->start;
		return -1;
	}
	return emit(st, out, str_text(&text), text.len, true, e);
}

/* What stands behind the name in ${name...}. */
static int process_modifier(struct state *st, struct variable *v, struct sink *out, struct err *e)
{
	const char op = peek(st);
	const bool has_default = op == ':' || op == '-' || op == '+' || op == '?';
	char why[] = "unknown modifier ' '";

	if (st->pos == st->len)
		return bad_substitution(st, v->start, "missing '}'", e);
	st->pos++;
	if (!v->is_set && !has_default && note_unset(st, v->name, v->name_len, e) < 0)
		return -1;
	switch (op) {
	case '}':
		return emit(st, out, v->value, strlen(v->value), true, e);
	case ':':
		v->is_empty_unset = true;
		if (!peek(st) || !strchr("-+?", peek(st)))
			return bad_substitution(st, v->start, "':' not before '-', '+' or '?'", e);
		st->pos++;
		return process_default(st, v, st->word[st->pos - 1], out, e);
	case '-':
	case '+':
	case '?':
		return process_default(st, v, op, out, e);
	case '#':
	case '%':
		return process_trim(st, v, op, out, e);
	case '/':
		return process_replace(st, v, out, e);
	default:
		/* A modifier of several bytes, or none to show, is not named. */
		if (op <= ' ' || op > '~')
			return bad_substitution(st, v->start, "unknown modifier", e);
		why[sizeof("unknown modifier '") - 1] = op;
		return bad_substitution(st, v->start, why, e);
	}
}

static int process_braces(struct state *st, size_t start, struct sink *out, struct err *e)
{
	struct variable v = {.start = start};

	if (st->depth == LIMIT_EXPANSION_DEPTH) {
		*st->error_at = start;
		return err_set(e, ERR_LIMIT, "${} nested deeper than %d", LIMIT_EXPANSION_DEPTH);
	}
	if (st->pos == st->len)
		return bad_substitution(st, start, "missing '}'", e);
	v.name = st->word + st->pos;
	v.name_len = name_len(st);
	if (v.name_len == 0)
		return bad_substitution(st, start, "no name after '${'", e);
	st->pos += v.name_len;
	const int is_set = look_up(st, v.name, v.name_len, &v.value, e);
	if (is_set < 0)
		return -1;
	v.is_set = is_set == 1;
	st->depth++;
	const int result = process_modifier(st, &v, out, e);
	st->depth--;
	return result;
}

static int process_dollar(struct state *st, struct sink *out, struct err *e)
{
	const size_t start = st->pos++;
	const char *value;

	if (peek(st) == '{') {
		st->pos++;
		return process_braces(st, start, out, e);
	}
	const char *name = st->word + st->pos;
	const size_t len = name_len(st);
	if (len == 0)
		return emit(st, out, "$", 1, true, e);
	st->pos += len;
	const int is_set = look_up(st, name, len, &value, e);
	if (is_set < 0 || (is_set == 0 && note_unset(st, name, len, e) < 0))
		return -1;
	return emit(st, out, value, strlen(value), true, e);
}

/* What "$" gives inside of double quotes does not split words. */
static int process_quoted_dollar(struct state *st, struct sink *out, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	struct sink sink = {.text = &text, .words = NULL, .word = STR_INIT};

	if (process_dollar(st, &sink, e) < 0)
		return -1;
	return emit(st, out, str_text(&text), text.len, false, e);
}

static int process_quoted_escape(struct state *st, bool keep_escapes, struct sink *out,
				 struct err *e)
{
	const char escape = st->x->escape;
	const char next = peek(st);

	if (keep_escapes && emit(st, out, &escape, 1, false, e) < 0)
		return -1;
	if (next == '"' || next == '$' || next == escape) {
		st->pos++;
		return emit(st, out, &next, 1, false, e);
	}
	/* Before other characters it stands for itself; at the end it is dropped. */
	return st->pos < st->len ? emit(st, out, &escape, 1, false, e) : 0;
}

static int process_double_quoted(struct state *st, bool keep_escapes, struct sink *out,
				 struct err *e)
{
	const size_t start = st->pos++;

	while (st->pos < st->len) {
		size_t len;
		int result;
		const char c = peek(st);
		if (c == '"') {
			st->pos++;
			return 0;
		}
		if (c == '$') {
			result = process_quoted_dollar(st, out, e);
		} else if (c == st->x->escape) {
			st->pos++;
			result = process_quoted_escape(st, keep_escapes, out, e);
		} else {
			const char *at = next_char(st, &len);
			result = emit(st, out, at, len, false, e);
		}
		if (result < 0)
			return -1;
	}
	*st->error_at = start;
	return err_set(e, ERR_SYNTAX, "double quote without an end");
}

static int process_escape(struct state *st, bool keep_escapes, struct sink *out, struct err *e)
{
	size_t len;

	st->pos++;
	if (keep_escapes && emit(st, out, &st->x->escape, 1, false, e) < 0)
		return -1;
	if (st->pos == st->len)
		return 0;
	const char *at = next_char(st, &len);
	return emit(st, out, at, len, false, e);
}

static int process(struct state *st, int stop, bool keep_escapes, struct sink *out, struct err *e)
{
	const bool has_quotes = !(st->x->flags & EXPAND_QUOTES_STAY);

	while (st->pos < st->len) {
		const char c = peek(st);
		size_t len;
		int result;
		if ((unsigned char)c == stop) {
			st->pos++;
			return 1;
		}
		if (c == '$') {
			result = process_dollar(st, out, e);
		} else if (has_quotes && c == '\'') {
			result = process_single_quoted(st, out, e);
		} else if (has_quotes && c == '"') {
			result = process_double_quoted(st, keep_escapes, out, e);
		} else if (c == st->x->escape) {
			result = process_escape(st, keep_escapes, out, e);
		} else {
			const char *at = next_char(st, &len);
			result = emit(st, out, at, len, true, e);
		}
		if (result < 0)
			return -1;
	}
	return stop == NO_STOP;
}

static int expand(const struct expander *x, const char *word, struct sink *out, size_t *error_at,
		  struct err *e)
{
	size_t at = 0;
	struct state st = {.x = x, .word = word, .len = strlen(word), .error_at = &at};

	*error_at = 0;
	if (process(&st, NO_STOP, false, out, e) < 0) {
		*error_at = at;
		return -1;
	}
	return out->words ? end_word(&st, out, e) : 0;
}

int expand_word(const struct expander *x, const char *word, struct str *out, size_t *error_at,
		struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	struct sink sink = {.text = &text, .words = NULL, .word = STR_INIT};

	if (expand(x, word, &sink, error_at, e) < 0)
		return -1;
	return str_append(out, str_text(&text), text.len, e);
}

int expand_words(const struct expander *x, const char *word, struct strlist *out, size_t *error_at,
		 struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	struct sink sink = {.text = &text, .words = out, .word = STR_INIT};

	const int result = expand(x, word, &sink, error_at, e);
	str_fini(&sink.word);
	return result;
}
