/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/support.h"
#include "store/gc.h"

static const struct option options[] = {
	{'n', "dry-run", NULL, "only say what would be removed"},
	OPTION_JSON,
	OPTION_QUIET,
	OPTION_END,
};

static int print_json(const struct gc_report *r, struct err *e)
{
	SCOPE_JSON json_t *doc = json_object();

	if (json_put(doc, "removed_blobs", json_integer((json_int_t)r->removed_blobs), e) < 0 ||
	    json_put(doc, "removed_derived", json_integer((json_int_t)r->removed_derived), e) < 0 ||
	    json_put(doc, "removed_refs", json_integer((json_int_t)r->removed_refs), e) < 0 ||
	    json_put(doc, "removed_litter", json_integer((json_int_t)r->removed_litter), e) < 0 ||
	    json_put(doc, "freed_bytes", json_integer((json_int_t)r->freed_bytes), e) < 0 ||
	    json_put(doc, "kept_blobs", json_integer((json_int_t)r->kept_blobs), e) < 0)
		return -1;
	return output_json(doc, e);
}

static int run(const struct invocation *in, struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	struct gc_report r;
	char size[STR_SIZE_MAX];
	const bool is_dry_run = invocation_has(in, "dry-run");
	SCOPE(progress_line) struct progress_line line;

	progress_line_init(&line, invocation_has(in, "quiet"));
	if (support_store(in, is_dry_run ? 0 : STORE_WRITE, &s, e) < 0 ||
	    gc_run(s, is_dry_run, &line.progress, &r, e) < 0)
		return -1;
	progress_line_fini(&line);
	if (invocation_has(in, "json"))
		return print_json(&r, e);
	return outputf(e,
		       "%s %" PRIu64 " blobs and %" PRIu64 " derived files, %s; %" PRIu64
		       " blobs are in use\n",
		       is_dry_run ? "would remove" : "removed", r.removed_blobs, r.removed_derived,
		       str_human_size(size, r.freed_bytes), r.kept_blobs);
}

const struct command command_gc = {
	.name = "gc",
	.synopsis = "[OPTION]...",
	.summary = "Remove blobs that no image, session, running command or mount uses",
	.options = options,
	.min_args = 0,
	.max_args = 0,
	.run = run,
};
