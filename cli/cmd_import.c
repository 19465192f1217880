/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/support.h"
#include "packer/import.h"

static const struct option options[] = {
	{'t', "tag", "NAME[:TAG]", "the name in the store (default: the source's own)"},
	{0, "platform", "OS/ARCH", "the one to take of several; that of a root file system"},
	OPTION_COMPRESSION,
	OPTION_WORKERS,
	OPTION_JSON,
	OPTION_QUIET,
	OPTION_END,
};

static const struct word words[] = {
	{"SOURCE", WORD_PREFIXED, "oci|oci-archive|docker-archive|dir|rootfs"},
	{NULL, WORD_OTHER, NULL},
};

static int print_result(const struct import_result *r, bool as_json, struct err *e)
{
	char digest[DIGEST_STR_MAX];

	digest_format(&r->top.digest, digest);
	if (!as_json)
		return outputf(e, "%s\n", digest);
	SCOPE_JSON json_t *doc = json_object();
	SCOPE_JSON json_t *names = json_array();
	for (size_t i = 0; i < r->names.count; i++) {
		if (json_push(names, json_string(r->names.items[i]), e) < 0)
			return -1;
	}
	if (json_put(doc, "name", json_string(r->names.items[0]), e) < 0 ||
	    json_put(doc, "names", json_incref(names), e) < 0 ||
	    json_put(doc, "digest", json_string(digest), e) < 0 ||
	    json_put(doc, "media_type", json_string(r->top.media_type), e) < 0 ||
	    json_put(doc, "layers", json_integer((json_int_t)r->layers), e) < 0 ||
	    json_put(doc, "reframed", json_integer((json_int_t)r->reframed), e) < 0)
		return -1;
	return output_json(doc, e);
}

static int run(const struct invocation *in, struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	SCOPE(progress_line) struct progress_line line;
	struct platform room;
	struct import_options opt = {.tag = invocation_value(in, "tag")};
	struct import_source src = {.path = NULL};
	struct import_result result = {.layers = 0};

	progress_line_init(&line, invocation_has(in, "quiet"));
	opt.progress = &line.progress;
	if (support_platform(in, &room, &opt.platform, e) < 0 ||
	    support_workers(in, &opt.workers, e) < 0 ||
	    support_compression(in, &opt.compression, e) < 0 ||
	    import_source_parse(&src, in->args[0], e) < 0)
		return -1;
	int r = support_store(in, STORE_CREATE, &s, e);
	if (r == 0)
		r = import_run(s, &src, &opt, &result, e);
	progress_line_fini(&line);
	if (r == 0)
		r = print_result(&result, invocation_has(in, "json"), e);
	import_result_fini(&result);
	import_source_fini(&src);
	return r;
}

const struct command command_import = {
	.name = "import",
	.synopsis = "[OPTION]... SOURCE",
	.summary = "Take an image or a root file system into the store",
	.options = options,
	.words = words,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
