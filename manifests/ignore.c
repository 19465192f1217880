/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/ignore.h"

#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/quote.h"
#include "base/str.h"
#include "manifests/chars.h"
#include "manifests/glob.h"

/* How patternmatcher compares, which is not always how its regular expression would. */
enum rule_kind {
	RULE_GLOB,
	RULE_PREFIX, /* "text**": any path that starts with the text */
	RULE_SUFFIX, /* "**text": any path that ends with it, even inside a name; "**" is all */
};

struct rule {
	enum rule_kind kind;
	bool is_negated;
	char *text; /* of a prefix or suffix */
	size_t text_len;
	struct glob glob;
};

/*
 * Patterns of many "**" over deep directories cost the product of all: states, bytes and parents.
 * Every path brings some comparisons in, so that large contexts are no matter.
 */
struct meter {
	uint64_t left;
	bool is_exhausted;
};

struct ignore {
	struct rule *rules;
	size_t count, cap;
	struct meter *meter; /* what changes while the rules are asked */
};

static bool has_magic(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (strchr("*?[]\\", s[i]))
			return true;
	}
	return false;
}

static int set_text(struct rule *r, enum rule_kind kind, const char *text, size_t len,
		    struct err *e)
{
	r->kind = kind;
	r->text_len = len;
	r->text = str_dup_n(text, len, e);
	return r->text ? 0 : -1;
}

static int compile(struct rule *r, const char *s, size_t len, struct err *e)
{
	const bool starts_deep = len >= 2 && memcmp(s, "**", 2) == 0;
	const bool ends_deep = len >= 2 && memcmp(s + len - 2, "**", 2) == 0;

	/* Also where it is not used for matching: it tells malformed patterns. */
	if (glob_init(&r->glob, s, len, GLOB_DEEP, e) < 0)
		return -1;
	if (starts_deep && !has_magic(s + 2, len - 2))
		return set_text(r, RULE_SUFFIX, s + 2, len - 2, e);
	if (ends_deep && !has_magic(s, len - 2))
		return set_text(r, RULE_PREFIX, s, len - 2, e);
	r->kind = RULE_GLOB;
	return 0;
}

/* Takes the last name of the relative path `out` away; false when there is none to take. */
static bool drop_last(struct str *out)
{
	size_t len = out->len;

	while (len > 0 && out->data[len - 1] != '/')
		len--;
	if (out->len == 0 || strcmp(out->data + len, "..") == 0)
		return false;
	str_truncate(out, len > 0 ? len - 1 : 0);
	return true;
}

/* As Go's filepath.Clean, for a path from which a leading "/" is to go, too. */
static int clean(const char *s, size_t len, struct str *out, struct err *e)
{
	const bool is_absolute = len > 0 && s[0] == '/';
	size_t n;

	for (size_t at = 0; at < len; at += n + 1) {
		const char *slash = memchr(s + at, '/', len - at);
		n = slash ? (size_t)(slash - (s + at)) : len - at;
		if (n == 0 || (n == 1 && s[at] == '.'))
			continue;
		if (n == 2 && memcmp(s + at, "..", 2) == 0 && (drop_last(out) || is_absolute))
			continue;
		if (out->len > 0 && str_append_c(out, '/', e) < 0)
			return -1;
		if (str_append(out, s + at, n, e) < 0)
			return -1;
	}
	if (out->len == 0)
		return str_append_c(out, is_absolute ? '/' : '.', e);
	return 0;
}

static int add_rule(struct ignore *ig, const char *s, size_t len, struct err *e)
{
	SCOPE(str) struct str cleaned = STR_INIT;
	struct rule rule = {.glob = GLOB_INIT};

	chars_trim(&s, &len);
	if (len == 0)
		return 0;
	if (s[0] == '!') {
		rule.is_negated = true;
		s++;
		len--;
		chars_trim(&s, &len);
		if (len == 0)
			return err_set(e, ERR_SYNTAX, "'!' without a pattern");
	}
	if (ig->count == LIMIT_IGNORE_RULES)
		return err_set(e, ERR_LIMIT, "more than %d patterns", LIMIT_IGNORE_RULES);
	if (clean(s, len, &cleaned, e) < 0)
		return -1;
	if (array_reserve(&ig->rules, &ig->cap, ig->count + 1, sizeof(*ig->rules), e) < 0)
		return -1;
	if (compile(&rule, cleaned.data, cleaned.len, e) < 0) {
		glob_fini(&rule.glob);
		return -1;
	}
	ig->rules[ig->count++] = rule;
	return 0;
}

static int parse_lines(struct ignore *ig, const char *name, const char *s, size_t len,
		       struct err *e)
{
	char quoted[QUOTE_MAX];
	size_t number = 0, n;

	for (size_t at = 0; at < len; at += n + 1) {
		const char *end = memchr(s + at, '\n', len - at);
		n = end ? (size_t)(end - (s + at)) : len - at;
		number++;
		if (n > 0 && s[at] == '#')
			continue;
		if (memchr(s + at, '\0', n))
			err_set(e, ERR_SYNTAX, "NUL byte; this is not a text file");
		else if (add_rule(ig, s + at, n, e) == 0)
			continue;
		return e->code == ERR_NOMEM
			       ? -1
			       : err_wrap(e, "%s:%zu", quote_str(quoted, name), number);
	}
	return 0;
}

static struct ignore *new_empty(struct err *e)
{
	SCOPE(ignore) struct ignore *ig = array_new(1, sizeof(*ig), e);

