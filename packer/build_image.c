/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of an image: load the base, whose config the stage is planned upon, and find all that
 * is wrong with text, base, sources and owners; then make layers, then config and manifest.
 */
#include <string.h>

#include "image/mediatype.h"
#include "packer/build_check.h"
#include "packer/build_config.h"
#include "packer/builder.h"
#include "packer/image_base.h"
#include "store/documents.h"

void build_image_init(struct build_image *im, struct builder *b, const struct build_target *target)
{
	*im = (struct build_image){
		.builder = b,
		.target = target,
		.findings = FINDINGS_INIT(&b->source),
		.host = platform_host(),
		.base = IMAGE_INIT,
		.manifest = MANIFEST_INIT,
	};
	image_config_init(&im->config);
}

void build_image_rest(struct build_image *im)
{
	stage_free(im->stage);
	im->stage = NULL;
}

void build_image_fini(struct build_image *im)
{
	build_image_rest(im);
	plan_free(im->plan);
	findings_fini(&im->findings);
	image_fini(&im->base);
	manifest_fini(&im->manifest);
	image_config_fini(&im->config);
}

static int make_plan(struct build_image *im, struct err *e)
{
	const struct builder *b = im->builder;
	const struct platform *target = &im->target->platform;

	im->inputs = (struct plan_inputs){
		.build_args = &b->opt->args,
		.target = {target->os, target->architecture, target->variant},
		.build = {im->host.os, im->host.architecture, im->host.variant},
		.keeps_modes = b->opt->keeps_modes,
	};
	im->plan = plan_new(b->file, &im->inputs, &im->findings, e);
	return im->plan ? 0 : -1;
}

/*
 * What an entry of an index says: the platform that was asked for, so that every one of those is
 * found; a base that asks for more than all machines of an architecture (amd64's v3) adds that.
 */
static struct platform entry_platform(const struct build_image *im)
{
	const bool is_alone = im->builder->opt->target_count < 2;
	struct platform p = is_alone ? im->config.platform : im->target->platform;

	if (!p.variant[0])
		memcpy(p.variant, im->config.platform.variant, sizeof(p.variant));
	platform_unify(&p);
	return p;
}

/* Of two entries for one platform nobody would find the second. */
static int check_entry(struct build_image *im, struct err *e)
{
	const struct build_options *opt = im->builder->opt;
	const struct platform entry = entry_platform(im);
	char text[PLATFORM_STR_MAX];

	for (size_t i = 0; i < opt->target_count; i++) {
		const struct build_target *other = &opt->targets[i];
		if (other == im->target || !platform_equal(&entry, &other->platform))
			continue;
		return findings_error(&im->findings, ERR_UNSUPPORTED, im->plan->base.at, e,
				      "the base makes the image one for %s, which is built as well "
				      "(leave one of the two platforms out)",
				      platform_format(&entry, text));
	}
	return 0;
}

/* In an index, an image is what its entry says; alone, it is what its base is. */
static int check_platform(struct build_image *im, struct err *e)
{
	char base[PLATFORM_STR_MAX];

	if (im->builder->opt->target_count < 2)
		return 0;
	if (platform_matches(&im->config.platform, &im->target->platform))
		return check_entry(im, e);
	return findings_error(&im->findings, ERR_UNSUPPORTED, im->plan->base.at, e,
			      "the image would be one for %s, by --platform of FROM "
			      "(--platform=$TARGETPLATFORM follows the platforms that are built)",
			      platform_format(&im->config.platform, base));
}

/* A base that cannot be had is one finding among others. */
static int load_base(struct build_image *im, struct err *e)
{
	const struct plan_base *base = &im->plan->base;
	const struct builder *b = im->builder;
	struct platform want = im->target->platform;

	if (base->platform && platform_parse(&want, base->platform, e) < 0)
		return findings_take(&im->findings, base->at, e);
	im->config.platform = want;
	if (base->is_scratch)
		return check_platform(im, e);
	if (image_load(b->store, base->reference, &want, &im->base, e) < 0)
		return findings_take(&im->findings, base->at, e);
	im->has_base = true;
	im->config.platform = im->base.config.platform;
	if (lease_add(b->lease, &im->base.chosen.digest, e) < 0)
		return -1;
	return check_platform(im, e);
}

