/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/words.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/json.h"
#include "base/quote.h"
#include "manifests/chars.h"

/* A part of an instruction's text. */
struct part {
	size_t from, to;
};

static int refuse(struct instruction *i, size_t offset, struct findings *f, struct err *e,
		  const char *msg)
{
	i->is_broken = true;
	return findings_error(f, ERR_SYNTAX, instruction_place(i, offset), e, "%s", msg);
}

static int add_part(struct instruction *i, struct part p, struct err *e)
{
	return instruction_add_word(i, i->text + p.from, p.to - p.from, p.from, true, e);
}

static int cut_blanks(struct instruction *i, struct part p, struct err *e)
{
	while (p.from < p.to) {
		struct part word = {p.from, p.from};
		while (word.to < p.to && !chars_is_blank(i->text[word.to]))
			word.to++;
		if (add_part(i, word, e) < 0)
			return -1;
		for (p.from = word.to; p.from < p.to && chars_is_blank(i->text[p.from]); p.from++)
			;
	}
	return 0;
}

/*
 * The word at word->from: quotes and escapes hide white space, and stay in it; an escape character
 * at the very end escapes nothing, and goes.  Returns where the next word may start.
 */
static size_t read_quoted(const char *s, struct part *word, size_t end, char escape)
{
	char quote = '\0';
	size_t at = word->from;
	uint32_t ignored;

	while (at < end && (quote || chars_space(s + at, end - at) == 0)) {
		if (s[at] == escape && quote != '\'') {
			if (++at == end) {
				word->to = end - 1;
				return end;
			}
		} else if (quote && s[at] == quote) {
			quote = '\0';
		} else if (!quote && (s[at] == '\'' || s[at] == '"')) {
			quote = s[at];
		}
		at += chars_decode(s + at, end - at, &ignored);
	}
	word->to = at;
	return at;
}

/* The next word of `p`, which is shortened to what is behind it; false: none. */
static bool next_quoted(const struct instruction *i, struct part *p, char escape, struct part *word)
{
	size_t n;

	do {
		while ((n = chars_space(i->text + p->from, p->to - p->from)) > 0)
			p->from += n;
		if (p->from >= p->to)
			return false;
		word->from = p->from;
		p->from = read_quoted(i->text, word, p->to, escape);
	} while (word->to == word->from);
	return true;
}

static int cut_names(struct instruction *i, struct part p, char escape, struct err *e)
{
	struct part word;

	while (next_quoted(i, &p, escape, &word)) {
		if (add_part(i, word, e) < 0)
			return -1;
	}
	return 0;
}

static int add_pair(struct instruction *i, struct part name, struct part value, struct err *e)
{
	return add_part(i, name, e) < 0 ? -1 : add_part(i, value, e);
}

/* "name rest of the line" */
static int cut_legacy_pair(struct instruction *i, struct part p, struct findings *f, struct err *e)
{
	struct part name = {p.from, p.from};

	while (name.to < p.to && !chars_is_blank(i->text[name.to]))
		name.to++;
	if (name.to == p.to) {
		i->is_broken = true;
		return findings_error(f, ERR_SYNTAX, instruction_place(i, p.from), e,
				      "%s needs a name and a value, like %s name=value",
				      i->info->name, i->info->name);
	}
	for (p.from = name.to; p.from < p.to && chars_is_blank(i->text[p.from]); p.from++)
		;
	i->form = FORM_LEGACY_PAIR;
	return add_pair(i, name, p, e);
}

static int cut_pairs(struct instruction *i, struct part p, char escape, struct findings *f,
		     struct err *e)
{
	const struct part all = p;
	struct part word;
	char quoted[QUOTE_MAX];

	i->form = FORM_PAIRS;
	while (next_quoted(i, &p, escape, &word)) {
		const size_t len = word.to - word.from;
		const char *text = i->text + word.from;
		const char *equals = memchr(text, '=', len);
		if (!equals && i->word_count == 0)
			return cut_legacy_pair(i, all, f, e);
		if (!equals) {
			i->is_broken = true;
			return findings_error(f, ERR_SYNTAX, instruction_place(i, word.from), e,
					      "no '=' in '%s': words must be name=value",
					      quote_bytes(quoted, text, len));
		}
		const size_t at = word.from + (size_t)(equals - text);
		if (add_pair(i, (struct part){word.from, at}, (struct part){at + 1, word.to}, e) <
		    0)
			return -1;
	}
	return 0;
}

