/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the top down, each document verified before it is parsed.  An index holds manifests and no
 * index again, so nothing here recurses.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/quote.h"
#include "image/manifest.h"
#include "image/mediatype.h"
#include "image/reference.h"
#include "packer/export_recode.h"
#include "packer/export_rewrite.h"
#include "packer/exporter.h"
#include "packer/oci_layout.h"
#include "store/blobs.h"
#include "store/image.h"
#include "store/refs.h"

struct walk {
	const struct exporter *x;
	struct export_set *set;
	struct export_recoder *recoder; /* NULL: all stays as it is */
	struct image_index refs;        /* of the store */
	size_t order;                   /* of the next blob */
	bool has_image;
};

void export_set_fini(struct export_set *set)
{
	descriptor_fini(&set->top);
	for (size_t i = 0; i < set->signatures_count; i++)
		free(set->signatures[i].tag);
	free(set->signatures);
	free(set->blobs);
	*set = (struct export_set)EXPORT_SET_INIT;
}

static int add(struct walk *w, const struct export_blob *b, struct err *e)
{
	struct export_set *set = w->set;

	if (array_reserve(&set->blobs, &set->blob_cap, set->blob_count + 1, sizeof(*set->blobs),
			  e) < 0)
		return -1;
	set->blobs[set->blob_count++] = *b;
	return 0;
}

/* A blob of the store, at this place in the order. */
static int add_at(struct walk *w, size_t order, const struct descriptor *d, bool is_layer,
		  struct err *e)
{
	const struct export_blob b = {
		.digest = d->digest,
		.size = d->size,
		.is_layer = is_layer,
		.order = order,
		.fd = -1,
	};

	return add(w, &b, e);
}

static int add_blob(struct walk *w, const struct descriptor *d, bool is_layer, struct err *e)
{
	return add_at(w, w->order++, d, is_layer, e);
}

static int read_document(struct walk *w, const struct descriptor *d, struct str *out, struct err *e)
{
	return blobs_read(w->x->store, &d->digest, d->size, LIMIT_DOCUMENT, out, e);
}

static int read_manifest(struct walk *w, const struct descriptor *d, struct str *text,
			 struct manifest *out, struct err *e)
{
	char digest[DIGEST_STR_MAX];

	if (read_document(w, d, text, e) < 0)
		return -1;
	if (manifest_parse(out, str_text(text), text->len, d->media_type, e) < 0)
		return err_wrap(e, "manifest '%s'", digest_format(&d->digest, digest));
	return 0;
}

static int add_signatures(struct walk *w, const char *tag, const struct descriptor *d,
			  const struct manifest *m, struct err *e)
{
	struct export_set *set = w->set;

	if (array_reserve(&set->signatures, &set->signatures_cap, set->signatures_count + 1,
			  sizeof(*set->signatures), e) < 0)
		return -1;
	if (add_blob(w, d, false, e) < 0 || add_blob(w, &m->config, false, e) < 0)
		return -1;
	for (size_t i = 0; i < m->layer_count; i++) {
		if (add_blob(w, &m->layers[i], false, e) < 0)
			return -1;
	}
	struct export_signatures *new = &set->signatures[set->signatures_count];
	*new = (struct export_signatures){str_dup(tag, e), d->digest, d->size};
	if (!new->tag)
		return -1;
	set->signatures_count++;
	set->signature_count += m->layer_count;
	return 0;
}

static int take_signatures(struct walk *w, const char *tag, const struct descriptor *d,
			   bool is_changed, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(manifest) struct manifest m = MANIFEST_INIT;

	/* The image does not name it: gc takes the signatures of an image that lost its name. */
	if (lease_add(w->x->lease, &d->digest, e) < 0 || read_manifest(w, d, &text, &m, e) < 0)
		return -1;
	if (!is_changed)
		return add_signatures(w, tag, d, &m, e);
	w->set->changes.signatures += m.layer_count;
	return 0;
}

/* Those of a manifest or index, which the store keeps beside its name.  Of one that goes out as
 * `as`, with another digest, they are only counted. */
static int find_signatures(struct walk *w, const struct digest *of, const struct descriptor *as,
			   struct err *e)
{
	const bool is_changed = !digest_equal(of, &as->digest);

	/* Other digests have no such tag. */
	if (of->alg != DIGEST_SHA256)
		return 0;
	SCOPE_FREE char *tag = reference_signature_tag(of, e);
	if (!tag)
		return -1;
	const struct descriptor *d = oci_layout_find_signatures(&w->refs, tag, w->x->image);
	if (d && take_signatures(w, tag, d, is_changed, e) < 0)
		return err_wrap(e, "signatures '%s'", tag);
	return 0;
}

