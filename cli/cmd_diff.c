/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/quote.h"
#include "base/workers.h"
#include "cli/commands.h"
#include "cli/diff_patch.h"
#include "cli/diff_report.h"
#include "cli/diff_session.h"
#include "cli/names.h"
#include "cli/support.h"
#include "fs/diff.h"

static const struct option options[] = {
	{0, "stat", NULL, "sizes, old and new, and their sums"},
	{'p', "patch", NULL, "print how files differ, as git diff does"},
	{0, "layer", "N", "what this layer of the image OLD changes; 1 is the base"},
	{0, "times", NULL, "a time that differs is a change, too"},
	{0, "exit-code", NULL, "end with 1 when anything differs"},
	OPTION_PLATFORM,
	OPTION_JSON,
	OPTION_QUIET,
	OPTION_END,
};

/* What of two images is told. */
struct image_report {
	struct diff_report report;
	struct diff_patch_source old, new;
	const struct diff_side *old_side, *new_side;
};

/* diff_patch_source: read; files are inodes */
static ssize_t read_file(void *ctx, uint64_t file, uint64_t offset, void *buf, size_t len,
			 struct err *e)
{
	return view_read(ctx, (uint32_t)file, offset, buf, len, e);
}

static int read_link(void *ctx, uint64_t file, char out[static LIMIT_SYMLINK + 1], size_t *len,
		     struct err *e)
{
	struct view *v = ctx;

	return VIEW_RETRY(v, e, catalog_readlink(view_catalog(v), (uint32_t)file, out, len, e));
}

/* The inode of a path that is there, if any is. */
static int find(const struct diff_side *side, const char *path, uint32_t mode, uint64_t *out,
		struct err *e)
{
	uint32_t inode = 0;

	if (mode &&
	    VIEW_RETRY(side->view, e,
		       catalog_resolve(view_catalog(side->view), path, false, &inode, e)) < 0)
		return -1;
	*out = inode;
	return 0;
}

static int print_patch(const struct image_report *r, const struct diff_change *c, struct err *e)
{
	SCOPE_FREE char *path = str_dup_n(c->path, c->path_len, e);
	uint64_t old_file, new_file;

	if (!path || find(r->old_side, path, c->old_mode, &old_file, e) < 0 ||
	    find(r->new_side, path, c->new_mode, &new_file, e) < 0)
		return -1;
	const struct diff_patch_side old = {&r->old, old_file, c->old_mode, c->old_size};
	const struct diff_patch_side new = {&r->new, new_file, c->new_mode, c->new_size};
	return diff_patch_print(c, &old, &new, e);
}

/* diff_images: each */
static int print_change(void *ctx, const struct diff_change *c, struct err *e)
{
	struct image_report *r = ctx;

	if (diff_report_change(&r->report, c, e) < 0)
		return -1;
	return r->report.has_patch ? print_patch(r, c, e) : 0;
}

static int compare_views(const struct invocation *in, const struct diff_side *old,
			 const struct diff_side *new, const char *path, struct progress_line *line,
			 struct err *e)
{
	struct image_report r = {
		.old = {read_file, read_link, old->view},
		.new = {read_file, read_link, new->view},
		.old_side = old,
		.new_side = new,
	};

	diff_report_start(&r.report, in, line);
	const struct diff_options opt = {
		.has_times = invocation_has(in, "times"),
		.has_sums = r.report.is_json || r.report.has_sizes,
		.progress = &line->progress,
	};
	if (diff_images(old, new, path, &opt, print_change, &r, e) < 0)
		return -1;
	return diff_report_finish(&r.report, in, e);
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
	return compare_views(in, &(struct diff_side){old, old_image.name},
			     &(struct diff_side){new, new_image.name},
			     in->arg_count > 2 ? in->args[2] : "/", line, e);
}

/* A view of the first layers of an image; of none of them it is empty.  `cut` is made for it, and
 * borrows all from `im`. */
