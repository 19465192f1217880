/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>

#include "base/json.h"
#include "base/quote.h"
#include "cli/commands.h"
#include "cli/fsck_sessions.h"
#include "cli/output.h"
#include "cli/support.h"
#include "store/fsck.h"

static const struct option options[] = {
	{0, "read-data", NULL, "read and verify every byte, not only the structure"},
	{0, "repair", NULL, "make anew what is derived and damaged; tell what is lost"},
	OPTION_JSON,
	OPTION_QUIET,
	OPTION_END,
};

static const char *const severities[] = {
	[FSCK_ERROR] = "error",       [FSCK_DERIVED] = "derived", [FSCK_NOTE] = "note",
	[FSCK_REPAIRED] = "repaired", [FSCK_LOST] = "lost",
};

/* Where findings go: to the terminal as they come, or to a JSON array; the first failure to keep
 * one is the command's. */
struct sink {
	json_t *findings; /* NULL: print */
	struct progress_line *line;
	struct err *e;
};

static int keep_finding(struct sink *sink, const struct fsck_finding *f, struct err *e)
{
	SCOPE_JSON json_t *item = json_object();

	if (json_put(item, "severity", json_string(severities[f->severity]), e) < 0 ||
	    json_put(item, "subject", json_text_value(f->subject, strlen(f->subject)), e) < 0 ||
	    json_put(item, "text", json_text_value(f->text, strlen(f->text)), e) < 0)
		return -1;
	return json_push(sink->findings, json_incref(item), e);
}

static void take_finding(void *ctx, const struct fsck_finding *f)
{
	struct sink *sink = ctx;
	char subject[QUOTE_MAX];

	if (sink->e->code)
		return;
	if (sink->findings) {
		(void)keep_finding(sink, f, sink->e);
		return;
	}
	progress_line_clear(sink->line);
	(void)outputf(sink->e, "%s: %s: %s\n", severities[f->severity],
		      quote_str(subject, f->subject), f->text);
}

/* "1 image", "2 images": `before` and `after` go around what is counted. */
static int print_count(const char *before, uint64_t n, const char *what, const char *after,
		       struct err *e)
{
	return outputf(e, "%s%" PRIu64 " %s%s%s", before, n, what, n == 1 ? "" : "s", after);
}

static int print_text(const struct fsck_report *r, bool repairs, struct err *e)
{
	if (print_count("", r->images, "image", "", e) < 0 ||
	    print_count(", ", r->blobs, "blob", "", e) < 0 ||
	    print_count(": ", r->errors, "error", "", e) < 0 ||
	    print_count(", ", r->derived, "derived file", " to rebuild", e) < 0 ||
	    print_count(", ", r->notes, "note", "", e) < 0)
		return -1;
	if (repairs && (print_count(", ", r->repaired, "derived file", " made anew", e) < 0 ||
			print_count(", ", r->lost, "image", " lost", e) < 0))
		return -1;
	return outputf(e, r->names_lost ? ", all names lost\n" : "\n");
}

static int print_summary(const struct fsck_report *r, bool repairs, json_t *findings, struct err *e)
{
	if (!findings)
		return print_text(r, repairs, e);
	SCOPE_JSON json_t *doc = json_object();
	if (json_put(doc, "findings", json_incref(findings), e) < 0 ||
	    json_put(doc, "images", json_integer((json_int_t)r->images), e) < 0 ||
	    json_put(doc, "blobs", json_integer((json_int_t)r->blobs), e) < 0 ||
	    json_put(doc, "bytes_read", json_integer((json_int_t)r->bytes_read), e) < 0 ||
	    json_put(doc, "errors", json_integer((json_int_t)r->errors), e) < 0 ||
	    json_put(doc, "derived", json_integer((json_int_t)r->derived), e) < 0 ||
	    json_put(doc, "notes", json_integer((json_int_t)r->notes), e) < 0 ||
	    json_put(doc, "repaired", json_integer((json_int_t)r->repaired), e) < 0 ||
	    json_put(doc, "lost", json_integer((json_int_t)r->lost), e) < 0 ||
	    json_put(doc, "names_lost", json_boolean(r->names_lost), e) < 0)
		return -1;
	return output_json(doc, e);
}

static int run(const struct invocation *in, struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	SCOPE(progress_line) struct progress_line line;
	SCOPE_JSON json_t *findings = invocation_has(in, "json") ? json_array() : NULL;
	struct sink sink = {findings, &line, e};
	struct fsck_report r;

	progress_line_init(&line, invocation_has(in, "quiet"));
	const struct fsck_options opt = {
		.read_data = invocation_has(in, "read-data"),
		.repair = invocation_has(in, "repair"),
		.progress = &line.progress,
		.found = take_finding,
		.ctx = &sink,
	};
	struct err failed = ERR_INIT;
	if (support_store(in, opt.repair ? STORE_WRITE : 0, &s, e) < 0)
		return -1;
	const int r_run = fsck_run(s, &opt, &r, &failed);
	if (r_run < 0 && !e->code)
		return err_move(e, &failed);
	err_clear(&failed);
	if (e->code || fsck_sessions_run(in, s, &opt, &r, &failed) < 0)
		return e->code ? -1 : err_move(e, &failed);
	progress_line_fini(&line);
	if (print_summary(&r, opt.repair, findings, e) < 0)
		return -1;
	/* Of what could not be read nobody knows whether it is damaged. */
	if (r.errors && r.errors == r.unreadable)
		return err_sys(e, EIO, "the store cannot be read: %" PRIu64 " error%s", r.errors,
			       r.errors == 1 ? "" : "s");
	if (r.errors)
		return err_set(e, ERR_DIGEST, "the store is damaged: %" PRIu64 " error%s", r.errors,
			       r.errors == 1 ? "" : "s");
	return 0;
}

const struct command command_fsck = {
	.name = "fsck",
	.synopsis = "[OPTION]...",
	.summary = "Check the store",
	.options = options,
	.min_args = 0,
	.max_args = 0,
	.run = run,
};
