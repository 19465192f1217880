/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quotes and variables of one word: $n, ${n}, ${n:-w} ${n-w} ${n:+w} ${n+w} ${n:?w} ${n?w},
 * ${n#p} ${n##p} ${n%p} ${n%%p}, ${n/p/t} ${n//p/t}; w, p and t are words themselves.
 *
 * Source: BuildKit's dockerfile frontend, package shell, which the Dockerfile reference describes.
 * The values of positional and special parameters ($1, $@, $?) are empty; "$" before anything else
 * stays.  Word and pattern are worked out even when the value is not used, as there.
 *
 * Limits: a word has at most LIMIT_EXPANDED_WORD bytes, ${} nest LIMIT_EXPANSION_DEPTH deep; all
 * words of a file share one budget of bytes and of pattern steps.
 */
#ifndef MANIFESTS_EXPAND_H
#define MANIFESTS_EXPAND_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/strlist.h"
#include "base/strmap.h"

struct expand_budget {
	uint64_t bytes; /* that words may still grow to, all together */
	uint64_t steps; /* see pattern.h */
};

#define EXPAND_BUDGET_INIT                                \
	{                                                 \
		LIMIT_EXPANDED_TOTAL, LIMIT_PATTERN_STEPS \
	}

enum {
	/* ' and " are characters like others: the text of heredocs. */
	EXPAND_QUOTES_STAY = 1,
};

struct expander {
	const struct strmap *vars;
	char escape;
	unsigned flags;
	struct strlist *unset; /* gets the names that were not set and had no default; or NULL */
	struct expand_budget *budget;
};

/*
 * One word to one word: appends it to `out`.  ERR_SYNTAX, ERR_LIMIT, ERR_NOMEM; `error_at` is
 * then the place in `word`.
 */
int expand_word(const struct expander *x, const char *word, struct str *out, size_t *error_at,
		struct err *e);

/* One word to any number of words: unquoted white space of the values splits, too. */
int expand_words(const struct expander *x, const char *word, struct strlist *out, size_t *error_at,
		 struct err *e);

#endif
