/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of a build: read and plan everything that can be wrong in the manifest, then load the
 * base, then make layers, then config and manifest, then the ref.  Until the ref, a build that ends
 * leaves blobs that nothing names.
 */
#include "packer/build.h"

#include <string.h>

#include "base/quote.h"
#include "image/config.h"
#include "image/layer_write.h"
#include "image/manifest.h"
#include "image/mediatype.h"
#include "image/reference.h"
#include "manifests/buildfile.h"
#include "manifests/plan.h"
#include "packer/build_check.h"
#include "packer/build_config.h"
#include "packer/build_input.h"
#include "packer/context.h"
#include "packer/copy_key.h"
#include "packer/copy_layer.h"
#include "packer/epoch.h"
#include "packer/stage.h"
#include "store/blobs.h"
#include "store/builds.h"
#include "store/image.h"
#include "store/refs.h"

/* A build under way. */
struct build {
	const struct store *store;
	const struct build_options *opt;
	struct lease *lease;
	struct context *context;
	struct source source;
	struct buildfile *file;
	struct findings findings;
	struct platform host, platform;
	struct plan_inputs inputs; /* the plan looks at them until it is carried out */
	struct plan *plan;
	bool has_base;
	struct image base;
	struct stage *stage;
	size_t next_check; /* the step from which owners are to be checked */
	struct layers_options layers_opt;
	int64_t epoch;
	char *created; /* the epoch as text */
	struct manifest manifest;
	struct image_config config;
};

static void build_fini(struct build *b)
{
	stage_free(b->stage);
	plan_free(b->plan);
	findings_fini(&b->findings);
	buildfile_free(b->file);
	source_fini(&b->source);
	context_close(b->context);
	image_fini(&b->base);
	manifest_fini(&b->manifest);
	image_config_fini(&b->config);
	free(b->created);
	lease_close(b->lease);
}

static int read_manifest(struct build *b, struct err *e)
{
	b->context = context_open(b->opt->context, e);
	if (!b->context || build_input_source(b->opt, b->context, &b->source, e) < 0)
		return -1;
	b->findings = (struct findings)FINDINGS_INIT(&b->source);
	SCOPE_FREE char *path = build_input_path(b->opt, &b->source, e);
	if (!path)
		return -1;
	const struct includes in = {build_input_fragment, b->context, path};
	b->file = buildfile_parse_including(&b->source, &in, &b->findings, e);
	return b->file ? build_input_ignore(b->opt, b->context, &b->source, e) : -1;
}

static int make_plan(struct build *b, struct err *e)
{
	b->host = platform_host();
	b->inputs = (struct plan_inputs){
		.build_args = &b->opt->args,
		.target = {b->platform.os, b->platform.architecture, b->platform.variant},
		.build = {b->host.os, b->host.architecture, b->host.variant},
		.keeps_modes = b->opt->keeps_modes,
	};
	b->plan = plan_new(b->file, &b->inputs, &b->findings, e);
	return b->plan ? 0 : -1;
}

/* A base that cannot be had is one finding among others. */
static int load_base(struct build *b, struct err *e)
{
	const struct plan_base *base = &b->plan->base;
	struct platform want = b->platform;

	if (base->platform && platform_parse(&want, base->platform, e) < 0)
		return findings_take(&b->findings, base->at, e);
	b->config.platform = want;
	if (base->is_scratch)
		return 0;
	if (image_load(b->store, base->reference, &want, &b->base, e) < 0)
		return findings_take(&b->findings, base->at, e);
	b->has_base = true;
	b->config.platform = b->base.config.platform;
	return lease_add(b->lease, &b->base.chosen.digest, e);
}

static int plan_with_base(struct build *b, struct err *e)
{
	SCOPE(plan_config) struct plan_config parent;

	plan_config_init(&parent);
	if (b->has_base && build_config_from_image(&parent, &b->base.config, e) < 0)
		return -1;
	return plan_stage(b->plan, b->has_base ? &parent : NULL, e);
}

