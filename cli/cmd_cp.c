/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/stat.h>

#include "base/quote.h"
#include "cli/commands.h"
#include "cli/cp_session.h"
#include "cli/names.h"
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

/* What IMAGE:/PATH and SESSION:/PATH have in common; else a path is the host's. */
static const char *find_path(const char *text)
{
	const char *at = strstr(text, ":/");

	return at && at > text ? at + 1 : NULL;
}

/* "app:1:/etc/passwd": a host's port is never followed by "/" right after the colon, so the first
 * ":/" is where the path begins. */
static int split_source(const struct invocation *in, char **name, const char **path, struct err *e)
{
	const char *text = in->args[0];
	char a[QUOTE_MAX], b[QUOTE_MAX];

	*path = find_path(text);
	if (!*path)
		return err_set(e, ERR_USAGE, "'%s' is not IMAGE:/PATH, and '%s' not SESSION:/PATH",
			       quote_str(a, text), quote_str(b, in->args[1]));
	*name = str_dup_n(text, (size_t)(*path - 1 - text), e);
	return *name ? names_check(*name, e) : -1;
}

static int copy_from_image(const struct invocation *in, struct err *e)
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
	if (split_source(in, &name, &path, e) < 0 || support_platform(in, &room, &want, e) < 0 ||
	    support_store(in, 0, &s, e) < 0 || outside_check(s, in->args[1], e) < 0 ||
	    lease_open(s, in->command->name, &l, e) < 0 ||
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

/* To a session everything comes from the host. */
static int check_host_source(const struct invocation *in, struct err *e)
{
	char a[QUOTE_MAX], b[QUOTE_MAX];
	struct stat st;

	if (strcmp(in->args[0], "-") == 0)
		return err_set(
			e, ERR_USAGE,
			"'-' is no source: standard input cannot be copied (./- is a file of "
			"that name)");
	if (!find_path(in->args[0]) || lstat(in->args[0], &st) == 0)
		return 0;
	return err_set(e, ERR_USAGE,
		       "'%s' is in an image, and '%s' in a session: copy to the host first (a "
		       "destination of the host that is called so is './%s')",
		       quote_str(a, in->args[0]), quote_str(b, in->args[1]), b);
}

static int run(const struct invocation *in, struct err *e)
{
	SCOPE_FREE char *session = NULL;
	const char *path;

	if (strcmp(in->args[1], "-") == 0)
		return err_set(e, ERR_USAGE,
			       "'-' is no destination: shale cat prints a file (./- is a file of "
			       "that name)");
	const int is_session = cp_session_parse(in->args[1], &session, &path, e);
	if (is_session < 0 || (is_session > 0 && check_host_source(in, e) < 0))
		return -1;
	return is_session > 0 ? cp_session(in, in->args[0], session, path, e)
			      : copy_from_image(in, e);
}

const struct command command_cp = {
	.name = "cp",
	.synopsis = "[OPTION]... IMAGE:/PATH|FILE DEST|SESSION:/PATH",
	.summary = "Copy files out of an image, or into an edit session",
	.options = options,
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
