/* SPDX-License-Identifier: Apache-2.0 */
#include "base/quote.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/support.h"
#include "fs/copy_out.h"
#include "store/outside.h"

static const struct option options[] = {
	{'a', "archive", NULL, "owners, devices, xattrs and hardlinks too (as root)"},
	OPTION_PLATFORM,
	OPTION_QUIET,
	OPTION_END,
};

/* "app:1:/etc/passwd": a host's port is never followed by "/" right after the colon, so the first
 * ":/" is where the path begins. */
static int split_source(const char *text, char **name, const char **path, struct err *e)
{
	const char *at = strstr(text, ":/");
	char q[QUOTE_MAX];

	if (!at || at == text)
		return err_set(e, ERR_USAGE, "'%s' is not IMAGE:/PATH", quote_str(q, text));
	*name = str_dup_n(text, (size_t)(at - text), e);
	*path = at + 1;
	return *name ? 0 : -1;
}

static int run(const struct invocation *in, struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	SCOPE(lease) struct lease *l = NULL;
	SCOPE(image) struct image im = IMAGE_INIT;
	SCOPE(progress_line) struct progress_line line;
	SCOPE_FREE char *name = NULL;
	const char *path = NULL;
	struct platform room;
	const struct platform *want;

	progress_line_init(&line, invocation_has(in, "quiet"));
	if (strcmp(in->args[1], "-") == 0)
		return err_set(e, ERR_USAGE,
			       "'-' is no destination: shale cat prints a file (./- is a file of "
			       "that name)");
	if (split_source(in->args[0], &name, &path, e) < 0 ||
	    support_platform(in, &room, &want, e) < 0 || support_store(in, 0, &s, e) < 0 ||
	    outside_check(s, in->args[1], e) < 0 || lease_open(s, in->command->name, &l, e) < 0 ||
	    image_load_leased(s, l, name, want, &im, e) < 0)
		return -1;
	SCOPE(view) struct view *v = support_view(s, &im, "cp", &line.progress, e);
	if (!v)
		return -1;
	const struct copy_options opt = {
		.is_archive = invocation_has(in, "archive"),
		.progress = &line.progress,
	};
	return copy_out(v, path, in->args[1], &opt, e);
}

const struct command command_cp = {
	.name = "cp",
	.synopsis = "[OPTION]... IMAGE:/PATH DEST",
	.summary = "Copy files and directories out of an image",
	.options = options,
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
