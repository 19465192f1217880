/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/quote.h"
#include "cli/commands.h"
#include "cli/key_value.h"
#include "cli/output.h"
#include "cli/support.h"
#include "cli/target.h"
#include "packer/build.h"

static const struct option options[] = {
	{'t', "tag", "NAME[:TAG]", "name the image; may be repeated"},
	{'f', "file", "FILE", "the manifest (default: Shalefile, Containerfile or Dockerfile)"},
	{0, "build-arg", "NAME=VALUE", "set a variable of ARG; without =VALUE, the environment's"},
	{0, "label", "KEY=VALUE", "set a label of the image"},
	{0, "annotation", "KEY=VALUE", "set an annotation of the image's manifest"},
	{0, "platform", "OS/ARCH", "build for this platform (default: this machine's)"},
	{0, "preserve-modes", NULL, "keep modes of context files, not only whether executable"},
	{0, "no-cache", NULL, "make every layer anew"},
	{0, "iidfile", "FILE", "write the manifest digest to FILE"},
	{0, "metadata-file", "FILE", "write a JSON report to FILE"},
	OPTION_COMPRESSION,
	OPTION_WORKERS,
	{'q', "quiet", NULL, "print nothing but the manifest digest"},
	OPTION_END,
};

static void print_step(void *ctx, unsigned at, unsigned count, const char *text)
{
	char q[QUOTE_MAX];

	progress_line_clear(ctx);
	(void)fprintf(stderr, "[%u/%u] %s\n", at, count, quote_str(q, text));
}

static void print_warning(void *ctx, const char *text)
{
	progress_line_clear(ctx);
	(void)fputs(text, stderr);
}

/* Where results go is looked at before an hour of work, not after it. */
static int check_targets(const struct invocation *in, struct err *e)
{
	static const char *const names[] = {"iidfile", "metadata-file"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *path = invocation_value(in, names[i]);
		if (path && target_check(names[i], path, e) < 0)
			return -1;
	}
	return output_check(e);
}

/* One text with commas, as buildx has it. */
static int put_names(json_t *doc, const struct strlist *names, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;

	for (size_t i = 0; i < names->count; i++) {
		if (str_appendf(&text, e, "%s%s", i ? "," : "", names->items[i]) < 0)
			return -1;
	}
	return json_put(doc, "image.name", json_string(text.data), e);
}

static int write_metadata(const char *path, const struct build_result *r, struct err *e)
{
	SCOPE_JSON json_t *doc = json_object();
	SCOPE(str) struct str text = STR_INIT;
	char manifest[DIGEST_STR_MAX], config[DIGEST_STR_MAX];

	/* The members that buildx writes. */
	digest_format(&r->manifest.digest, manifest);
	if (json_put(doc, "containerimage.config.digest",
		     json_string(digest_format(&r->config, config)), e) < 0 ||
	    json_put(doc, "containerimage.digest", json_string(manifest), e) < 0 ||
	    json_put(doc, "containerimage.descriptor", descriptor_to_json(&r->manifest, e), e) < 0)
		return -1;
	if (r->names.count && put_names(doc, &r->names, e) < 0)
		return -1;
	return json_format_pretty(doc, &text, e) < 0
		       ? -1
		       : target_write("metadata-file", path, &text, e);
}

static int report(const struct invocation *in, const struct build_result *r, struct err *e)
{
	const char *iidfile = invocation_value(in, "iidfile");
	const char *metadata = invocation_value(in, "metadata-file");
	char digest[DIGEST_STR_MAX];

	digest_format(&r->manifest.digest, digest);
	if (iidfile) {
		SCOPE(str) struct str text = STR_INIT;
		if (str_append_z(&text, digest, e) < 0 ||
		    target_write("iidfile", iidfile, &text, e) < 0)
			return -1;
	}
	if (metadata && write_metadata(metadata, r, e) < 0)
		return -1;
	return outputf(e, "%s\n", digest);
}

/* Options that may be repeated. */
static int take_values(const struct invocation *in, struct build_options *opt, struct err *e)
{
	const struct platform platform = opt->platform ? *opt->platform : platform_host();
	const char *text;

	for (size_t at = 0; (text = invocation_next(in, "build-arg", &at));) {
		if (key_value_arg(&opt->args, text, e) < 0)
			return -1;
	}
	for (size_t at = 0; (text = invocation_next(in, "label", &at));) {
		if (key_value_label(&opt->labels, text, e) < 0)
			return -1;
	}
	for (size_t at = 0; (text = invocation_next(in, "annotation", &at));) {
		if (key_value_annotation(&opt->annotations, text, &platform, e) < 0)
			return -1;
	}
	for (size_t at = 0; (text = invocation_next(in, "tag", &at));) {
		if (strlist_add(&opt->tags, text, e) < 0)
			return -1;
	}
	return 0;
}

static int build(const struct invocation *in, struct build_options *opt, struct progress_line *line,
		 struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	struct build_result result = {.names = STRLIST_INIT};
	struct platform room;

	if (support_platform(in, &room, &opt->platform, e) < 0 || take_values(in, opt, e) < 0 ||
	    support_workers(in, &opt->workers, e) < 0 ||
	    support_compression(in, &opt->compression, e) < 0 || check_targets(in, e) < 0 ||
	    support_store(in, STORE_CREATE, &s, e) < 0)
		return -1;
	int r = build_run(s, opt, &result, e);
	progress_line_fini(line);
	if (r == 0)
		r = report(in, &result, e);
	build_result_fini(&result);
	return r;
}

static int run(const struct invocation *in, struct err *e)
{
	const bool is_quiet = invocation_has(in, "quiet");
	SCOPE(progress_line) struct progress_line line;
	progress_line_init(&line, is_quiet);
	struct build_options opt = {
		.context = in->args[0],
		.file = invocation_value(in, "file"),
		.is_fresh = invocation_has(in, "no-cache"),
		.keeps_modes = invocation_has(in, "preserve-modes"),
		.progress = &line.progress,
		.step = is_quiet ? NULL : print_step,
		.warn = is_quiet ? NULL : print_warning,
		.ctx = &line,
	};
	const int r = build(in, &opt, &line, e);

	strmap_fini(&opt.args);
	strmap_fini(&opt.labels);
	strmap_fini(&opt.annotations);
	strlist_fini(&opt.tags);
	return r;
}

const struct command command_build = {
	.name = "build",
	.synopsis = "[OPTION]... CONTEXT",
	.summary = "Build an image from a manifest and a directory",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