static struct view *view_of_layers(const struct store *s, const struct image *im, size_t count,
				   struct image *cut, struct progress *progress, struct err *e)
{
	const struct layers_options opt = {.workers = workers_default_count(),
					   .progress = progress};

	*cut = *im;
	cut->manifest.layer_count = cut->config.diff_id_count = count;
	/* Nothing is kept of it: what is kept goes by the image's digest. */
	return view_open(s, cut, CATALOGS_FRESH, VIEW_CACHE_DEFAULT, "diff", &opt, e);
}

static int take_layer(const struct invocation *in, const struct image *im, size_t *out,
		      struct err *e)
{
	const char *text = invocation_value(in, "layer");
	uint64_t number = 0;
	char q[QUOTE_MAX];

	if (str_to_u64(text, strlen(text), 10, im->manifest.layer_count, &number) < 0 ||
	    number == 0)
		return err_set(e, ERR_USAGE,
			       "option '--layer': '%s' is not the number of a layer: the image has "
			       "%zu, from 1 for the base",
			       quote_str(q, text), im->manifest.layer_count);
	*out = (size_t)number;
	return 0;
}

/* What a layer changes in those below it. */
static int run_layer(const struct invocation *in, struct progress_line *line, struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	SCOPE(lease) struct lease *l = NULL;
	SCOPE(image) struct image im = IMAGE_INIT;
	struct image below, with;
	size_t number = 0;

	if (in->arg_count > 2)
		return err_set(e, ERR_USAGE,
			       "option '--layer': a layer is of one image: IMAGE [PATH]");
	if (support_image(in, &s, &l, &im, e) < 0 || take_layer(in, &im, &number, e) < 0)
		return -1;
	SCOPE(view)
	struct view *old = view_of_layers(s, &im, number - 1, &below, &line->progress, e);
	if (!old)
		return -1;
	SCOPE(view) struct view *new = view_of_layers(s, &im, number, &with, &line->progress, e);
	if (!new)
		return -1;
	return compare_views(in, &(struct diff_side){old, "the layers below"},
			     &(struct diff_side){new, im.name},
			     in->arg_count > 1 ? in->args[1] : "/", line, e);
}

/* No image has a name that begins with a slash. */
static bool is_about_session(const struct invocation *in)
{
	return in->arg_count == 1 || (in->arg_count == 2 && in->args[1][0] == '/');
}

/* One form at a time. */
static int check_forms(const struct invocation *in, struct err *e)
{
	if (invocation_has(in, "json") && invocation_has(in, "stat"))
		return err_set(e, ERR_USAGE,
			       "options '--json' and '--stat' exclude each other: "
			       "the JSON document has the sizes");
	if (invocation_has(in, "patch") &&
	    (invocation_has(in, "json") || invocation_has(in, "stat")))
		return err_set(e, ERR_USAGE,
			       "option '--patch' excludes '--json' and '--stat': it is a form of "
			       "its own");
	return 0;
}

static int run(const struct invocation *in, struct err *e)
{
	SCOPE(progress_line) struct progress_line line;

	progress_line_init(&line, invocation_has(in, "quiet"));
	if (check_forms(in, e) < 0)
		return -1;
	if (invocation_has(in, "layer"))
		return names_check(in->args[0], e) < 0 ? -1 : run_layer(in, &line, e);
	if (is_about_session(in))
		return diff_session_run(in, &line, e);
	return names_check(in->args[0], e) < 0 ? -1 : run_images(in, &line, e);
}

static const struct word words[] = {
	{"SESSION|MOUNTPOINT|OLD", WORD_IMAGE, NULL},
	{"NEW", WORD_IMAGE, NULL},
	{NULL, WORD_FILE, NULL},
};

const struct command command_diff = {
	.name = "diff",
	.synopsis = "[OPTION]... SESSION|MOUNTPOINT|OLD [NEW] [PATH]",
	.summary = "Tell what a session changed, or what differs between two images",
	.options = options,
	.min_args = 1,
	.max_args = 3,
	.words = words,
	.run = run,
};