static int plan_with_base(struct build_image *im, struct err *e)
{
	SCOPE(plan_config) struct plan_config parent;

	plan_config_init(&parent);
	if (im->has_base && build_config_from_image(&parent, &im->base.config, e) < 0)
		return -1;
	return plan_stage(im->plan, im->has_base ? &parent : NULL, e);
}

static int open_stage(struct build_image *im, struct err *e)
{
	const struct builder *b = im->builder;

	im->stage =
		stage_new(b->store, b->lease, im->has_base ? &im->base : NULL, &b->layers_opt, e);
	return im->stage ? 0 : -1;
}

/* What the steps need of context and image; the layers of a base that are damaged are told only
 * when there is nothing else to mend. */
static int check_steps(struct build_image *im, bool has_stage, struct err *e)
{
	const struct context *c = im->builder->context;
	struct findings *f = &im->findings;

	if (build_check_sources(im->plan, c, f, e) < 0)
		return -1;
	if (!has_stage)
		return 0;
	if (open_stage(im, e) < 0) {
		if (f->error_count == 0)
			return -1;
		err_clear(e);
		return 0;
	}
	return build_check_owners(im->plan, c, im->stage, 0, &im->next_check, f, e);
}

int build_image_plan(struct build_image *im, struct err *e)
{
	const struct findings *const parsed = &im->builder->parsed;
	const char *const any = "";
	struct findings *f = &im->findings;

	if (findings_merge(f, &parsed, &any, 1, e) < 0)
		return -1;
	if (make_plan(im, e) < 0) {
		/* The report of all findings: it is made again, with those for other platforms. */
		if (e->code == ERR_NOMEM || f->error_count == 0)
			return -1;
		err_clear(e);
		return 0;
	}
	const size_t errors = f->error_count;
	if (load_base(im, e) < 0)
		return findings_wrap(f, im->plan->base.at, e);
	const bool is_known = f->error_count == errors;
	if ((is_known ? plan_with_base(im, e) : plan_stage_unknown(im->plan, e)) < 0)
		return -1;
	return f->gravest != ERR_LIMIT ? check_steps(im, is_known, e) : 0;
}

static int add_all(struct strmap *to, const struct strmap *from, struct err *e)
{
	for (size_t i = 0; i < from->count; i++) {
		if (strmap_set(to, from->items[i].key, from->items[i].value, e) < 0)
			return -1;
	}
	return 0;
}

/* Manifest and config start as the base's. */
static int start(struct build_image *im, struct err *e)
{
	const struct builder *b = im->builder;

	im->config.created = str_dup(b->created, e);
	if (!im->config.created)
		return -1;
	if (im->has_base && im->base.config.author) {
		im->config.author = str_dup(im->base.config.author, e);
		if (!im->config.author)
			return -1;
	}
	if (build_config_to_image(&im->config, &im->plan->config, e) < 0 ||
	    add_all(&im->config.labels, &b->opt->labels, e) < 0 ||
	    add_all(&im->manifest.annotations, &im->target->annotations, e) < 0)
		return -1;
	return im->has_base ? image_base_start(&im->manifest, &im->config, &im->base, e) : 0;
}

/* Whether a step after `index` looks at the tree that this one leaves. */
static bool is_tree_needed(const struct plan *p, size_t index)
{
	for (size_t i = index + 1; i < p->step_count; i++) {
		if (p->steps[i].kind != PLAN_CONFIG)
			return true;
	}
	return false;
}

