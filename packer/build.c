/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of a build: read the manifest, find all that is wrong for any platform, make the image
 * of each, then the index when there are several, then the refs.  Until the refs, a build that ends
 * leaves blobs that nothing names.
 */
#include "packer/build.h"

#include <stdlib.h>

#include "base/array.h"
#include "image/mediatype.h"
#include "packer/build_input.h"
#include "packer/builder.h"
#include "packer/epoch.h"
#include "packer/tags.h"
#include "store/documents.h"
#include "store/refs.h"

static int read_manifest(struct builder *b, struct err *e)
{
	b->context = context_open(b->opt->context, e);
	if (!b->context)
		return -1;
	/* Several platforms walk it in another order, and would each keep all names. */
	if (b->opt->target_count == 1 && context_remember(b->context, e) < 0)
		return -1;
	if (build_input_source(b->opt, b->context, &b->source, e) < 0)
		return -1;
	SCOPE_FREE char *path = build_input_path(b->opt, &b->source, e);
	if (!path)
		return -1;
	const struct includes in = {build_input_fragment, b->context, path};
	b->file = buildfile_parse_including(&b->source, &in, &b->parsed, e);
	return b->file ? build_input_ignore(b->opt, b->context, &b->source, e) : -1;
}

/* A warning may be the reason of an error: a variable that is not set. */
static int print_warnings(const struct builder *b, const struct findings *f, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;

	if (!b->opt->warn)
		return 0;
	if (findings_warnings(f, &text, e) < 0)
		return -1;
	if (text.len)
		b->opt->warn(b->opt->ctx, text.data);
	return 0;
}

/* Of one image alone, its platform says nothing. */
static int wrap(const struct build_image *im, struct err *e)
{
	char platform[PLATFORM_STR_MAX];

	if (im->builder->opt->target_count < 2)
		return -1;
	return err_wrap(e, "for %s", platform_format(&im->target->platform, platform));
}

/* What was found for any platform, in one report. */
static int report(const struct builder *b, const struct build_image *images, struct err *e)
{
	const size_t count = b->opt->target_count;
	SCOPE(findings) struct findings all = FINDINGS_INIT(&b->source);
	SCOPE_FREE char(*labels)[PLATFORM_STR_MAX] = array_new(count, sizeof(*labels), e);
	SCOPE_FREE const char **names = array_new(count, sizeof(*names), e);
	SCOPE_FREE const struct findings **lists = array_new(count, sizeof(struct findings *), e);

	if (!labels || !names || !lists)
		return -1;
	for (size_t i = 0; i < count; i++) {
		names[i] = platform_format(&images[i].target->platform, labels[i]);
		lists[i] = &images[i].findings;
	}
	if (findings_merge(&all, lists, names, count, e) < 0 || print_warnings(b, &all, e) < 0)
		return -1;
	return findings_raise(&all, e);
}

/* The trees of several bases take more memory than it takes time to read them again. */
static int plan_all(const struct builder *b, struct build_image *images, struct err *e)
{
	for (size_t i = 0; i < b->opt->target_count; i++) {
		if (build_image_plan(&images[i], e) < 0)
			return wrap(&images[i], e);
		if (b->opt->target_count > 1)
			build_image_rest(&images[i]);
	}
	return report(b, images, e);
}

static int make_all(const struct builder *b, struct build_image *images, struct build_result *out,
		    struct err *e)
{
	const size_t count = b->opt->target_count;

	out->images = array_new(count, sizeof(*out->images), e);
	if (!out->images)
		return -1;
	out->image_count = count;
	for (size_t i = 0; i < count; i++) {
		if (build_image_make(&images[i], &out->images[i], e) < 0)
			return wrap(&images[i], e);
		build_image_rest(&images[i]);
	}
	return 0;
}

static int make_index(const struct builder *b, struct build_result *out, struct err *e)
{
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;
	SCOPE(str) struct str text = STR_INIT;

	ix.media_type = str_dup(MEDIATYPE_INDEX, e);
	if (!ix.media_type || strmap_copy(&ix.annotations, &b->opt->index_annotations, e) < 0)
		return -1;
	for (size_t i = 0; i < out->image_count; i++) {
		if (image_index_add(&ix, &out->images[i].manifest, e) < 0)
			return -1;
	}
	if (image_index_format(&ix, &text, e) < 0)
		return -1;
	return documents_put(b->store, b->lease, MEDIATYPE_INDEX, &text, &out->top, e);
}

/* One image needs no index. */
static int make_top(const struct builder *b, struct build_result *out, struct err *e)
{
	if (out->image_count > 1)
		return make_index(b, out, e);
	const struct descriptor *only = &out->images[0].manifest;
	return descriptor_set(&out->top, only->media_type, &only->digest, only->size, e);
}

static int make(struct builder *b, struct build_result *out, struct err *e)
{
	const size_t count = b->opt->target_count;
	SCOPE_FREE struct build_image *images = array_new(count, sizeof(*images), e);

	if (!images)
		return -1;
	if (count > 1) {
		b->archives = archives_new(e);
		if (!b->archives)
			return -1;
	}
	for (size_t i = 0; i < count; i++)
		build_image_init(&images[i], b, &b->opt->targets[i]);
	const bool is_made = plan_all(b, images, e) == 0 && make_all(b, images, out, e) == 0;
	for (size_t i = 0; i < count; i++)
		build_image_fini(&images[i]);
	return is_made ? make_top(b, out, e) : -1;
}

static int run_all(struct builder *b, struct build_result *out, struct err *e)
{
	if (epoch_get(&b->epoch, e) < 0)
		return -1;
	b->created = config_format_time(b->epoch, e);
	if (!b->created || read_manifest(b, e) < 0 ||
	    lease_open(b->store, "build", &b->lease, e) < 0 || make(b, out, e) < 0)
		return -1;
	return out->names.count ? refs_set_all(b->store, &out->names, &out->top, e) : 0;
}

static void builder_fini(struct builder *b)
{
	build_layers_forget(b);
	archives_free(b->archives);
	findings_fini(&b->parsed);
	buildfile_free(b->file);
	source_fini(&b->source);
	context_close(b->context);
	free(b->created);
	lease_close(b->lease);
}

int build_run(const struct store *s, const struct build_options *opt, struct build_result *out,
	      struct err *e)
{
	struct builder b = {
		.store = s,
		.opt = opt,
		.layers_opt = {.workers = opt->workers, .progress = opt->progress},
		.source = SOURCE_INIT,
		.parsed = FINDINGS_INIT(&b.source),
	};

	*out = (struct build_result){.top = DESCRIPTOR_INIT};
	int r = tags_parse(&opt->tags, &out->names, e);
	if (r == 0)
		r = run_all(&b, out, e);
	builder_fini(&b);
	if (r < 0)
		build_result_fini(out);
	return r;
}

void build_result_fini(struct build_result *r)
{
	descriptor_fini(&r->top);
	for (size_t i = 0; i < r->image_count; i++)
		descriptor_fini(&r->images[i].manifest);
	free(r->images);
	r->images = NULL;
	r->image_count = 0;
	strlist_fini(&r->names);
}