/* The text of a JSON string that is known to be well-formed starts behind the next quote. */
static size_t json_string_offset(const char *s, size_t *at)
{
	while (s[*at] != '"')
		++*at;
	const size_t start = ++*at;
	while (s[*at] != '"')
		*at += s[*at] == '\\' ? 2 : 1;
	++*at;
	return start;
}

static int add_json_words(struct instruction *i, size_t offset, const json_t *array,
			  struct findings *f, struct err *e)
{
	const json_t *item;
	size_t index, at = offset;

	json_array_foreach(array, index, item)
	{
		if (!json_is_string(item))
			return refuse(i, offset, f, e, "a JSON array here has strings only");
	}
	json_array_foreach(array, index, item)
	{
		const char *text = json_string_value(item);
		const size_t start = json_string_offset(i->text, &at);
		if (strlen(text) != json_string_length(item))
			return refuse(i, start, f, e, "NUL character in a JSON string");
		if (instruction_add_word(i, text, strlen(text), start, false, e) < 0)
			return -1;
	}
	i->form = FORM_JSON;
	return 0;
}

/* 1: it was JSON (perhaps with a finding), 0: it is not, -1. */
static int cut_json(struct instruction *i, struct part p, struct findings *f, struct err *e)
{
	json_error_t error;

	if (p.from == p.to || i->text[p.from] != '[')
		return 0;
	errno = 0;
	json_t *array = json_loadb(i->text + p.from, p.to - p.from, JSON_ALLOW_NUL, &error);
	if (!array && (json_error_code(&error) == json_error_out_of_memory || errno == ENOMEM))
		return err_nomem(e);
	if (!array)
		return 0;
	const int result = add_json_words(i, p.from, array, f, e);
	json_decref(array);
	return result < 0 ? -1 : 1;
}

/* Words that only look like JSON are what docker makes of a forgotten quote or bracket; to a shell,
 * "[" is a command when a blank follows it. */
static int warn_no_json(const struct instruction *i, struct part p, struct findings *f,
			struct err *e)
{
	if (i->text[p.from] != '[')
		return 0;
	const int next = p.from + 1 < p.to ? i->text[p.from + 1] : '\0';
	if (i->text[p.to - 1] != ']' && next != '"' && next != '\'')
		return 0;
	return findings_warn(f, instruction_place(i, p.from), e,
			     "this is no JSON array of strings, and taken as plain text");
}

static int cut_json_or(struct instruction *i, struct part p, bool is_rest, struct findings *f,
		       struct err *e)
{
	const int is_json = cut_json(i, p, f, e);

	if (is_json != 0)
		return is_json < 0 ? -1 : 0;
	if (p.from == p.to)
		return 0;
	if (warn_no_json(i, p, f, e) < 0)
		return -1;
	return is_rest ? add_part(i, p, e) : cut_blanks(i, p, e);
}

static int cut_health(struct instruction *i, struct part p, struct findings *f, struct err *e)
{
	struct part type = {p.from, p.from};
	size_t n;

	while (type.to < p.to && chars_space(i->text + type.to, p.to - type.to) == 0)
		type.to++;
	if (type.to == type.from)
		return 0;
	if (add_part(i, type, e) < 0)
		return -1;
	p.from = type.to;
	while ((n = chars_space(i->text + p.from, p.to - p.from)) > 0)
		p.from += n;
	return cut_json_or(i, p, true, f, e);
}

int words_cut(struct instruction *i, size_t len, char escape, struct findings *f, struct err *e)
{
	const struct part p = {i->args_offset, i->args_offset + len};

	i->form = FORM_WORDS;
	switch (i->info->rule) {
	case RULE_REST:
		return len > 0 ? add_part(i, p, e) : 0;
	case RULE_BLANKS:
		return cut_blanks(i, p, e);
	case RULE_JSON_OR_BLANKS:
		return cut_json_or(i, p, false, f, e);
	case RULE_JSON_OR_REST:
		return cut_json_or(i, p, true, f, e);
	case RULE_PAIRS:
		return cut_pairs(i, p, escape, f, e);
	case RULE_NAMES:
		return cut_names(i, p, escape, e);
	case RULE_HEALTH:
		return cut_health(i, p, f, e);
	case RULE_TRIGGER:
		break;
	}
	return 0;
}
