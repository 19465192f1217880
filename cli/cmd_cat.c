/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/quote.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/support.h"

static const struct option options[] = {
	OPTION_PLATFORM,
	OPTION_QUIET,
	OPTION_END,
};

enum { CAT_BUFFER = 256 * 1024 };

static int cat_inode(struct view *v, uint32_t inode, struct err *e)
{
	SCOPE_FREE char *buf = array_new(CAT_BUFFER, 1, e);
	uint64_t offset = 0;

	if (!buf)
		return -1;
	for (;;) {
		const ssize_t n = view_read(v, inode, offset, buf, CAT_BUFFER, e);
		if (n <= 0)
			return (int)n;
		if (output_write(buf, (size_t)n, e) < 0)
			return -1;
		offset += (uint64_t)n;
	}
}

static int cat_path(struct view *v, const char *path, struct err *e)
{
	struct catalog_stat st;
	uint32_t inode;
	char q[QUOTE_MAX];

	const int found = VIEW_RETRY(v, e, catalog_resolve(view_catalog(v), path, true, &inode, e));
	if (found == 0)
		return err_set(e, ERR_NOT_FOUND, "no file '%s' in the image", quote_str(q, path));
	if (found < 0 || VIEW_RETRY(v, e, catalog_stat(view_catalog(v), inode, &st, e)) < 0)
		return -1;
	if (S_ISDIR(st.mode))
		return err_set(e, ERR_USAGE, "'%s' is a directory (shale ls lists it)",
			       quote_str(q, path));
	if (!S_ISREG(st.mode))
		return err_set(e, ERR_USAGE, "'%s' is no regular file", quote_str(q, path));
	if (cat_inode(v, inode, e) < 0)
		return err_wrap(e, "'%s'", quote_str(q, path));
	return 0;
}

static int run(const struct invocation *in, struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	SCOPE(lease) struct lease *l = NULL;
	SCOPE(image) struct image im = IMAGE_INIT;
	SCOPE(progress_line) struct progress_line line;

	progress_line_init(&line, invocation_has(in, "quiet"));
	if (support_image(in, &s, &l, &im, e) < 0)
		return -1;
	SCOPE(view)
	struct view *v = support_view(s, &im, "cat", &line.progress, e);
	progress_line_fini(&line);
	if (!v)
		return -1;
	for (size_t i = 1; i < in->arg_count; i++) {
		if (cat_path(v, in->args[i], e) < 0)
			return -1;
	}
	return 0;
}

const struct command command_cat = {
	.name = "cat",
	.synopsis = "[OPTION]... IMAGE PATH...",
	.summary = "Print files of an image",
	.options = options,
	.min_args = 2,
	.max_args = SIZE_MAX,
	.run = run,
};
