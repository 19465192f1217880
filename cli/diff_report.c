/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/diff_report.h"

#include <inttypes.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/json.h"
#include "base/quote.h"
#include "cli/file_mode.h"

enum { EXIT_DIFFERS = 1, SIZE_COLUMNS = 10 };

static const char kind_letters[] = {[DIFF_ADDED] = 'A', [DIFF_CHANGED] = 'C', [DIFF_DELETED] = 'D'};

/* "-" for what has no size. */
static const char *format_size(char buf[static STR_SIZE_MAX], uint32_t mode, uint64_t size)
{
	return mode && (S_ISREG(mode) || size) ? str_human_size(buf, size) : "-";
}

static int print_text(const struct diff_report *r, const struct diff_change *c, struct err *e)
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

static int print_json(struct diff_report *r, const struct diff_change *c, struct err *e)
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

int diff_report_change(struct diff_report *r, const struct diff_change *c, struct err *e)
{
	progress_line_clear(r->line);
	r->counts[c->kind]++;
	r->old_size = add_up_to(r->old_size, c->old_size, INT64_MAX);
	r->new_size = add_up_to(r->new_size, c->new_size, INT64_MAX);
	if (r->has_patch)
		return 0;
	return r->is_json ? print_json(r, c, e) : print_text(r, c, e);
}

static int print_end(const struct diff_report *r, struct err *e)
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

void diff_report_start(struct diff_report *r, const struct invocation *in,
		       struct progress_line *line)
{
	*r = (struct diff_report){
		.line = line,
		.is_json = invocation_has(in, "json"),
		.has_sizes = invocation_has(in, "stat"),
		.has_patch = invocation_has(in, "patch"),
	};
	progress_begin(&line->progress, "comparing", 0);
}

int diff_report_finish(const struct diff_report *r, const struct invocation *in, struct err *e)
{
	progress_line_fini(r->line);
	if (print_end(r, e) < 0)
		return -1;
	const bool differs =
		r->counts[DIFF_ADDED] + r->counts[DIFF_CHANGED] + r->counts[DIFF_DELETED];
	return differs && invocation_has(in, "exit-code") ? EXIT_DIFFERS : 0;
}
