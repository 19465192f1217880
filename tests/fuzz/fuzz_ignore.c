/* SPDX-License-Identifier: Apache-2.0 */
/*
 * .dockerignore: the input is a file, a NUL byte, and a path.  Nothing that is pruned on the way
 * down would have been taken back.
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
	bool is_pruned = false;

	for (size_t i = 1; path[i]; i++) {
		if (path[i] != '/')
			continue;
		SCOPE_FREE char *dir = str_dup_n(path, i, &e);
		FUZZ_CHECK(dir);
		is_pruned = is_pruned ||
			    (ignore_is_excluded(ig, dir) && !ignore_may_reinclude_below(ig, dir));
	}
	const bool is_excluded = ignore_is_excluded(ig, path);
	if (ignore_check_steps(ig, &e) < 0) {
		err_clear(&e);
		return;
	}
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
