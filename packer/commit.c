/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/commit.h"

#include "base/limits.h"
#include "image/mediatype.h"
#include "packer/build_config.h"
#include "packer/epoch.h"
#include "packer/image_base.h"
#include "packer/tags.h"
#include "store/documents.h"
#include "store/refs.h"

static int set_all(struct strmap *to, const struct strmap *from, struct err *e)
{
	for (size_t i = 0; i < from->count; i++) {
		if (strmap_set(to, from->items[i].key, from->items[i].value, e) < 0)
			return -1;
	}
	return 0;
}

static int copy_text(char **to, const char *text, struct err *e)
{
	if (!text)
		return 0;
	*to = str_dup(text, e);
	return *to ? 0 : -1;
}

/* What the image runs is what the base does. */
static int start_config(struct commit *c, struct err *e)
{
	SCOPE(plan_config) struct plan_config run;
	const struct image_config *base = &c->base->config;
	const char *author = c->opt->author ? c->opt->author : base->author;

	plan_config_init(&run);
	c->config.platform = base->platform;
	if (build_config_from_image(&run, base, e) < 0 ||
	    build_config_to_image(&c->config, &run, e) < 0 ||
	    copy_text(&c->config.author, author, e) < 0 ||
	    commit_change(&c->config, &c->opt->changes, e) < 0)
		return -1;
	return set_all(&c->config.labels, &c->opt->labels, e);
}

int commit_init(struct commit *c, const struct store *s, const struct commit_options *opt,
		const struct image *base, struct err *e)
{
	*c = (struct commit){.store = s, .opt = opt, .base = base, .manifest = MANIFEST_INIT};
	image_config_init(&c->config);
	if (tags_parse(&opt->tags, &c->names, e) < 0 || start_config(c, e) < 0 ||
	    strmap_copy(&c->manifest.annotations, &base->manifest.annotations, e) < 0 ||
	    set_all(&c->manifest.annotations, &opt->annotations, e) < 0 ||
	    image_base_start(&c->manifest, &c->config, base, e) < 0)
		return -1;
	if (c->manifest.layer_count >= LIMIT_LAYERS)
		return err_set(e, ERR_LIMIT, "the image has %zu layers, and can have no more",
			       c->manifest.layer_count);
	return 0;
}

void commit_fini(struct commit *c)
{
	image_config_fini(&c->config);
	manifest_fini(&c->manifest);
	strlist_fini(&c->names);
}

static int add_history(struct commit *c, const char *created, bool is_empty, struct err *e)
{
	SCOPE_FREE char *created_by = str_dup(c->opt->created_by, e);
	SCOPE_FREE char *when = str_dup(created, e);
	SCOPE_FREE char *comment = NULL;
	SCOPE_FREE char *author = NULL;

	if (!created_by || !when || copy_text(&comment, c->opt->message, e) < 0 ||
	    copy_text(&author, c->opt->author, e) < 0)
		return -1;
	const struct history h = {when, created_by, author, comment, is_empty};
	return image_config_add_history(&c->config, &h, e);
}

static int put_documents(struct commit *c, struct lease *l, struct descriptor *out, struct err *e)
{
	SCOPE(str) struct str config = STR_INIT;
	SCOPE(str) struct str manifest = STR_INIT;

	if (image_config_format(&c->config, &config, e) < 0 ||
	    documents_put(c->store, l, MEDIATYPE_CONFIG, &config, &c->manifest.config, e) < 0 ||
	    copy_text(&c->manifest.media_type, MEDIATYPE_MANIFEST, e) < 0 ||
	    manifest_format(&c->manifest, &manifest, e) < 0)
		return -1;
	return documents_put(c->store, l, MEDIATYPE_MANIFEST, &manifest, out, e);
}

static int set_created(struct commit *c, const int64_t *created_s, struct err *e)
{
	const char *base = c->base->config.created;
	int64_t when = created_s ? *created_s : EPOCH_DEFAULT;

	if (when < 0)
		when = 0;
	if (when > EPOCH_MAX)
		when = EPOCH_MAX;
	c->config.created = !created_s && base ? str_dup(base, e) : config_format_time(when, e);
	return c->config.created ? 0 : -1;
}

int commit_finish(struct commit *c, struct lease *l, const struct descriptor *layer,
		  const struct digest *diff_id, const int64_t *created_s, struct descriptor *out,
		  struct err *e)
{
	if (set_created(c, created_s, e) < 0 || add_history(c, c->config.created, !layer, e) < 0 ||
	    (layer && (manifest_add_layer(&c->manifest, layer, e) < 0 ||
		       image_config_add_diff_id(&c->config, diff_id, e) < 0)) ||
	    put_documents(c, l, out, e) < 0)
		return -1;
	return c->names.count ? refs_set_all(c->store, &c->names, out, e) : 0;
}
