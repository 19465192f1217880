/* SPDX-License-Identifier: Apache-2.0 */
/*
 * .dockerignore: the input is a file, a NUL byte, and a path.  Walking down gives the same answer
 * as asking for the whole path, and nothing that is pruned would have been taken back.
 */
#include <stdbool.h>
#include <string.h>

#include "base/path.h"
#include "base/str.h"
#include "manifests/ignore.h"
#include "tests/fuzz/fuzz.h"

static void walk(const struct ignore *ig, const char *path)
{
	struct err e = ERR_INIT;
	const size_t state_size = ignore_state_size(ig);
	SCOPE_FREE unsigned char *above = malloc(state_size);
	SCOPE_FREE unsigned char *own = malloc(state_size);
	const unsigned char *parent = NULL;
	bool is_pruned = false;

	FUZZ_CHECK(above && own);
	for (size_t i = 1; path[i]; i++) {
		if (path[i] != '/')
			continue;
		SCOPE_FREE char *dir = str_dup_n(path, i, &e);
		FUZZ_CHECK(dir);
		const bool is_excluded = ignore_is_excluded(ig, dir);
		FUZZ_CHECK(ignore_is_excluded_in(ig, parent, dir, own) == is_excluded);
		is_pruned = is_pruned || (is_excluded && !ignore_may_reinclude_below(ig, dir));
		memcpy(above, own, state_size);
		parent = above;
	}
	const bool is_excluded = ignore_is_excluded(ig, path);
	FUZZ_CHECK(ignore_is_excluded_in(ig, parent, path, NULL) == is_excluded);
	FUZZ_CHECK(ignore_is_excluded_in(ig, parent, path, own) == is_excluded);
	FUZZ_CHECK(!is_pruned || is_excluded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str path = STR_INIT;
	const uint8_t *nul = size ? memchr(data, '\0', size) : NULL;
	const size_t file_len = nul ? (size_t)(nul - data) : size;

	SCOPE(ignore) struct ignore *ig = ignore_parse(".dockerignore", data, file_len, &e);
	if (!ig) {
		FUZZ_CHECK(e.code == ERR_SYNTAX || e.code == ERR_LIMIT);
		err_clear(&e);
		return 0;
	}
	if (!nul)
		return 0;
	SCOPE_FREE char *raw = str_dup_n(nul + 1, size - file_len - 1, &e);
	FUZZ_CHECK(raw && path_clean(raw, &path, &e) == 0);
	if (path.len > 0)
		walk(ig, str_text(&path));
	return 0;
}
