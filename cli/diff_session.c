/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/diff_session.h"

#include <string.h>

#include "base/path.h"
#include "cli/diff_patch.h"
#include "cli/diff_report.h"
#include "cli/support.h"
#include "cli/support_session.h"
#include "fs/changes.h"
#include "fs/commit_layer.h"
#include "fs/session_data.h"

/* What of a session's changes is told. */
struct session_report {
	struct diff_report *report;
	const char *path; /* clean, "/" in front; at or below it */
	size_t path_len;
	struct diff_patch_source old, new;
};

/* diff_patch_source: read, of the image; files are inodes of the catalog */
static ssize_t read_old(void *ctx, uint64_t file, uint64_t offset, void *buf, size_t len,
			struct err *e)
{
	return view_read(ctx, (uint32_t)file, offset, buf, len, e);
}

static int readlink_old(void *ctx, uint64_t file, char out[static LIMIT_SYMLINK + 1], size_t *len,
			struct err *e)
{
	struct view *v = ctx;

	return VIEW_RETRY(v, e, catalog_readlink(view_catalog(v), (uint32_t)file, out, len, e));
}

/* The same of the session. */
static ssize_t read_new(void *ctx, uint64_t file, uint64_t offset, void *buf, size_t len,
			struct err *e)
{
	return session_read(ctx, file, offset, buf, len, e);
}

static int readlink_new(void *ctx, uint64_t file, char out[static LIMIT_SYMLINK + 1], size_t *len,
			struct err *e)
{
	if (session_readlink(ctx, file, out, e) < 0)
		return -1;
	*len = strlen(out);
	return 0;
}

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
	const struct diff_change *d = &c->diff;

	if (!is_below(r, d))
		return 0;
	if (diff_report_change(r->report, d, e) < 0)
		return -1;
	if (!r->report->has_patch)
		return 0;
	const struct diff_patch_side old = {&r->old, c->lower, d->old_mode, d->old_size};
	const struct diff_patch_side new = {&r->new, c->ino, d->new_mode, d->new_size};
	return diff_patch_print(d, &old, &new, e);
}

/* What OCI makes of it, before it is written. */
static int print_cost(const struct commit_layer_result *cost, struct err *e)
{
	char content[STR_SIZE_MAX], repeated[STR_SIZE_MAX];

	return outputf(e, "a commit writes %s of files, %s of them repeated\n",
		       str_human_size(content, cost->content),
		       str_human_size(repeated, cost->repeated));
}

static int compare_session(const struct invocation *in, const struct support_session *x,
			   struct progress_line *line, struct err *e)
{
	SCOPE(str) struct str path = STR_INIT;
	struct diff_report r;

	diff_report_start(&r, in, line);
	const struct changes_options opt = {
		.has_times = invocation_has(in, "times"),
		.has_sums = r.is_json || r.has_sizes,
		.progress = &line->progress,
	};
	if (str_append_c(&path, '/', e) < 0 ||
	    path_clean(in->arg_count > 1 ? in->args[1] : "/", &path, e) < 0)
		return -1;
	if (support_session_find(x, path.data, e) < 0)
		return support_session_explain(x, e);
	struct session_report told = {
		.report = &r,
		.path = path.data,
		.path_len = path.len,
		.old = {read_old, readlink_old, x->base},
		.new = {read_new, readlink_new, x->session},
	};
	const struct commit_layer_options as_layer = {.has_times = opt.has_times};
	const bool has_cost = r.has_sizes && path.len == 1;
	struct commit_layer_result cost;

	if (changes_walk(x->session, &opt, print_change, &told, e) < 0 ||
	    (has_cost && commit_layer_measure(x->session, &as_layer, &cost, e) < 0))
		return support_session_explain(x, e);
	if (support_session_check(x, e) < 0)
		return -1;
	const int status = diff_report_finish(&r, in, e);
	return status >= 0 && has_cost && print_cost(&cost, e) < 0 ? -1 : status;
}

int diff_session_run(const struct invocation *in, struct progress_line *line, struct err *e)
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