/* What the steps need of context and image; the layers of a base that are damaged are told only
 * when there is nothing else to mend. */
static int check_steps(struct build *b, bool has_stage, struct err *e)
{
	if (build_check_sources(b->plan, b->context, &b->findings, e) < 0)
		return -1;
	if (!has_stage)
		return 0;
	b->stage = stage_new(b->store, b->lease, b->has_base ? &b->base : NULL, &b->layers_opt, e);
	if (!b->stage) {
		if (b->findings.error_count == 0)
			return -1;
		err_clear(e);
		return 0;
	}
	return build_check_owners(b->plan, b->context, b->stage, 0, &b->next_check, &b->findings,
				  e);
}

/* A warning may be the reason of an error: a variable that is not set. */
static int print_warnings(const struct build *b, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;

	if (!b->opt->warn)
		return 0;
	if (findings_warnings(&b->findings, &text, e) < 0)
		return -1;
	if (text.len)
		b->opt->warn(b->opt->ctx, text.data);
	return 0;
}

/* All that can be wrong before anything is made: text, values, base, sources, owners. */
static int plan_all(struct build *b, struct err *e)
{
	if (make_plan(b, e) < 0)
		return -1;
	const size_t errors = b->findings.error_count;
	if (load_base(b, e) < 0)
		return findings_wrap(&b->findings, b->plan->base.at, e);
	const bool is_known = b->findings.error_count == errors;
	if ((is_known ? plan_with_base(b, e) : plan_stage_unknown(b->plan, e)) < 0 ||
	    (b->findings.gravest != ERR_LIMIT && check_steps(b, is_known, e) < 0) ||
	    print_warnings(b, e) < 0)
		return -1;
	return findings_raise(&b->findings, e);
}

