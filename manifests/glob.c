/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pattern is a row of tokens; matching walks over the path with the set of tokens that could be
 * next (Thompson's construction), so no pattern makes it try the same thing twice.  A star stays
 * in the set while it eats characters.
 *
 * "**" is two tokens, after the regular expression that moby's patternmatcher makes of it, (.*\/)?:
 * DEEP may be left at once, or entered; DEEP_LOOP eats anything, and is left after a "/".
 */
#include "manifests/glob.h"

#include <stdint.h>
#include <string.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/quote.h"
#include "base/str.h"
#include "manifests/chars.h"

enum token_kind {
	TOKEN_CHAR,
	TOKEN_ANY_CHAR,  /* ?, not "/" */
	TOKEN_STAR,      /* *, without "/" */
	TOKEN_CLASS,     /* [...]; the ranges follow as TOKEN_RANGE */
	TOKEN_NOT_CLASS, /* [^...] */
	TOKEN_RANGE,
	TOKEN_DEEP,
	TOKEN_DEEP_LOOP,
	TOKEN_ALL, /* "**" at the end: any rest */
};

struct glob_token {
	enum token_kind kind;
	uint32_t first, last; /* characters; for a class, `first` is the number of its ranges */
};

/* A set of token indexes: a list without doubles. */
struct state_set {
	uint16_t items[LIMIT_PATH + 4];
	size_t count;
	uint8_t has[(LIMIT_PATH + 4) / 8 + 1];
};

static int add_token(struct glob *g, enum token_kind kind, uint32_t first, uint32_t last,
		     struct err *e)
{
	if (array_reserve(&g->tokens, &g->cap, g->count + 1, sizeof(*g->tokens), e) < 0)
		return -1;
	g->tokens[g->count++] = (struct glob_token){kind, first, last};
	return 0;
}

static int refuse(const char *pattern, size_t len, const char *why, struct err *e)
{
	char quoted[QUOTE_MAX];

	return err_set(e, ERR_SYNTAX, "bad pattern '%s': %s", quote_bytes(quoted, pattern, len),
		       why);
}

/* One end of a range in a class, at `*at`. */
static int parse_class_char(const char *s, size_t len, size_t *at, uint32_t *out, struct err *e)
{
	if (*at < len && (s[*at] == '-' || s[*at] == ']'))
		return refuse(s, len, "a range lacks an end", e);
	if (*at < len && s[*at] == '\\')
		(*at)++;
	if (*at >= len)
		return refuse(s, len, "'[' without ']'", e);
	*at += chars_decode(s + *at, len - *at, out);
	return 0;
}

/* After the "[" at `*at - 1`. */
static int parse_class(struct glob *g, const char *s, size_t len, size_t *at, struct err *e)
{
	const bool is_negated = *at < len && s[*at] == '^';
	const size_t head = g->count;

	if (is_negated)
		(*at)++;
	if (add_token(g, is_negated ? TOKEN_NOT_CLASS : TOKEN_CLASS, 0, 0, e) < 0)
		return -1;
	while (*at < len && (s[*at] != ']' || g->count == head + 1)) {
		uint32_t first = 0, last;
		if (parse_class_char(s, len, at, &first, e) < 0)
			return -1;
		last = first;
		if (*at < len && s[*at] == '-') {
			(*at)++;
			if (parse_class_char(s, len, at, &last, e) < 0)
				return -1;
		}
		if (add_token(g, TOKEN_RANGE, first, last, e) < 0)
			return -1;
	}
	if (*at >= len)
		return refuse(s, len, "'[' without ']'", e);
	(*at)++;
	g->tokens[head].first = (uint32_t)(g->count - head - 1);
	return 0;
}

/* After the first "*" of "**". */
static int parse_deep(struct glob *g, const char *s, size_t len, size_t *at, struct err *e)
{
	(*at)++;
	if (*at < len && s[*at] == '/')
		(*at)++;
	if (*at == len)
		return add_token(g, TOKEN_ALL, 0, 0, e);
	if (add_token(g, TOKEN_DEEP, 0, 0, e) < 0)
		return -1;
	return add_token(g, TOKEN_DEEP_LOOP, 0, 0, e);
}

static int parse_token(struct glob *g, const char *s, size_t len, enum glob_kind kind, size_t *at,
		       struct err *e)
{
	uint32_t point;

	switch (s[*at]) {
	case '*':
		(*at)++;
		if (kind == GLOB_DEEP && *at < len && s[*at] == '*')
			return parse_deep(g, s, len, at, e);
		return add_token(g, TOKEN_STAR, 0, 0, e);
	case '?':
		(*at)++;
		return add_token(g, TOKEN_ANY_CHAR, 0, 0, e);
	case '[':
		(*at)++;
		return parse_class(g, s, len, at, e);
	case '\\':
		(*at)++;
		if (*at == len)
			return refuse(s, len, "nothing after '\\'", e);
		break;
	default:
		break;
	}
	*at += chars_decode(s + *at, len - *at, &point);
	return add_token(g, TOKEN_CHAR, point, point, e);
}

static int parse(struct glob *g, const char *pattern, size_t len, enum glob_kind kind,
		 struct err *e)
{
	static const char magic[] = "*?[";
	SCOPE(str) struct str prefix = STR_INIT;
	bool is_prefix = true;

	for (size_t at = 0; at < len;) {
		const size_t before = at;
		if (parse_token(g, pattern, len, kind, &at, e) < 0)
			return -1;
		is_prefix = is_prefix && !memchr(magic, pattern[before], sizeof(magic) - 1);
		const size_t skip = pattern[before] == '\\';
		if (is_prefix &&
		    str_append(&prefix, pattern + before + skip, at - before - skip, e) < 0)
			return -1;
	}
	g->is_literal = is_prefix;
	g->prefix_len = prefix.len;
	g->prefix = str_steal(&prefix, e);
	return g->prefix ? 0 : -1;
}

int glob_init(struct glob *g, const char *pattern, size_t len, enum glob_kind kind, struct err *e)
{
	char quoted[QUOTE_MAX];
	SCOPE(glob) struct glob made = GLOB_INIT;

	*g = (struct glob)GLOB_INIT;
	if (len > LIMIT_PATH)
		return err_set(e, ERR_LIMIT, "pattern '%s' has more than %d bytes",
			       quote_bytes(quoted, pattern, len), LIMIT_PATH);
	if (parse(&made, pattern, len, kind, e) < 0)
		return -1;
	*g = made;
	made = (struct glob)GLOB_INIT;
	return 0;
}

void glob_fini(struct glob *g)
{
	free(g->tokens);
	free(g->prefix);
	*g = (struct glob)GLOB_INIT;
}

/* Adds the token at `i` and all that can be reached from it without a character. */
static void add_state(const struct glob *g, struct state_set *set, size_t i)
{
	for (;;) {
		if (set->has[i / 8] & 1 << i % 8)
			return;
		set->has[i / 8] |= (uint8_t)(1 << i % 8);
		set->items[set->count++] = (uint16_t)i;
		if (i == g->count)
			return;
		const enum token_kind kind = g->tokens[i].kind;
		if (kind == TOKEN_DEEP) {
			/* Into the loop, which has no way on without a character. */
			if (!(set->has[(i + 1) / 8] & 1 << (i + 1) % 8)) {
				set->has[(i + 1) / 8] |= (uint8_t)(1 << (i + 1) % 8);
				set->items[set->count++] = (uint16_t)(i + 1);
			}
			i += 2;
		} else if (kind == TOKEN_STAR || kind == TOKEN_ALL) {
			i++;
		} else {
			return;
		}
	}
}

static void clear(struct state_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		set->has[set->items[i] / 8] = 0;
	set->count = 0;
}

static bool class_has(const struct glob_token *head, uint32_t point)
{
	for (uint32_t i = 1; i <= head->first; i++) {
		if (point >= head[i].first && point <= head[i].last)
			return true;
	}
	return false;
}

/* The loop stays itself; coming in by add_state would be no harm, but it has nothing to add. */
static void step(const struct glob *g, size_t i, uint32_t point, struct state_set *to)
{
	const struct glob_token *t = &g->tokens[i];

	switch (t->kind) {
	case TOKEN_CHAR:
		if (point == t->first)
			add_state(g, to, i + 1);
		return;
	case TOKEN_ANY_CHAR:
		if (point != '/')
			add_state(g, to, i + 1);
		return;
	case TOKEN_STAR:
		if (point != '/')
			add_state(g, to, i);
		return;
	case TOKEN_CLASS:
	case TOKEN_NOT_CLASS:
		if (class_has(t, point) == (t->kind == TOKEN_CLASS))
			add_state(g, to, i + 1 + t->first);
		return;
	case TOKEN_DEEP_LOOP:
		add_state(g, to, i);
		if (point == '/')
			add_state(g, to, i + 1);
		return;
	case TOKEN_ALL:
		add_state(g, to, i);
		return;
	case TOKEN_RANGE: /* part of its class, never a state */
	case TOKEN_DEEP:  /* left at once */
		return;
	}
}

/* The tokens that are next after `path` is eaten, in one of the two sets; NULL: none. */
static const struct state_set *run(const struct glob *g, const char *path, size_t len,
				   struct state_set sets[static 2], uint64_t *steps)
{
	struct state_set *now = &sets[0], *next = &sets[1];

	for (int i = 0; i < 2; i++) {
		sets[i].count = 0;
		memset(sets[i].has, 0, g->count / 8 + 1);
	}
	add_state(g, now, 0);
	for (size_t at = 0; at < len && now->count > 0;) {
		uint32_t point;
		at += chars_decode(path + at, len - at, &point);
		*steps += now->count;
		for (size_t i = 0; i < now->count; i++) {
			if (now->items[i] < g->count)
				step(g, now->items[i], point, next);
		}
		struct state_set *was = now;
		clear(was);
		now = next;
		next = was;
	}
	return now->count > 0 ? now : NULL;
}

bool glob_match(const struct glob *g, const char *path, size_t len)
{
	uint64_t ignored = 0;

	return glob_match_counting(g, path, len, &ignored);
}

bool glob_match_counting(const struct glob *g, const char *path, size_t len, uint64_t *steps)
{
	struct state_set sets[2];

	if (len > LIMIT_PATH || len < g->prefix_len || memcmp(path, g->prefix, g->prefix_len) != 0)
		return false;
	if (g->is_literal)
		return len == g->prefix_len;
	const struct state_set *end = run(g, path, len, sets, steps);
	return end && end->has[g->count / 8] & 1 << g->count % 8;
}

bool glob_may_match_from(const struct glob *g, const char *start, size_t len)
{
	uint64_t ignored = 0;

	return glob_may_match_from_counting(g, start, len, &ignored);
}

bool glob_may_match_from_counting(const struct glob *g, const char *start, size_t len,
				  uint64_t *steps)
{
	struct state_set sets[2];
	const size_t shared = len < g->prefix_len ? len : g->prefix_len;

	if (len > LIMIT_PATH || memcmp(start, g->prefix, shared) != 0)
		return false;
	if (len < g->prefix_len)
		return true;
	const struct state_set *end = run(g, start, len, sets, steps);
	/* Being at the end of the pattern is a match of `start` itself, not of something longer. */
	return end && (end->count > 1 || end->items[0] != g->count);
}
