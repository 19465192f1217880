/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the top down: a document is taken (its bytes are those of its descriptor) before it is
 * parsed, and what it names is taken next.  An index holds manifests and no index again, so nothing
 * here recurses.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/quote.h"
#include "image/manifest.h"
#include "image/mediatype.h"
#include "packer/importer.h"
#include "store/blobs.h"
#include "store/catalogs.h"

enum { KEY_MAX = 24 + DIGEST_STR_MAX };

int import_note(struct importer *im, const char *key, struct err *e)
{
	if (strmap_get(&im->done, key))
		return 0;
	return strmap_set(&im->done, key, "", e) < 0 ? -1 : 1;
}

/* "Not found" is for what somebody asked for; that a source lacks what it names is its own
 * fault. */
static int blame_source(struct importer *im, struct err *e)
{
	struct err why = ERR_INIT;

	if (e->code != ERR_NOT_FOUND)
		return -1;
	im->lacks_blob = true;
	err_move(&why, e);
	err_set(e, ERR_FORMAT, "%s", why.msg);
	err_clear(&why);
	return -1;
}

/* An image may name one blob many times: it is taken once. */
static int take(struct importer *im, const struct import_layout *l, const struct descriptor *d,
		struct err *e)
{
	char digest[DIGEST_STR_MAX], key[KEY_MAX];

	digest_format(&d->digest, digest);
	(void)snprintf(key, sizeof(key), "%" PRIx64 " %s", d->size, digest);
	const int is_new = import_note(im, key, e);
	if (is_new <= 0)
		return is_new;
	return l->take(l->ctx, d, e) < 0 ? blame_source(im, e) : 0;
}

/* Takes a document, and appends its bytes to `out`. */
static int take_document(struct importer *im, const struct import_layout *l,
			 const struct descriptor *d, struct str *out, struct err *e)
{
	char digest[DIGEST_STR_MAX];

	if (d->size > LIMIT_DOCUMENT)
		return err_set(e, ERR_LIMIT,
			       "blob '%s' is a document of more than %" PRIu64 " bytes",
			       digest_format(&d->digest, digest), LIMIT_DOCUMENT);
	if (take(im, l, d, e) < 0)
		return -1;
	return blobs_read(im->store, &d->digest, d->size, LIMIT_DOCUMENT, out, e);
}

static int take_manifest(struct importer *im, const struct import_layout *l,
			 const struct descriptor *d, struct manifest *out, struct err *e)
{
	SCOPE(str) struct str bytes = STR_INIT;
	char digest[DIGEST_STR_MAX];

	if (take_document(im, l, d, &bytes, e) < 0)
		return -1;
	if (manifest_parse(out, str_text(&bytes), bytes.len, d->media_type, e) < 0)
		return err_wrap(e, "manifest '%s'", digest_format(&d->digest, digest));
	return 0;
}

/* Tools leave such layers where their `urls` say; nothing is fetched from there. */
static int wrap_layer(const struct importer *im, const struct descriptor *layer, size_t at,
		      struct err *e)
{
	if (im->lacks_blob && mediatype_is_nondistributable(layer->media_type))
		return err_wrap(e, "layer %zu, which is not distributable", at + 1);
	return err_wrap(e, "layer %zu", at + 1);
}

static int take_parts(struct importer *im, const struct import_layout *l, const struct manifest *m,
		      struct err *e)
{
	if (take(im, l, &m->config, e) < 0)
		return err_wrap(e, "config");
	for (size_t i = 0; i < m->layer_count; i++) {
		if (take(im, l, &m->layers[i], e) < 0)
			return wrap_layer(im, &m->layers[i], i, e);
	}
	return 0;
}

/* One text for all that a proof depends on: the annotations say where a layer's index is. */
static char *proof_key(const struct descriptor *layer, const struct digest *diff_id, struct err *e)
{
	static const char *const annotations[] = {LAYER_INDEX_DIGEST_KEY, LAYER_INDEX_OFFSET_KEY,
						  LAYER_INDEX_SIZE_KEY};
	SCOPE(str) struct str key = STR_INIT;
	char blob[DIGEST_STR_MAX], diff[DIGEST_STR_MAX];

	if (str_appendf(&key, e, "%s %" PRIu64 " %s %s", layer->media_type, layer->size,
			digest_format(&layer->digest, blob), digest_format(diff_id, diff)) < 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(annotations); i++) {
		const char *text = strmap_get(&layer->annotations, annotations[i]);
		if (str_appendf(&key, e, " %s", text ? text : "") < 0)
			return NULL;
	}
	return str_steal(&key, e);
}

