/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "Did you mean ...?": the known word that is nearest to a mistyped one.
 */
#ifndef MANIFESTS_SUGGEST_H
#define MANIFESTS_SUGGEST_H

#include <stddef.h>

enum { SUGGEST_DISTANCE_MAX = 2 /* insertions, deletions and replacements (Levenshtein) */ };

/*
 * The first of `known` (`count` words) that is nearest to `word`, letters of both cases being
 * equal; NULL when none is within SUGGEST_DISTANCE_MAX, or none is nearer than a new word.
 */
const char *suggest_nearest(const char *word, const char *const *known, size_t count);

#endif