/* A document that stays as it is. */
static int keep_document(struct walk *w, size_t order, const struct descriptor *d,
			 struct descriptor *as, struct err *e)
{
	if (add_at(w, order, d, false, e) < 0)
		return -1;
	return descriptor_set(as, d->media_type, &d->digest, d->size, e);
}

/* One that was made anew. */
static int put_document(struct walk *w, size_t order, const char *media_type,
			const struct str *text, struct descriptor *as, struct err *e)
{
	struct export_blob b;

	if (export_recoder_document(w->recoder, text, &b, e) < 0)
		return -1;
	b.order = order;
	if (add(w, &b, e) < 0)
		return -1;
	return descriptor_set(as, media_type, &b.digest, b.size, e);
}

static int add_layers(struct walk *w, const struct manifest *m, bool is_image, struct err *e)
{
	for (size_t i = 0; i < m->layer_count; i++) {
		const struct descriptor *layer = &m->layers[i];
		if (add_blob(w, layer, true, e) < 0)
			return -1;
		w->set->blobs[w->set->blob_count - 1].is_recodable =
			is_image && !mediatype_is_nondistributable(layer->media_type);
	}
	return 0;
}

static int recode_layer(struct walk *w, const struct descriptor *layer,
			const struct digest *diff_id, struct descriptor *as, struct err *e)
{
	struct layer_result result;
	struct export_blob b;

	if (mediatype_is_nondistributable(layer->media_type)) {
		w->set->changes.kept_layers++;
		return add_blob(w, layer, true, e);
	}
	if (export_recoder_layer(w->recoder, layer, diff_id, &result, &b, e) < 0)
		return -1;
	w->set->changes.recoded++;
	b.order = w->order++;
	return add(w, &b, e) < 0 ? -1 : layer_result_descriptor(&result, as, e);
}

static void free_descriptors(struct descriptor *list, size_t count)
{
	for (size_t i = 0; list && i < count; i++)
		descriptor_fini(&list[i]);
	free(list);
}

/* `layers`: empty, one for each of the manifest's. */
static int recode_layers(struct walk *w, const struct descriptor *d, struct descriptor *layers,
			 struct err *e)
{
	SCOPE(image) struct image im = IMAGE_INIT;

	/* The diff_ids are in the config. */
	if (image_load_found(w->x->store, w->x->image, d, NULL, &im, e) < 0)
		return -1;
	for (size_t i = 0; i < im.manifest.layer_count; i++) {
		if (recode_layer(w, &im.manifest.layers[i], &im.config.diff_ids[i], &layers[i], e) <
		    0)
			return -1;
	}
	return 0;
}

/* An image: 1 and its new manifest, 0 when that says what it said, -1. */
static int recode_image(struct walk *w, const struct descriptor *d, const struct str *old,
			const struct manifest *m, struct str *new, struct err *e)
{
	struct descriptor *layers = array_new(m->layer_count, sizeof(*layers), e);

	if (!layers)
		return -1;
	w->has_image = true;
	int r = recode_layers(w, d, layers, e);
	if (r == 0)
		r = export_rewrite_manifest(old, layers, m->layer_count, new, e);
	free_descriptors(layers, m->layer_count);
	return r;
}

/* A manifest of which no layer is re-encoded. */
static void count_kept(struct walk *w, enum manifest_kind kind)
{
	struct export_changes *changes = &w->set->changes;

	if (!w->recoder)
		return;
	if (kind == MANIFEST_UNKNOWN_LAYERS)
		changes->kept_images++;
	else
		changes->kept_manifests++;
}

/* `as`: what it is called where it goes. */
static int walk_manifest(struct walk *w, const struct descriptor *d, struct descriptor *as,
			 struct err *e)
{
	SCOPE(str) struct str old = STR_INIT;
	SCOPE(str) struct str new = STR_INIT;
	SCOPE(manifest) struct manifest m = MANIFEST_INIT;
	const size_t order = w->order++;
	int r = 0;

	if (read_manifest(w, d, &old, &m, e) < 0 || add_blob(w, &m.config, false, e) < 0)
		return -1;
	const enum manifest_kind kind = manifest_kind(&m);
	if (!w->recoder || kind != MANIFEST_IMAGE) {
		count_kept(w, kind);
		r = add_layers(w, &m, kind == MANIFEST_IMAGE, e);
	} else {
		r = recode_image(w, d, &old, &m, &new, e);
	}
	if (r == 0)
		r = keep_document(w, order, d, as, e);
	else if (r > 0)
		r = put_document(w, order, mediatype_to_oci(m.media_type), &new, as, e);
	if (r < 0)
		return -1;
	w->set->layer_count += m.layer_count;
	return find_signatures(w, &d->digest, as, e);
}