/* docker's types are synonyms of OCI's; an OCI manifest names OCI's. */
static const char *oci_layer_type(const char *media_type)
{
	if (!str_has_prefix(media_type, "application/vnd.docker."))
		return media_type;
	switch ((enum layer_encoding)mediatype_encoding(media_type)) {
	case LAYER_TAR:
		return MEDIATYPE_LAYER;
	case LAYER_ZSTD:
		return MEDIATYPE_LAYER_ZSTD;
	case LAYER_GZIP:
		break;
	}
	return MEDIATYPE_LAYER_GZIP;
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
static int start_image(struct build *b, struct err *e)
{
	const struct image_config *base = &b->base.config;

	b->config.created = str_dup(b->created, e);
	if (!b->config.created)
		return -1;
	if (b->has_base && base->author) {
		b->config.author = str_dup(base->author, e);
		if (!b->config.author)
			return -1;
	}
	if (build_config_to_image(&b->config, &b->plan->config, e) < 0 ||
	    add_all(&b->config.labels, &b->opt->labels, e) < 0 ||
	    add_all(&b->manifest.annotations, &b->opt->annotations, e) < 0)
		return -1;
	for (size_t i = 0; b->has_base && i < base->history_count; i++) {
		if (image_config_add_history(&b->config, &base->history[i], e) < 0)
			return -1;
	}
	for (size_t i = 0; b->has_base && i < b->base.manifest.layer_count; i++) {
		SCOPE(descriptor) struct descriptor layer = DESCRIPTOR_INIT;
		const struct descriptor *from = &b->base.manifest.layers[i];

		if (descriptor_set(&layer, oci_layer_type(from->media_type), &from->digest,
				   from->size, e) < 0 ||
		    strmap_copy(&layer.annotations, &from->annotations, e) < 0 ||
		    manifest_add_layer(&b->manifest, &layer, e) < 0 ||
		    image_config_add_diff_id(&b->config, &base->diff_ids[i], e) < 0)
			return -1;
	}
	return 0;
}

static int write_layer(struct build *b, struct copy_list *list, struct layer_result *out,
		       struct err *e)
{
	const struct layer_options opt = {b->opt->compression, b->opt->workers};
	SCOPE_FD int fd = blobs_tmpfile(b->store, e);

	if (fd < 0)
		return -1;
	SCOPE(layer_writer) struct layer_writer *w = layer_writer_new(fd, &opt, e);
	if (!w || copy_list_write(list, b->context, b->epoch, w, b->opt->progress, e) < 0 ||
	    layer_writer_finish(w, out, e) < 0)
		return -1;
	progress_begin(b->opt->progress, "writing to disk", 0);
	return layers_publish(b->store, b->lease, fd, w, out, e);
}

/* Writes the layer, and remembers it under `key` (NULL: it has none). */
static int make_layer(struct build *b, struct copy_list *list, const struct digest *key,
		      struct descriptor *layer, struct digest *diff_id, struct err *e)
{
	struct layer_result result;
	struct timespec since;

	/* The clock that files are stamped by. */
	if (clock_gettime(CLOCK_REALTIME_COARSE, &since) < 0)
		key = NULL;
	if (write_layer(b, list, &result, e) < 0 || layer_result_descriptor(&result, layer, e) < 0)
		return -1;
	*diff_id = result.diff_id;
	return key && copy_key_holds(list, &since) ? builds_put(b->store, key, layer, diff_id, e)
						   : 0;
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

static int add_layer(struct build *b, struct copy_list *list, size_t index, struct err *e)
{
	SCOPE(descriptor) struct descriptor layer = DESCRIPTOR_INIT;
	struct digest key, diff_id;
	const bool has_key = copy_key(list, b->context, b->epoch, &b->opt->compression, &key);
	const int is_known = has_key && !b->opt->is_fresh
				     ? builds_get(b->store, b->lease, &key, &layer, &diff_id, e)
				     : 0;

	if (is_known < 0)
		return -1;
	if (!is_known && make_layer(b, list, has_key ? &key : NULL, &layer, &diff_id, e) < 0)
		return -1;
	if (manifest_add_layer(&b->manifest, &layer, e) < 0 ||
	    image_config_add_diff_id(&b->config, &diff_id, e) < 0)
		return -1;
	return is_tree_needed(b->plan, index) ? stage_add_layer(b->stage, &layer, &diff_id, e) : 0;
}

/* The list of what a step puts there; NULL without an error for a step that only configures. */
static struct copy_list *list_of(struct build *b, const struct plan_step *step, struct err *e)
{
	switch (step->kind) {
	case PLAN_COPY:
		return copy_list_new(b->context, b->stage, &step->copy, e);
	case PLAN_WORKDIR:
		return copy_list_workdir(b->stage, step->path, step->owner, e);
	case PLAN_CONFIG:
		break;
	}
	return NULL;
}

static int run_step(struct build *b, size_t index, struct err *e)
{
	const struct plan_step *step = &b->plan->steps[index];
	char comment[] = PLAN_HISTORY_COMMENT;
	struct history history = {
		.created = b->created,
		.created_by = step->history,
		.comment = comment,
		.is_empty_layer = true,
	};
	SCOPE(copy_list) struct copy_list *list = list_of(b, step, e);

	if (!list && e->code)
		return findings_wrap(&b->findings, step->at, e);
	if (list && !copy_list_is_empty(list)) {
		if (add_layer(b, list, index, e) < 0)
			return findings_wrap(&b->findings, step->at, e);
		history.is_empty_layer = false;
	}
	return image_config_add_history(&b->config, &history, e);
}

static int run_steps(struct build *b, struct err *e)
{
	const unsigned count = (unsigned)b->plan->step_count;

	for (unsigned i = 0; i < count; i++) {
		const struct plan_step *step = &b->plan->steps[i];
		if (i == b->next_check &&
		    (build_check_owners(b->plan, b->context, b->stage, i, &b->next_check,
					&b->findings, e) < 0 ||
		     findings_raise(&b->findings, e) < 0))
			return -1;
		if (b->opt->step)
			b->opt->step(b->opt->ctx, i + 1, count, step->history);
		if (run_step(b, i, e) < 0)
			return -1;
	}
	return 0;
}

static int write_documents(struct build *b, struct build_result *out, struct err *e)
{
	SCOPE(str) struct str config = STR_INIT;
	SCOPE(str) struct str manifest = STR_INIT;
	struct digest digest;

	if (image_config_format(&b->config, &config, e) < 0 ||
	    blobs_put_bytes(b->store, b->lease, config.data, config.len, &out->config, e) < 0 ||
	    descriptor_set(&b->manifest.config, MEDIATYPE_CONFIG, &out->config, config.len, e) < 0)
		return -1;
	b->manifest.media_type = str_dup(MEDIATYPE_MANIFEST, e);
	if (!b->manifest.media_type || manifest_format(&b->manifest, &manifest, e) < 0 ||
	    blobs_put_bytes(b->store, b->lease, manifest.data, manifest.len, &digest, e) < 0)
		return -1;
	return descriptor_set(&out->manifest, MEDIATYPE_MANIFEST, &digest, manifest.len, e);
}

static int run_all(struct build *b, struct build_result *out, struct err *e)
{
	if (epoch_get(&b->epoch, e) < 0)
		return -1;
	b->created = config_format_time(b->epoch, e);
	if (!b->created || read_manifest(b, e) < 0 ||
	    lease_open(b->store, "build", &b->lease, e) < 0 || plan_all(b, e) < 0 ||
	    start_image(b, e) < 0 || run_steps(b, e) < 0 || write_documents(b, out, e) < 0)
		return -1;
	return out->names.count ? refs_set_all(b->store, &out->names, &out->manifest, e) : 0;
}

static int parse_tag(const char *text, struct strlist *names, struct err *e)
{
	SCOPE(reference) struct reference tag = REFERENCE_INIT;
	char q[QUOTE_MAX];

	if (reference_parse(&tag, text, e) < 0 || reference_check_image_name(&tag, text, e) < 0)
		return err_wrap(e, "option '--tag'");
	if (tag.has_digest)
		return err_set(e, ERR_USAGE, "option '--tag': '%s' is not a name for an image",
			       quote_str(q, text));
	SCOPE_FREE char *key = reference_key(&tag, e);
	if (!key)
		return -1;
	for (size_t i = 0; i < names->count; i++) {
		if (strcmp(names->items[i], key) == 0)
			return 0;
	}
	return strlist_add(names, key, e);
}

/* A name that cannot be set is said before an hour of work, not after it. */
static int parse_tags(const struct strlist *tags, struct strlist *names, struct err *e)
{
	for (size_t i = 0; i < tags->count; i++) {
		if (parse_tag(tags->items[i], names, e) < 0)
			return -1;
	}
	return 0;
}

int build_run(const struct store *s, const struct build_options *opt, struct build_result *out,
	      struct err *e)
{
	struct build b = {
		.store = s,
		.opt = opt,
		.platform = opt->platform ? *opt->platform : platform_host(),
		.layers_opt = {.workers = opt->workers, .progress = opt->progress},
		.base = IMAGE_INIT,
		.manifest = MANIFEST_INIT,
		.source = SOURCE_INIT,
	};

	*out = (struct build_result){.manifest = DESCRIPTOR_INIT};
	image_config_init(&b.config);
	int r = parse_tags(&opt->tags, &out->names, e);
	if (r == 0)
		r = run_all(&b, out, e);
	build_fini(&b);
	if (r < 0)
		build_result_fini(out);
	return r;
}

void build_result_fini(struct build_result *r)
{
	descriptor_fini(&r->manifest);
	strlist_fini(&r->names);
}
