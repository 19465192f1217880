/* SPDX-License-Identifier: Apache-2.0 */
#include "base/suggest.h"

#include <stdint.h>
#include <string.h>

static int lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	const size_t ab = a < b ? a : b;
	return ab < c ? ab : c;
}

/* Wagner and Fischer's table, one row at a time. */
size_t suggest_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t row[SUGGEST_WORD_MAX + 1];

	if (a_len > SUGGEST_WORD_MAX || b_len > SUGGEST_WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			const size_t above = row[j];
			const size_t differs = lower(a[i - 1]) != lower(b[j - 1]);
			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + differs);
			diagonal = above;
		}
	}
	return row[b_len];
}

const char *suggest_nearest(const char *word, const char *const *known, size_t count)
{
	const size_t len = strlen(word);
	const char *best = NULL;
	size_t best_distance = SUGGEST_DISTANCE_MAX + 1;

	for (size_t i = 0; i < count; i++) {
		const size_t known_len = strlen(known[i]);
		const size_t d = suggest_distance(word, len, known[i], known_len);
		/* When every letter must change, it is another word. */
		if (d < best_distance && d < known_len && d < len) {
			best_distance = d;
			best = known[i];
		}
	}
	return best;
}