static int walk_entry(struct walk *w, const struct descriptor *d, struct descriptor *as,
		      struct err *e)
{
	switch (mediatype_kind(d->media_type)) {
	case MEDIA_MANIFEST:
		return walk_manifest(w, d, as, e);
	case MEDIA_INDEX:
		return err_set(e, ERR_UNSUPPORTED, "an index inside of an index");
	case MEDIA_CONFIG:
	case MEDIA_LAYER:
	case MEDIA_OTHER:
		break;
	}
	count_kept(w, MANIFEST_ARTIFACT);
	return add_blob(w, d, false, e);
}

/* Copies of one platform keep the index of all. */
static int wrap_entry(const struct descriptor *d, size_t at, struct err *e)
{
	char platform[PLATFORM_STR_MAX], quoted[QUOTE_MAX];
	struct err why = ERR_INIT;

	if (e->code == ERR_NOT_FOUND) {
		err_move(&why, e);
		err_set(e, why.code,
			"%s (not all of the index is there; --platform takes one of it)", why.msg);
		err_clear(&why);
	}
	if (!d->has_platform)
		return err_wrap(e, "manifest %zu of the index", at + 1);
	platform_format(&d->platform, platform);
	return err_wrap(e, "manifest for %s", quote_str(quoted, platform));
}

/* `changed`: empty, one for each entry; those that stay as they are stay empty. */
static int walk_entries(struct walk *w, const struct image_index *ix, struct descriptor *changed,
			struct err *e)
{
	for (size_t i = 0; i < ix->count; i++) {
		const struct descriptor *d = &ix->manifests[i];
		SCOPE(descriptor) struct descriptor as = DESCRIPTOR_INIT;
		if (walk_entry(w, d, &as, e) < 0)
			return wrap_entry(d, i, e);
		if (as.media_type && !digest_equal(&as.digest, &d->digest))
			descriptor_move(&changed[i], &as);
	}
	return 0;
}

static int walk_index_entries(struct walk *w, const struct descriptor *d, size_t order,
			      const struct str *old, const struct image_index *ix,
			      struct descriptor *as, struct err *e)
{
	SCOPE(str) struct str new = STR_INIT;
	struct descriptor *changed = array_new(ix->count, sizeof(*changed), e);

	if (!changed)
		return -1;
	int r = walk_entries(w, ix, changed, e);
	if (r == 0 && w->recoder)
		r = export_rewrite_index(old, changed, ix->count, &new, e);
	free_descriptors(changed, ix->count);
	if (r > 0)
		return put_document(w, order, mediatype_to_oci(ix->media_type), &new, as, e);
	return r < 0 ? -1 : keep_document(w, order, d, as, e);
}

static int walk_index(struct walk *w, const struct descriptor *d, struct descriptor *as,
		      struct err *e)
{
	SCOPE(str) struct str old = STR_INIT;
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;
	char digest[DIGEST_STR_MAX];
	const size_t order = w->order++;

	if (read_document(w, d, &old, e) < 0)
		return -1;
	if (image_index_parse(&ix, str_text(&old), old.len, d->media_type, LIMIT_INDEX_ENTRIES, e) <
	    0)
		return err_wrap(e, "index '%s'", digest_format(&d->digest, digest));
	if (walk_index_entries(w, d, order, &old, &ix, as, e) < 0)
		return -1;
	return find_signatures(w, &d->digest, as, e);
}

static int walk_top(struct walk *w, const struct descriptor *top, struct descriptor *as,
		    struct err *e)
{
	char quoted[QUOTE_MAX];

	switch (mediatype_kind(top->media_type)) {
	case MEDIA_MANIFEST:
		return walk_manifest(w, top, as, e);
	case MEDIA_INDEX:
		return walk_index(w, top, as, e);
	case MEDIA_CONFIG:
	case MEDIA_LAYER:
	case MEDIA_OTHER:
		break;
	}
	return err_set(e, ERR_FORMAT, "is a blob of the type '%s', not an image",
		       quote_str(quoted, top->media_type));
}

static int compare_digests(const void *a, const void *b)
{
	const struct export_blob *x = a, *y = b;
	const int order = digest_compare(&x->digest, &y->digest);

	return order ? order : (x->order > y->order) - (x->order < y->order);
}

