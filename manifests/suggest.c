/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/suggest.h"

#include <stdint.h>
#include <string.h>

#include "manifests/chars.h"

enum { WORD_MAX = 64 /* longer words are no typing mistakes of ours */ };

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	const unsigned ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Wagner and Fischer's table, one row at a time; both words are at most WORD_MAX long. */
static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned row[WORD_MAX + 1];

	for (size_t j = 0; j <= b_len; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned diagonal = row[0];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			const unsigned above = row[j];
			const unsigned differs = chars_lower(a[i - 1]) != chars_lower(b[j - 1]);
			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + differs);
			diagonal = above;
		}
	}
	return row[b_len];
}

const char *suggest_nearest(const char *word, const char *const *known, size_t count)
{
	const size_t len = strnlen(word, WORD_MAX + 1);
	const char *best = NULL;
	unsigned best_distance = SUGGEST_DISTANCE_MAX + 1;

	if (len == 0 || len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const size_t known_len = strnlen(known[i], WORD_MAX + 1);
		if (known_len > WORD_MAX)
			continue;
		const unsigned d = distance(word, len, known[i], known_len);
		/* When every letter must change, it is another word. */
		if (d < best_distance && d < known_len && d < len) {
			best_distance = d;
			best = known[i];
		}
	}
	return best;
}
