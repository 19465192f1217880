/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

#include "base/quote.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/support.h"
#include "store/image.h"
#include "store/refs.h"

static const struct option options[] = {
	{'f', "force", NULL, "a name that is not there is no error"},
	OPTION_END,
};

static int remove_one(const struct store *s, const char *text, bool is_forced, struct err *e)
{
	SCOPE(reference) struct reference ref = REFERENCE_INIT;
	char q[QUOTE_MAX];

	if (reference_parse(&ref, text, e) < 0)
		return -1;
	if (ref.has_digest)
		return err_set(e, ERR_USAGE, "'%s': give the name without its digest",
			       quote_str(q, text));
	if (reference_looks_like_digest(&ref))
		return err_set(e, ERR_USAGE,
			       "'%s' is a digest: rm removes names (shale images lists them), and "
			       "shale gc what has none",
			       quote_str(q, text));
	/* As everywhere: a name that another tool wrote is found by what people type for it. */
	SCOPE(descriptor) struct descriptor found = DESCRIPTOR_INIT;
	SCOPE_FREE char *key = NULL;
	if (image_find(s, text, &key, &found, e) < 0) {
		if (!is_forced || e->code != ERR_NOT_FOUND)
			return -1;
		err_clear(e);
		return 0;
	}
	const int r = refs_remove(s, key, e);
	if (r < 0)
		return -1;
	if (r == 0)
		return is_forced ? 0
				 : err_set(e, ERR_NOT_FOUND, "no image '%s' in the store",
					   quote_str(q, key));
	return outputf(e, "untagged %s\n", key);
}

static int run(const struct invocation *in, struct err *e)
{
	SCOPE(store) struct store *s = NULL;

	if (support_store(in, STORE_WRITE, &s, e) < 0)
		return -1;
	for (size_t i = 0; i < in->arg_count; i++) {
		if (remove_one(s, in->args[i], invocation_has(in, "force"), e) < 0)
			return -1;
	}
	return 0;
}

const struct command command_rm = {
	.name = "rm",
	.synopsis = "[OPTION]... IMAGE...",
	.summary = "Remove names of images; gc frees what nothing names",
	.options = options,
	.min_args = 1,
	.max_args = SIZE_MAX,
	.run = run,
};
