/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/json.h"
#include "base/quote.h"
#include "cli/commands.h"
#include "cli/file_mode.h"
#include "cli/output.h"
#include "cli/support.h"
#include "fs/diff.h"

static const struct option options[] = {
	{0, "stat", NULL, "sizes, old and new, and their sums"},
	{0, "times", NULL, "a time that differs is a change, too"},
	{0, "exit-code", NULL, "end with 1 when the images differ"},
	OPTION_PLATFORM,
	OPTION_JSON,
	OPTION_QUIET,
	OPTION_END,
};

enum { EXIT_DIFFERS = 1, SIZE_COLUMNS = 10 };

static const char kind_letters[] = {[DIFF_ADDED] = 'A', [DIFF_CHANGED] = 'C', [DIFF_DELETED] = 'D'};

/* What is printed, and what was. */
struct report {
	struct progress_line *line;
	bool is_json, has_sizes;
	size_t counts[DIFF_DELETED + 1];
	uint64_t old_size, new_size;
	size_t printed;
};

/* "-" for what has no size. */
static const char *format_size(char buf[static STR_SIZE_MAX], uint32_t mode, uint64_t size)
{
	return mode && (S_ISREG(mode) || size) ? str_human_size(buf, size) : "-";
}

static int print_text(const struct report *r, const struct diff_change *c, struct err *e)
{
	SCOPE(str) struct str line = STR_INIT;
	char old[STR_SIZE_MAX], new[STR_SIZE_MAX];

	if (str_appendf(&line, e, "%c ", kind_letters[c->kind]) < 0 ||
	    (r->has_sizes && str_appendf(&line, e, "%*s -> %*s  ", SIZE_COLUMNS,
					 format_size(old, c->old_mode, c->old_size), SIZE_COLUMNS,
					 format_size(new, c->new_mode, c->new_size)) < 0) ||
	    quote_append(&line, c->path, c->path_len, e) < 0 || str_append_c(&line, '\n', e) < 0)
		return -1;
	return output_write(line.data, line.len, e);
}

static int put_what(json_t *item, unsigned what, struct err *e)
{
	static const struct {
		enum diff_what bit;
		const char *name;
	} names[] = {
		{DIFF_TYPE, "type"},   {DIFF_CONTENT, "content"}, {DIFF_MODE, "mode"},
		{DIFF_OWNER, "owner"}, {DIFF_XATTRS, "xattrs"},   {DIFF_MTIME, "mtime"},
	};
	SCOPE_JSON json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if ((what & names[i].bit) && json_push(list, json_string(names[i].name), e) < 0)
			return -1;
	}
	return json_put(item, "what", json_incref(list), e);
}

/* null: not there. */
static int put_side(json_t *item, const char *type_key, const char *size_key, uint32_t mode,
		    uint64_t size, struct err *e)
{
	const char type[2] = {file_mode_letter(mode), '\0'};

	if (json_put(item, type_key, mode ? json_string(type) : json_null(), e) < 0)
		return -1;
	return json_put(item, size_key, mode ? json_integer((json_int_t)size) : json_null(), e);
}

static int print_json(struct report *r, const struct diff_change *c, struct err *e)
{
	SCOPE_JSON json_t *item = json_object();
	const char kind[2] = {kind_letters[c->kind], '\0'};

	if (json_put(item, "kind", json_string(kind), e) < 0 ||
	    json_put(item, "path", json_text_value(c->path, c->path_len), e) < 0 ||
	    put_what(item, c->what, e) < 0 ||
	    put_side(item, "old_type", "old_size", c->old_mode, c->old_size, e) < 0 ||
	    put_side(item, "new_type", "new_size", c->new_mode, c->new_size, e) < 0)
		return -1;
	return output_json_element(item, &r->printed, e);
}

/* diff_images: each */
static int print_change(void *ctx, const struct diff_change *c, struct err *e)
{
	struct report *r = ctx;

	progress_line_clear(r->line);
	r->counts[c->kind]++;
	r->old_size = add_up_to(r->old_size, c->old_size, INT64_MAX);
	r->new_size = add_up_to(r->new_size, c->new_size, INT64_MAX);
	return r->is_json ? print_json(r, c, e) : print_text(r, c, e);
}

static int print_end(const struct report *r, struct err *e)
{
	char old[STR_SIZE_MAX], new[STR_SIZE_MAX];

	if (r->is_json)
		return output_json_end(r->printed, e);
	if (!r->has_sizes)
		return 0;
	return outputf(e, "%zu added, %zu changed, %zu deleted, %s -> %s\n", r->counts[DIFF_ADDED],
		       r->counts[DIFF_CHANGED], r->counts[DIFF_DELETED],
		       str_human_size(old, r->old_size), str_human_size(new, r->new_size));
}

static int compare(const struct invocation *in, const struct diff_side *old,
		   const struct diff_side *new, struct progress_line *line, struct err *e)
{
	struct report r = {
		.line = line,
		.is_json = invocation_has(in, "json"),
		.has_sizes = invocation_has(in, "stat"),
	};
	const struct diff_options opt = {
		.has_times = invocation_has(in, "times"),
		.has_sums = r.is_json || r.has_sizes,
		.progress = &line->progress,
	};

	progress_begin(&line->progress, "comparing", 0);
	if (diff_images(old, new, in->arg_count > 2 ? in->args[2] : "/", &opt, print_change, &r,
			e) < 0)
		return -1;
	progress_line_fini(line);
	if (print_end(&r, e) < 0)
		return -1;
	const bool differs = r.counts[DIFF_ADDED] + r.counts[DIFF_CHANGED] + r.counts[DIFF_DELETED];
	return differs && invocation_has(in, "exit-code") ? EXIT_DIFFERS : 0;
}

static int run(const struct invocation *in, struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	SCOPE(lease) struct lease *l = NULL;
	SCOPE(image) struct image old_image = IMAGE_INIT;
	SCOPE(image) struct image new_image = IMAGE_INIT;
	SCOPE(progress_line) struct progress_line line;

	progress_line_init(&line, invocation_has(in, "quiet"));
	if (invocation_has(in, "json") && invocation_has(in, "stat"))
		return err_set(e, ERR_USAGE,
			       "options '--json' and '--stat' exclude each other: "
			       "the JSON document has the sizes");
	if (support_image(in, &s, &l, &old_image, e) < 0 ||
	    support_next_image(in, s, l, 1, &new_image, e) < 0)
		return -1;
	SCOPE(view) struct view *old = support_view(s, &old_image, "diff", &line.progress, e);
	if (!old)
		return -1;
	SCOPE(view) struct view *new = support_view(s, &new_image, "diff", &line.progress, e);
	if (!new)
		return -1;
	return compare(in, &(struct diff_side){old, old_image.name},
		       &(struct diff_side){new, new_image.name}, &line, e);
}

static const struct word words[] = {
	{"OLD", WORD_IMAGE, NULL},
	{"NEW", WORD_IMAGE, NULL},
	{NULL, WORD_FILE, NULL},
};

const struct command command_diff = {
	.name = "diff",
	.synopsis = "[OPTION]... OLD NEW [PATH]",
	.summary = "Tell what differs between the files of two images",
	.options = options,
	.min_args = 2,
	.max_args = 3,
	.words = words,
	.run = run,
};