	if (!ig)
		return NULL;
	ig->meter = array_new(1, sizeof(*ig->meter), e);
	if (!ig->meter)
		return NULL;
	ig->meter->left = LIMIT_IGNORE_STEPS;
	return steal_ptr(&ig);
}

struct ignore *ignore_parse(const char *name, const void *bytes, size_t len, struct err *e)
{
	static const char mark[] = "\xef\xbb\xbf";
	char quoted[QUOTE_MAX];
	const char *s = bytes;

	if (len > LIMIT_IGNORE_FILE) {
		err_set(e, ERR_LIMIT, "%s: more than %" PRIu64 " bytes", quote_str(quoted, name),
			(uint64_t)LIMIT_IGNORE_FILE);
		return NULL;
	}
	SCOPE(ignore) struct ignore *ig = new_empty(e);
	if (!ig)
		return NULL;
	if (len >= sizeof(mark) - 1 && memcmp(s, mark, sizeof(mark) - 1) == 0) {
		s += sizeof(mark) - 1;
		len -= sizeof(mark) - 1;
	}
	if (parse_lines(ig, name, s, len, e) < 0)
		return NULL;
	return steal_ptr(&ig);
}

struct ignore *ignore_new(const struct strlist *patterns, struct err *e)
{
	SCOPE(ignore) struct ignore *ig = new_empty(e);

	if (!ig)
		return NULL;
	for (size_t i = 0; i < patterns->count; i++) {
		if (add_rule(ig, patterns->items[i], strlen(patterns->items[i]), e) < 0)
			return NULL;
	}
	return steal_ptr(&ig);
}

void ignore_free(struct ignore *ig)
{
	if (!ig)
		return;
	for (size_t i = 0; i < ig->count; i++) {
		free(ig->rules[i].text);
		glob_fini(&ig->rules[i].glob);
	}
	free(ig->rules);
	free(ig->meter);
	free(ig);
}

static void charge(struct meter *m, uint64_t steps)
{
	m->is_exhausted |= steps > m->left;
	m->left -= steps < m->left ? steps : m->left;
}

static bool rule_matches(const struct rule *r, const char *path, size_t len, struct meter *m)
{
	uint64_t steps = 0;

	switch (r->kind) {
	case RULE_PREFIX:
		return len >= r->text_len && memcmp(path, r->text, r->text_len) == 0;
	case RULE_SUFFIX:
		if (len >= r->text_len &&
		    memcmp(path + len - r->text_len, r->text, r->text_len) == 0)
			return true;
		/* A directory "**" of none: "**" + "/name" is "name", too. */
		return r->text_len > 0 && r->text[0] == '/' && len == r->text_len - 1 &&
		       memcmp(path, r->text + 1, len) == 0;
	case RULE_GLOB:
		break;
	}
	const bool matches = glob_match_counting(&r->glob, path, len, &steps);
	charge(m, steps);
	return matches;
}

static bool rule_matches_with_parents(const struct rule *r, const char *path, size_t len,
				      struct meter *m)
{
	for (size_t i = 1; i < len && !m->is_exhausted; i++) {
		if (path[i] == '/' && rule_matches(r, path, i, m))
			return true;
	}
	return rule_matches(r, path, len, m);
}

static bool is_root(const char *path)
{
	return path[0] == '\0' || strcmp(path, ".") == 0;
}

/* The index of the rule that decides on `path`; count when none does. */
static size_t deciding_rule(const struct ignore *ig, const char *path, size_t len)
{
	for (size_t i = ig->count; i > 0 && !ig->meter->is_exhausted; i--) {
		if (rule_matches_with_parents(&ig->rules[i - 1], path, len, ig->meter))
			return i - 1;
	}
	return ig->count;
}

bool ignore_is_excluded(const struct ignore *ig, const char *path)
{
	if (is_root(path))
		return false;
	ig->meter->left += LIMIT_IGNORE_PATH;
	const size_t i = deciding_rule(ig, path, strlen(path));
	return i < ig->count && !ig->rules[i].is_negated;
}

/* `start` is a directory with its "/". */
static bool rule_may_match_below(const struct rule *r, const char *start, size_t len,
				 struct meter *m)
{
	uint64_t steps = 0;

	switch (r->kind) {
	case RULE_SUFFIX:
		return true;
	case RULE_PREFIX:
		return memcmp(start, r->text, len < r->text_len ? len : r->text_len) == 0;
	case RULE_GLOB:
		break;
	}
	const bool may_match = glob_may_match_from_counting(&r->glob, start, len, &steps);
	charge(m, steps);
	return may_match;
}

bool ignore_may_reinclude_below(const struct ignore *ig, const char *dir)
{
	char start[LIMIT_PATH + 2];
	const size_t len = strlen(dir);

	if (is_root(dir) || len > LIMIT_PATH)
		return true;
	memcpy(start, dir, len);
	start[len] = '/';
	start[len + 1] = '\0';
	/* What matches `dir` matches all below it; only a later rule can take something back. */
	const size_t decided = deciding_rule(ig, dir, len);
	for (size_t i = decided < ig->count ? decided + 1 : 0; i < ig->count; i++) {
		if (ig->meter->is_exhausted)
			return true;
		if (ig->rules[i].is_negated &&
		    rule_may_match_below(&ig->rules[i], start, len + 1, ig->meter))
			return true;
	}
	return false;
}

int ignore_check_steps(const struct ignore *ig, struct err *e)
{
	if (!ig->meter->is_exhausted)
		return 0;
	return err_set(e, ERR_LIMIT, "to match the patterns that leave files out takes too long");
}