static int add_layer(struct build_image *im, struct copy_list *list, size_t index, struct err *e)
{
	SCOPE(descriptor) struct descriptor layer = DESCRIPTOR_INIT;
	struct digest diff_id;

	if (build_layer(im->builder, list, &layer, &diff_id, e) < 0 ||
	    manifest_add_layer(&im->manifest, &layer, e) < 0 ||
	    image_config_add_diff_id(&im->config, &diff_id, e) < 0)
		return -1;
	return is_tree_needed(im->plan, index) ? stage_add_layer(im->stage, &layer, &diff_id, e)
					       : 0;
}

/* The list of what a step puts there; NULL without an error for a step that only configures. */
static struct copy_list *list_of(const struct build_image *im, const struct plan_step *step,
				 struct err *e)
{
	switch (step->kind) {
	case PLAN_COPY:
		return copy_list_new(im->builder->context, im->stage, im->builder->archives,
				     &step->copy, e);
	case PLAN_WORKDIR:
		return copy_list_workdir(im->stage, step->path, step->owner, e);
	case PLAN_CONFIG:
		break;
	}
	return NULL;
}

static int run_step(struct build_image *im, size_t index, struct err *e)
{
	const struct plan_step *step = &im->plan->steps[index];
	char comment[] = PLAN_HISTORY_COMMENT;
	struct history history = {
		.created = im->builder->created,
		.created_by = step->history,
		.comment = comment,
		.is_empty_layer = true,
	};
	SCOPE(copy_list) struct copy_list *list = list_of(im, step, e);

	if (!list && e->code)
		return findings_wrap(&im->findings, step->at, e);
	if (list && !copy_list_is_empty(list)) {
		if (add_layer(im, list, index, e) < 0)
			return findings_wrap(&im->findings, step->at, e);
		history.is_empty_layer = false;
	}
	return image_config_add_history(&im->config, &history, e);
}

static void tell_step(const struct build_image *im, unsigned at, const char *text)
{
	const struct build_options *opt = im->builder->opt;

	if (opt->step)
		opt->step(opt->ctx, opt->target_count > 1 ? &im->target->platform : NULL, at,
			  (unsigned)im->plan->step_count, text);
}

static int run_steps(struct build_image *im, struct err *e)
{
	const struct context *c = im->builder->context;

	for (unsigned i = 0; i < im->plan->step_count; i++) {
		const struct plan_step *step = &im->plan->steps[i];
		if (i == im->next_check &&
		    (build_check_owners(im->plan, c, im->stage, i, &im->next_check, &im->findings,
					e) < 0 ||
		     findings_raise(&im->findings, e) < 0))
			return -1;
		tell_step(im, i + 1, step->history);
		if (run_step(im, i, e) < 0)
			return -1;
	}
	return 0;
}

static int write_documents(struct build_image *im, struct build_result_image *out, struct err *e)
{
	const struct builder *b = im->builder;
	SCOPE(str) struct str config = STR_INIT;
	SCOPE(str) struct str manifest = STR_INIT;

	if (image_config_format(&im->config, &config, e) < 0 ||
	    documents_put(b->store, b->lease, MEDIATYPE_CONFIG, &config, &im->manifest.config, e) <
		    0)
		return -1;
	out->config = im->manifest.config.digest;
	im->manifest.media_type = str_dup(MEDIATYPE_MANIFEST, e);
	if (!im->manifest.media_type || manifest_format(&im->manifest, &manifest, e) < 0 ||
	    documents_put(b->store, b->lease, MEDIATYPE_MANIFEST, &manifest, &out->manifest, e) < 0)
		return -1;
	out->manifest.has_platform = true;
	out->manifest.platform = entry_platform(im);
	return add_all(&out->manifest.annotations, &im->target->descriptor_annotations, e);
}

int build_image_make(struct build_image *im, struct build_result_image *out, struct err *e)
{
	if (!im->stage && open_stage(im, e) < 0)
		return -1;
	return start(im, e) < 0 || run_steps(im, e) < 0 ? -1 : write_documents(im, out, e);
}
