/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pattern is a row of pieces between stars.  The first piece is where it is, each further one
 * goes to its first place after the one before, or, for the longest match, the last piece to its
 * last place: that never has to be taken back.
 */
#include "manifests/pattern.h"

#include <assert.h>
#include <string.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/quote.h"
#include "manifests/chars.h"

/* Units of a pattern beside characters, which are smaller. */
enum { ANY_CHAR = 0x200000, STAR = 0x200001 };

/* To decode, hold and copy a byte takes as long as so many comparisons. */
enum { BYTE_STEPS = 8 };

/* A text by characters; `starts` has one more item than `items`. */
struct units {
	uint32_t *items;
	uint32_t *starts; /* in bytes */
	size_t count;
};

struct search {
	struct units pattern, value;
	uint64_t *steps;
	bool is_exhausted;
};

static void search_fini(struct search *s)
{
	free(s->pattern.items);
	free(s->pattern.starts);
	free(s->value.items);
	free(s->value.starts);
}
SCOPE_DEFINE_VALUE(search, struct search, search_fini)

static int units_init(struct units *u, const char *text, struct err *e)
{
	const size_t len = strlen(text);

	u->items = array_new(len + 1, sizeof(*u->items), e);
	if (!u->items)
		return -1;
	u->starts = array_new(len + 1, sizeof(*u->starts), e);
	if (!u->starts)
		return -1;
	for (size_t at = 0; at < len; u->count++) {
		u->starts[u->count] = (uint32_t)at;
		at += chars_decode(text + at, len - at, &u->items[u->count]);
	}
	u->starts[u->count] = (uint32_t)len;
	return 0;
}

/* Turns the characters of a pattern into units of one, in place. */
static int compile(struct units *u, const char *pattern, struct err *e)
{
	char quoted[QUOTE_MAX];
	size_t used = 0;

	for (size_t i = 0; i < u->count; i++) {
		uint32_t unit = u->items[i];
		if (unit == '*') {
			unit = STAR;
		} else if (unit == '?') {
			unit = ANY_CHAR;
		} else if (unit == '\\') {
			unit = ++i < u->count ? u->items[i] : 0;
			if (unit == 0 || unit > 0x7f || !strchr("*?\\}/", (int)unit))
				return err_set(e, ERR_SYNTAX,
					       "pattern '%s' has '\\' before none of *?\\}/",
					       quote_str(quoted, pattern));
		}
		u->items[used++] = unit;
	}
	u->count = used;
	return 0;
}

/* And all that come later, which may be many. */
static int refuse_long(const struct search *s, const char *pattern, struct err *e)
{
	char quoted[QUOTE_MAX];

	*s->steps = 0;
	return err_set(e, ERR_LIMIT, "matching pattern '%s' takes too long",
		       quote_str(quoted, pattern));
}

static int search_init(struct search *s, const char *value, const char *pattern, struct err *e)
{
	/* However few comparisons follow. */
	const uint64_t cost = BYTE_STEPS * (uint64_t)(strlen(value) + strlen(pattern));
	if (*s->steps == 0 || cost > *s->steps)
		return refuse_long(s, pattern, e);
	*s->steps -= cost;
	if (units_init(&s->pattern, pattern, e) < 0 || compile(&s->pattern, pattern, e) < 0)
		return -1;
	return units_init(&s->value, value, e);
}

static void reverse(uint32_t *items, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		const uint32_t unit = items[i];
		items[i] = items[count - 1 - i];
		items[count - 1 - i] = unit;
	}
}

/* Whether the piece [from, to) of the pattern is at `at` of the value. */
static bool piece_is_at(struct search *s, size_t from, size_t to, size_t at)
{
	for (size_t i = from; i < to; i++, at++) {
		if (*s->steps == 0) {
			s->is_exhausted = true;
			return false;
		}
		--*s->steps;
		if (s->pattern.items[i] != ANY_CHAR && s->pattern.items[i] != s->value.items[at])
			return false;
	}
	return true;
}

