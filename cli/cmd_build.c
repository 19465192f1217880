/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/array.h"
#include "base/quote.h"
#include "cli/build_report.h"
#include "cli/commands.h"
#include "cli/key_value.h"
#include "cli/output.h"
#include "cli/support.h"
#include "cli/target.h"
#include "packer/build.h"
#include "store/outside.h"

static const struct option options[] = {
	{'t', "tag", "NAME[:TAG]", "name the image; may be repeated"},
	{'f', "file", "FILE", "the manifest (default: Shalefile, Containerfile or Dockerfile)"},
	{0, "build-arg", "NAME=VALUE", "set a variable of ARG; without =VALUE, the environment's"},
	{0, "label", "KEY=VALUE", "set a label of the image"},
	{0, "annotation", "KEY=VALUE",
	 "set an annotation of manifests, or with index: of the index"},
	{0, "platform", "OS/ARCH,...", "build for these platforms (default: this machine's)"},
	{0, "preserve-modes", NULL, "keep modes of context files, not only whether executable"},
	{0, "no-cache", NULL, "make every layer anew"},
	{0, "iidfile", "FILE", "write the digest to FILE"},
	{0, "metadata-file", "FILE", "write a JSON report to FILE"},
	{0, "json", NULL, "print that report, not the digest"},
	OPTION_COMPRESSION,
	OPTION_WORKERS,
	{'q', "quiet", NULL, "print nothing but the digest"},
	OPTION_END,
};

/* As docker has it: "[2/5] COPY a /", "[linux/arm64 2/5] COPY a /". */
static void print_step(void *ctx, const struct platform *platform, unsigned at, unsigned count,
		       const char *text)
{
	char q[QUOTE_MAX], of[PLATFORM_STR_MAX] = "";

	if (platform)
		platform_format(platform, of);
	progress_line_clear(ctx);
	(void)fprintf(stderr, "[%s%s%u/%u] %s\n", of, platform ? " " : "", at, count,
		      quote_str(q, text));
}

static void print_warning(void *ctx, const char *text)
{
	progress_line_clear(ctx);
	(void)fputs(text, stderr);
}

static const char *const target_names[] = {"iidfile", "metadata-file"};

/* Where results go is looked at before an hour of work, not after it. */
static int check_targets(const struct invocation *in, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(target_names); i++) {
		const char *path = invocation_value(in, target_names[i]);
		if (path && target_check(target_names[i], path, e) < 0)
			return -1;
	}
	const char *iid = invocation_value(in, target_names[0]);
	const char *report = invocation_value(in, target_names[1]);
	if (iid && report &&
	    target_check_distinct(target_names[0], iid, target_names[1], report, e) < 0)
		return -1;
	return output_check(e);
}

static int check_targets_outside(const struct invocation *in, const struct store *s, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(target_names); i++) {
		const char *path = invocation_value(in, target_names[i]);
		if (path && outside_check(s, path, e) < 0)
			return err_wrap(e, "option '--%s'", target_names[i]);
	}
	return 0;
}

/* A target for each platform. */
static int take_platforms(const struct invocation *in, struct build_options *opt, struct err *e)
{
	SCOPE(platform_list) struct platform_list platforms = PLATFORM_LIST_INIT;

	if (support_platforms(in, &platforms, e) < 0)
		return -1;
	opt->targets = array_new(platforms.count, sizeof(*opt->targets), e);
	if (!opt->targets)
		return -1;
	opt->target_count = platforms.count;
	for (size_t i = 0; i < platforms.count; i++)
		opt->targets[i].platform = platforms.items[i];
	return 0;
}

/* Options that may be repeated. */
static int take_values(const struct invocation *in, struct build_options *opt, struct err *e)
{
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
		if (key_value_annotation(opt, text, e) < 0)
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

	if (take_platforms(in, opt, e) < 0 || take_values(in, opt, e) < 0 ||
	    support_workers(in, &opt->workers, e) < 0 ||
	    support_compression(in, &opt->compression, e) < 0 || check_targets(in, e) < 0 ||
	    support_store(in, STORE_CREATE, &s, e) < 0 || check_targets_outside(in, s, e) < 0)
		return -1;
	int r = build_run(s, opt, &result, e);
	progress_line_fini(line);
	if (r == 0)
		r = build_report(in, &result, e);
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
	strmap_fini(&opt.index_annotations);
	for (size_t i = 0; i < opt.target_count; i++) {
		strmap_fini(&opt.targets[i].annotations);
		strmap_fini(&opt.targets[i].descriptor_annotations);
	}
	free(opt.targets);
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