/* Documents before layers, so that a reader of the stream knows the image before the long rest. */
static int compare_places(const void *a, const void *b)
{
	const struct export_blob *x = a, *y = b;

	if (x->is_layer != y->is_layer)
		return x->is_layer - y->is_layer;
	return (x->order > y->order) - (x->order < y->order);
}

/* Images share blobs, within one and among the manifests of an index. */
static int sort_blobs(struct export_set *set, struct err *e)
{
	char digest[DIGEST_STR_MAX];
	size_t count = 0;

	qsort(set->blobs, set->blob_count, sizeof(*set->blobs), compare_digests);
	for (size_t i = 0; i < set->blob_count; i++) {
		const struct export_blob *b = &set->blobs[i];
		struct export_blob *last = count ? &set->blobs[count - 1] : NULL;
		if (!last || !digest_equal(&last->digest, &b->digest)) {
			set->blobs[count++] = *b;
			set->bytes += b->size;
			continue;
		}
		if (last->size != b->size)
			return err_set(e, ERR_DIGEST,
				       "blob '%s' is said to have %" PRIu64 " and %" PRIu64
				       " bytes",
				       digest_format(&b->digest, digest), last->size, b->size);
		last->is_layer = last->is_layer && b->is_layer;
		last->is_recodable = last->is_recodable || b->is_recodable;
	}
	set->blob_count = count;
	qsort(set->blobs, set->blob_count, sizeof(*set->blobs), compare_places);
	return 0;
}

/* What is exported: all that the name says, or the manifest for one platform. */
static int find_top(const struct exporter *x, struct descriptor *out, struct err *e)
{
	SCOPE(image) struct image im = IMAGE_INIT;
	const struct descriptor *top = &x->top;

	if (x->opt->platform) {
		if (image_load_found(x->store, x->image, &x->top, x->opt->platform, &im, e) < 0)
			return -1;
		top = &im.chosen;
	}
	return descriptor_set(out, top->media_type, &top->digest, top->size, e);
}

static int collect(struct walk *w, struct err *e)
{
	SCOPE(descriptor) struct descriptor top = DESCRIPTOR_INIT;

	int r = refs_list(w->x->store, &w->refs, e);
	if (r == 0)
		r = find_top(w->x, &top, e);
	if (r == 0)
		r = walk_top(w, &top, &w->set->top, e);
	if (r == 0)
		r = sort_blobs(w->set, e);
	image_index_fini(&w->refs);
	return r;
}

int export_collect(const struct exporter *x, struct export_set *out, struct err *e)
{
	struct walk w = {.x = x, .set = out};

	return collect(&w, e);
}

int export_collect_recoded(const struct exporter *x, size_t layers, struct export_set *out,
			   struct err *e)
{
	SCOPE(export_recoder) struct export_recoder *recoder = export_recoder_new(x, layers, e);
	struct walk w = {.x = x, .set = out, .recoder = recoder};

	if (!recoder || collect(&w, e) < 0)
		return -1;
	if (!w.has_image && out->changes.kept_images > 0)
		return err_set(e, ERR_UNSUPPORTED,
			       "has a layer of an unknown type, and nothing else to be re-encoded");
	if (!w.has_image)
		return err_set(e, ERR_UNSUPPORTED, "has no layers of files to be re-encoded");
	return 0;
}

int export_set_entry(const struct export_set *set, const char *name, struct descriptor *out,
		     struct err *e)
{
	SCOPE(reference) struct reference r = REFERENCE_INIT;
	struct err why = ERR_INIT;

	if (descriptor_copy(out, &set->top, e) < 0 ||
	    (name && strmap_set(&out->annotations, REFS_NAME_KEY, name, e) < 0))
		return -1;
	/* containerd wants a name in full, and would put its own before one that is not. */
	SCOPE_FREE char *full = NULL;
	if (name && reference_parse(&r, name, &why) == 0 && !r.has_digest)
		full = reference_key(&r, &why);
	if (err_is_own_lack(&why))
		return err_move(e, &why);
	err_clear(&why);
	if (full && str_equal(full, name) &&
	    strmap_set(&out->annotations, OCI_LAYOUT_CONTAINERD_NAME, name, e) < 0)
		return -1;
	for (size_t i = 0; i < set->signatures_count; i++) {
		const struct export_signatures *s = &set->signatures[i];
		if (oci_layout_attach_signatures(out, s->tag, &s->artifact, s->size, e) < 0)
			return -1;
	}
	return 0;
}