static bool find_first(struct search *s, size_t from, size_t to, size_t *at)
{
	const size_t len = to - from;

	for (size_t i = *at; len <= s->value.count && i <= s->value.count - len; i++) {
		if (piece_is_at(s, from, to, i)) {
			*at = i;
			return true;
		}
		if (s->is_exhausted)
			return false;
	}
	return false;
}

static bool find_last(struct search *s, size_t from, size_t to, size_t *at)
{
	const size_t len = to - from;

	for (size_t i = s->value.count + 1; i-- > *at;) {
		if (len <= s->value.count - i && piece_is_at(s, from, to, i)) {
			*at = i;
			return true;
		}
		if (s->is_exhausted)
			return false;
	}
	return false;
}

static size_t piece_end(const struct search *s, size_t from)
{
	while (from < s->pattern.count && s->pattern.items[from] != STAR)
		from++;
	return from;
}

/* Whether the pattern matches at `start`; `end` is where the match ends. */
static bool match_at(struct search *s, size_t start, bool is_longest, size_t *end)
{
	size_t to = piece_end(s, 0);

	if (to > s->value.count - start || !piece_is_at(s, 0, to, start))
		return false;
	size_t at = start + to;
	while (to < s->pattern.count) {
		const size_t from = to + 1;
		to = piece_end(s, from);
		const bool is_last = to == s->pattern.count;
		if (is_last && is_longest ? !find_last(s, from, to, &at)
					  : !find_first(s, from, to, &at))
			return false;
		at += to - from;
	}
	*end = at;
	return true;
}

int pattern_trim(struct str *out, const char *value, const char *pattern, bool is_end,
		 bool is_longest, uint64_t *steps, struct err *e)
{
	SCOPE(search) struct search s = {.steps = steps};
	size_t end = 0;

	if (search_init(&s, value, pattern, e) < 0)
		return -1;
	/* An end is a start of the reversed text. */
	if (is_end) {
		reverse(s.pattern.items, s.pattern.count);
		reverse(s.value.items, s.value.count);
	}
	if (!match_at(&s, 0, is_longest, &end))
		end = 0;
	if (s.is_exhausted)
		return refuse_long(&s, pattern, e);
	if (is_end)
		return str_append(out, value, s.value.starts[s.value.count - end], e);
	return str_append_z(out, value + s.value.starts[end], e);
}

/*
 * The leftmost match at or after `*start`.  When the first piece is there and the rest is not to be
 * found behind it, no later start has it behind itself either.
 */
static bool find_match(struct search *s, size_t *start, size_t *end)
{
	const size_t to = piece_end(s, 0);

	return find_first(s, 0, to, start) && match_at(s, *start, true, end);
}

static int append_units(struct str *out, const char *value, const struct units *u, size_t from,
			size_t to, struct err *e)
{
	assert(u->starts);
	return str_append(out, value + u->starts[from], u->starts[to] - u->starts[from], e);
}

int pattern_replace(struct str *out, const char *value, const char *pattern, const char *text,
		    bool is_all, uint64_t *steps, struct err *e)
{
	SCOPE(search) struct search s = {.steps = steps};
	size_t at = 0, last_end = 0;

	if (search_init(&s, value, pattern, e) < 0)
		return -1;
	const size_t count = s.value.count;
	while (at <= count) {
		size_t start = at, end = at;
		if (!find_match(&s, &start, &end))
			break;
		if (append_units(out, value, &s.value, at, start, e) < 0)
			return -1;
		/* As Go has it: nothing is not found again where a match just ended. */
		if ((end > last_end || start == 0) && str_append_z(out, text, e) < 0)
			return -1;
		if (out->len > LIMIT_EXPANDED_WORD)
			return err_set(e, ERR_LIMIT, "a word grows beyond %d bytes",
				       (int)LIMIT_EXPANDED_WORD);
		last_end = end;
		at = end;
		if (end == start && end < count &&
		    append_units(out, value, &s.value, end, end + 1, e) < 0)
			return -1;
		if (end == start)
			at++;
		if (!is_all)
			break;
	}
	if (s.is_exhausted)
		return refuse_long(&s, pattern, e);
	return at < count ? append_units(out, value, &s.value, at, count, e) : 0;
}
