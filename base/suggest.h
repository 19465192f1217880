/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "Did you mean ...?": how far apart two words are, and which known word is nearest to a mistyped
 * one.
 *
 * Letters of both cases are equal (ASCII).  Plain values, nothing allocates.
 */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include <stddef.h>

enum {
	SUGGEST_DISTANCE_MAX = 2, /* of suggest_nearest */
	SUGGEST_WORD_MAX = 128,   /* bytes; longer words are no typing mistakes */
};

/* Letters to add, drop or change (Levenshtein); SIZE_MAX when either is longer than
 * SUGGEST_WORD_MAX. */
size_t suggest_distance(const char *a, size_t a_len, const char *b, size_t b_len);

/*
 * The first of `known` (`count` words) that is nearest to `word`; NULL when none is within
 * SUGGEST_DISTANCE_MAX, or none is nearer than a new word.
 */
const char *suggest_nearest(const char *word, const char *const *known, size_t count);

#endif