static int prove_layer(struct importer *im, const struct descriptor *layer,
		       const struct digest *diff_id, struct err *e)
{
	struct catalog_layer info;
	SCOPE_FREE char *key = proof_key(layer, diff_id, e);

	if (!key)
		return -1;
	const int is_new = import_note(im, key, e);
	if (is_new <= 0)
		return is_new;
	if (layers_prove(im->store, layer, diff_id, &im->layers, e) < 0)
		return -1;
	SCOPE(layer_index) struct layer_index *ix = NULL;
	if (layers_index(im->store, layer, diff_id, &im->layers, &ix, &info, e) < 0)
		return -1;
	im->reframed_count += info.is_reframed;
	return 0;
}

static int check_platform(const struct importer *im, const struct image_config *config,
			  struct err *e)
{
	const struct platform *want = im->opt->platform;
	char have_text[PLATFORM_STR_MAX], want_text[PLATFORM_STR_MAX], quoted[QUOTE_MAX];

	if (!want || platform_matches(&config->platform, want))
		return 0;
	platform_format(want, want_text);
	platform_format(&config->platform, have_text);
	return err_set(e, ERR_NOT_FOUND, "the image is for '%s', not '%s'",
		       quote_str(quoted, have_text), want_text);
}

int import_prove_layers(struct importer *im, const struct manifest *m,
			const struct image_config *config, struct err *e)
{
	if (check_platform(im, config, e) < 0)
		return -1;
	if (config->diff_id_count != m->layer_count)
		return err_set(e, ERR_DIGEST, "the config has %zu diff_ids for %zu layers",
			       config->diff_id_count, m->layer_count);
	for (size_t i = 0; i < m->layer_count; i++) {
		progress_part(im->opt->progress, i + 1, m->layer_count);
		if (prove_layer(im, &m->layers[i], &config->diff_ids[i], e) < 0)
			return err_wrap(e, "layer %zu", i + 1);
	}
	progress_part(im->opt->progress, 0, 0);
	im->layer_count += m->layer_count;
	return 0;
}

int import_prove_tree(struct importer *im, const struct descriptor *d, const struct manifest *m,
		      const struct image_config *config, struct err *e)
{
	SCOPE(catalog) struct catalog *c = NULL;
	char name[DIGEST_STR_MAX];

	digest_format(&d->digest, name);
	/* Borrows everything. */
	const struct image image = {
		.name = name, .top = *d, .chosen = *d, .manifest = *m, .config = *config};
	return catalogs_open(im->store, &image, 0, &im->layers, &c, e);
}

static int prove(struct importer *im, const struct descriptor *d, const struct manifest *m,
		 struct err *e)
{
	SCOPE(str) struct str bytes = STR_INIT;
	SCOPE(image_config) struct image_config config;

	image_config_init(&config);
	if (blobs_read(im->store, &m->config.digest, m->config.size, LIMIT_DOCUMENT, &bytes, e) < 0)
		return -1;
	if (image_config_parse(&config, str_text(&bytes), bytes.len, e) < 0)
		return -1;
	if (import_prove_layers(im, m, &config, e) < 0)
		return -1;
	return import_prove_tree(im, d, m, &config, e);
}

static int take_image(struct importer *im, const struct import_layout *l,
		      const struct descriptor *d, struct err *e)
{
	SCOPE(manifest) struct manifest m = MANIFEST_INIT;

	if (take_manifest(im, l, d, &m, e) < 0 || manifest_check_image(&m, e) < 0)
		return -1;
	/* An image's config is a document: no disk is filled to find that it is too long. */
	if (m.config.size > LIMIT_DOCUMENT)
		return err_set(e, ERR_LIMIT, "config of more than %" PRIu64 " bytes",
			       LIMIT_DOCUMENT);
	if (take_parts(im, l, &m, e) < 0)
		return -1;
	return prove(im, d, &m, e);
}

int import_artifact(struct importer *im, const struct import_layout *l, const struct descriptor *d,
		    struct err *e)
{
	SCOPE(manifest) struct manifest m = MANIFEST_INIT;

	if (take_manifest(im, l, d, &m, e) < 0)
		return -1;
	return take_parts(im, l, &m, e);
}

