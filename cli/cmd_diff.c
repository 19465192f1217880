/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/path.h"
#include "cli/commands.h"
#include "cli/diff_report.h"
#include "cli/output.h"
#include "cli/support.h"
#include "cli/support_session.h"
#include "fs/changes.h"
#include "fs/commit_layer.h"
#include "fs/diff.h"

static const struct option options[] = {
	{0, "stat", NULL, "sizes, old and new, and their sums"},
	{0, "times", NULL, "a time that differs is a change, too"},
	{0, "exit-code", NULL, "end with 1 when anything differs"},
	OPTION_PLATFORM,
	OPTION_JSON,
	OPTION_QUIET,
	OPTION_END,
};

enum { EXIT_DIFFERS = 1 };

/* Where a comparison begins. */
static const char *path_of(const struct invocation *in, size_t at)
{
	return in->arg_count > at ? in->args[at] : "/";
}

static void start(const struct invocation *in, struct diff_report *r, struct progress_line *line)
{
	*r = (struct diff_report){
		.line = line,
		.is_json = invocation_has(in, "json"),
		.has_sizes = invocation_has(in, "stat"),
	};
	progress_begin(&line->progress, "comparing", 0);
}

static int finish(const struct invocation *in, const struct diff_report *r, struct err *e)
{
	progress_line_fini(r->line);
	if (diff_report_end(r, e) < 0)
		return -1;
	return diff_report_differs(r) && invocation_has(in, "exit-code") ? EXIT_DIFFERS : 0;
}

static int compare_images(const struct invocation *in, const struct diff_side *old,
			  const struct diff_side *new, struct progress_line *line, struct err *e)
{
	struct diff_report r;

	start(in, &r, line);
	const struct diff_options opt = {
		.has_times = invocation_has(in, "times"),
		.has_sums = r.is_json || r.has_sizes,
		.progress = &line->progress,
	};
	if (diff_images(old, new, path_of(in, 2), &opt, diff_report_change, &r, e) < 0)
		return -1;
	return finish(in, &r, e);
}

static int run_images(const struct invocation *in, struct progress_line *line, struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	SCOPE(lease) struct lease *l = NULL;
	SCOPE(image) struct image old_image = IMAGE_INIT;
	SCOPE(image) struct image new_image = IMAGE_INIT;

	if (support_image(in, &s, &l, &old_image, e) < 0 ||
	    support_next_image(in, s, l, 1, &new_image, e) < 0)
		return -1;
	SCOPE(view) struct view *old = support_view(s, &old_image, "diff", &line->progress, e);
	if (!old)
		return -1;
	SCOPE(view) struct view *new = support_view(s, &new_image, "diff", &line->progress, e);
	if (!new)
		return -1;
	return compare_images(in, &(struct diff_side){old, old_image.name},
			      &(struct diff_side){new, new_image.name}, line, e);
}

/* What of a session's changes is told. */
struct session_report {
	struct diff_report *report;
	const char *path; /* clean, "/" in front; at or below it */
	size_t path_len;
};

static bool is_below(const struct session_report *r, const struct diff_change *c)
{
	return r->path_len == 1 ||
	       (c->path_len >= r->path_len && memcmp(c->path, r->path, r->path_len) == 0 &&
		(c->path_len == r->path_len || c->path[r->path_len] == '/'));
}

/* changes_walk: each */
static int print_change(void *ctx, const struct change *c, struct err *e)
{
	const struct session_report *r = ctx;

	return is_below(r, &c->diff) ? diff_report_change(r->report, &c->diff, e) : 0;
}

/* What OCI makes of it, before it is written. */
static int print_cost(const struct invocation *in, struct session *s, struct err *e)
{
	const struct commit_layer_options opt = {.has_times = invocation_has(in, "times")};
	char content[STR_SIZE_MAX], repeated[STR_SIZE_MAX];
	struct commit_layer_result cost;

	if (commit_layer_measure(s, &opt, &cost, e) < 0)
		return -1;
	return outputf(e, "a commit writes %s of files, %s of them repeated\n",
		       str_human_size(content, cost.content),
		       str_human_size(repeated, cost.repeated));
}

static int compare_session(const struct invocation *in, const struct support_session *x,
			   struct progress_line *line, struct err *e)
{
	SCOPE(str) struct str path = STR_INIT;
	struct diff_report r;

	start(in, &r, line);
	const struct changes_options opt = {
		.has_times = invocation_has(in, "times"),
		.has_sums = r.is_json || r.has_sizes,
		.progress = &line->progress,
	};
	if (str_append_c(&path, '/', e) < 0 || path_clean(path_of(in, 1), &path, e) < 0 ||
	    support_session_find(x, path.data, e) < 0)
		return -1;
	struct session_report told = {&r, path.data, path.len};
	if (changes_walk(x->session, &opt, print_change, &told, e) < 0)
		return -1;
	const int status = finish(in, &r, e);
	if (status < 0 || !r.has_sizes || path.len > 1)
		return status;
	return print_cost(in, x->session, e) < 0 ? -1 : status;
}

static int run_session(const struct invocation *in, struct progress_line *line, struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	SCOPE(lease) struct lease *l = NULL;
	SCOPE(support_session) struct support_session x = SUPPORT_SESSION_INIT;

	if (invocation_has(in, "platform"))
		return err_set(e, ERR_USAGE,
			       "option '--platform': a session is of one image (two images are "
			       "compared by shale diff OLD NEW)");
	if (support_store(in, 0, &s, e) < 0 || lease_open(s, "diff", &l, e) < 0 ||
	    support_session(in, 0, s, l, &line->progress, &x, e) < 0)
		return -1;
	return compare_session(in, &x, line, e);
}

/* No image has a name that begins with a slash. */
static bool is_about_session(const struct invocation *in)
{
	return in->arg_count == 1 || (in->arg_count == 2 && in->args[1][0] == '/');
}

static int run(const struct invocation *in, struct err *e)
{
	SCOPE(progress_line) struct progress_line line;

	progress_line_init(&line, invocation_has(in, "quiet"));
	if (invocation_has(in, "json") && invocation_has(in, "stat"))
		return err_set(e, ERR_USAGE,
			       "options '--json' and '--stat' exclude each other: "
			       "the JSON document has the sizes");
	return (is_about_session(in) ? run_session : run_images)(in, &line, e);
}

static const struct word words[] = {
	{"SESSION|OLD", WORD_IMAGE, NULL},
	{"NEW", WORD_IMAGE, NULL},
	{NULL, WORD_FILE, NULL},
};

const struct command command_diff = {
	.name = "diff",
	.synopsis = "[OPTION]... SESSION|OLD [NEW] [PATH]",
	.summary = "Tell what a session changed, or what differs between two images",
	.options = options,
	.min_args = 1,
	.max_args = 3,
	.words = words,
	.run = run,
};
