/* SPDX-License-Identifier: Apache-2.0 */
#include "store/near.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/quote.h"
#include "base/suggest.h"
#include "image/reference.h"
#include "store/refs.h"

enum {
	NEAR_MAX = 3,         /* names shown */
	NEAR_PER_LETTERS = 5, /* one letter in so many may differ, */
	NEAR_LEAST = 2,       /* and this many in any case */
	NEAR_OTHER_TAG = 0,   /* closer than any name with a letter changed */
};

size_t near_name_len(const char *key)
{
	const char *colon = strrchr(key, ':');
	const char *slash = strrchr(key, '/');

	return colon && (!slash || colon > slash) ? (size_t)(colon - key) : strlen(key);
}

/* How far off a name is, or SIZE_MAX when nobody would mix the two up. */
static size_t rate(const char *key, const char *name)
{
	const size_t len = strlen(key), other_len = strlen(name);
	const size_t part = near_name_len(key);

	if (near_name_len(name) == part && memcmp(key, name, part) == 0)
		return NEAR_OTHER_TAG;
	const size_t off = suggest_distance(key, len, name, other_len);
	const size_t most = len / NEAR_PER_LETTERS;
	return off <= (most > NEAR_LEAST ? most : NEAR_LEAST) ? off : SIZE_MAX;
}

struct candidate {
	const char *name;
	size_t off;
};

/* Keeps the best, in order; the first of equals stays first. */
static void keep(struct candidate best[static NEAR_MAX], size_t *count, struct candidate new)
{
	size_t at = *count;

	while (at > 0 && best[at - 1].off > new.off)
		at--;
	if (at == NEAR_MAX)
		return;
	if (*count < NEAR_MAX)
		(*count)++;
	memmove(&best[at + 1], &best[at], (*count - at - 1) * sizeof(best[0]));
	best[at] = new;
}

int near_append(const struct image_index *ix, const char *key, struct str *out, struct err *e)
{
	char quoted[QUOTE_MAX];
	struct candidate best[NEAR_MAX];
	size_t count = 0;

	for (size_t i = 0; i < ix->count; i++) {
		const char *name = strmap_get(&ix->manifests[i].annotations, REFS_NAME_KEY);
		if (!name || reference_artifact_tag(name))
			continue;
		const size_t off = rate(key, name);
		if (off != SIZE_MAX)
			keep(best, &count, (struct candidate){name, off});
	}
	for (size_t i = 0; i < count; i++) {
		const char *glue = i == 0 ? "; did you mean" : (i + 1 == count ? " or" : ",");
		if (str_appendf(out, e, "%s '%s'", glue, quote_str(quoted, best[i].name)) < 0)
			return -1;
	}
	return count ? str_append_c(out, '?', e) : 0;
}