/* 1: an image. */
static int take_entry(struct importer *im, const struct import_layout *l,
		      const struct descriptor *d, struct err *e)
{
	char quoted[QUOTE_MAX];

	switch (mediatype_kind(d->media_type)) {
	case MEDIA_MANIFEST:
		break;
	case MEDIA_INDEX:
		return err_set(e, ERR_UNSUPPORTED, "an index inside of an index");
	case MEDIA_CONFIG:
	case MEDIA_LAYER:
		return err_set(e, ERR_FORMAT, "'%s' is no manifest",
			       quote_str(quoted, d->media_type));
	case MEDIA_OTHER:
		return take(im, l, d, e) < 0 ? -1 : 0;
	}
	if (descriptor_is_artifact(d))
		return import_artifact(im, l, d, e) < 0 ? -1 : 0;
	return take_image(im, l, d, e) < 0 ? -1 : 1;
}

/* Copies of one platform keep the index of all: what is missing then is no damage. */
static int suggest_platform(struct err *e)
{
	struct err why = ERR_INIT;

	err_move(&why, e);
	err_set(e, why.code, "%s (not all of the index is there; --platform takes one of it)",
		why.msg);
	err_clear(&why);
	return -1;
}

static int wrap_entry(const struct importer *im, const struct descriptor *d, size_t at,
		      struct err *e)
{
	char platform[PLATFORM_STR_MAX], quoted[QUOTE_MAX];

	if (im->lacks_blob)
		suggest_platform(e);
	if (!d->has_platform)
		return err_wrap(e, "manifest %zu of the index", at + 1);
	platform_format(&d->platform, platform);
	return err_wrap(e, "manifest for %s", quote_str(quoted, platform));
}

static int take_entries(struct importer *im, const struct import_layout *l,
			const struct image_index *ix, struct err *e)
{
	size_t images = 0;

	for (size_t i = 0; i < ix->count; i++) {
		const int is_image = take_entry(im, l, &ix->manifests[i], e);
		if (is_image < 0)
			return wrap_entry(im, &ix->manifests[i], i, e);
		images += (size_t)is_image;
	}
	return images > 0 ? 0 : err_set(e, ERR_FORMAT, "the index names no image");
}

static int refuse_platform(const struct image_index *ix, const struct platform *want, struct err *e)
{
	SCOPE(str) struct str have = STR_INIT;
	char text[PLATFORM_STR_MAX], quoted[QUOTE_MAX];

	for (size_t i = 0; i < ix->count; i++) {
		const struct descriptor *d = &ix->manifests[i];
		if (!d->has_platform || descriptor_is_artifact(d))
			continue;
		quote_str(quoted, platform_format(&d->platform, text));
		if (str_appendf(&have, e, "%s%s", have.len ? ", " : "", quoted) < 0)
			return -1;
	}
	return err_set(e, ERR_NOT_FOUND, "the index has nothing for '%s', only: %s",
		       platform_format(want, text),
		       have.len ? str_text(&have) : "images without a platform");
}

static int take_index(struct importer *im, const struct import_layout *l,
		      const struct descriptor *d, struct descriptor *out, struct err *e)
{
	const struct platform *want = im->opt->platform;
	SCOPE(str) struct str bytes = STR_INIT;
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;
	char digest[DIGEST_STR_MAX];
	size_t at;

	if (take_document(im, l, d, &bytes, e) < 0)
		return -1;
	if (image_index_parse(&ix, str_text(&bytes), bytes.len, d->media_type, LIMIT_INDEX_ENTRIES,
			      e) < 0)
		return err_wrap(e, "index '%s'", digest_format(&d->digest, digest));
	if (!want)
		return take_entries(im, l, &ix, e) < 0 ? -1 : descriptor_copy(out, d, e);
	if (!image_index_select(&ix, want, &at))
		return refuse_platform(&ix, want, e);
	if (take_image(im, l, &ix.manifests[at], e) < 0)
		return -1;
	return descriptor_copy(out, &ix.manifests[at], e);
}

int import_graph(struct importer *im, const struct import_layout *l, const struct descriptor *top,
		 struct descriptor *out, struct err *e)
{
	char quoted[QUOTE_MAX];

	switch (mediatype_kind(top->media_type)) {
	case MEDIA_MANIFEST:
		return take_image(im, l, top, e) < 0 ? -1 : descriptor_copy(out, top, e);
	case MEDIA_INDEX:
		return take_index(im, l, top, out, e);
	case MEDIA_CONFIG:
	case MEDIA_LAYER:
	case MEDIA_OTHER:
		break;
	}
	return err_set(e, ERR_UNSUPPORTED, "'%s' is neither a manifest nor an index",
		       quote_str(quoted, top->media_type));
}
