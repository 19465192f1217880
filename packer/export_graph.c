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
#include "packer/exporter.h"
#include "packer/oci_layout.h"
#include "store/blobs.h"
#include "store/image.h"
#include "store/refs.h"

struct walk {
	const struct exporter *x;
	struct export_set *set;
	struct image_index refs; /* of the store */
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

static int add_blob(struct walk *w, const struct descriptor *d, bool is_layer, struct err *e)
{
	struct export_set *set = w->set;

	if (array_reserve(&set->blobs, &set->blob_cap, set->blob_count + 1, sizeof(*set->blobs),
			  e) < 0)
		return -1;
	set->blobs[set->blob_count] = (struct export_blob){
		.digest = d->digest,
		.size = d->size,
		.is_layer = is_layer,
		.order = set->blob_count,
	};
	set->blob_count++;
	return 0;
}

static int read_document(struct walk *w, const struct descriptor *d, struct str *out, struct err *e)
{
	if (blobs_read(w->x->store, &d->digest, d->size, LIMIT_DOCUMENT, out, e) < 0)
		return -1;
	return add_blob(w, d, false, e);
}

static int read_manifest(struct walk *w, const struct descriptor *d, struct manifest *out,
			 struct err *e)
{
	SCOPE(str) struct str bytes = STR_INIT;
	char digest[DIGEST_STR_MAX];

	if (read_document(w, d, &bytes, e) < 0)
		return -1;
	if (manifest_parse(out, str_text(&bytes), bytes.len, d->media_type, e) < 0)
		return err_wrap(e, "manifest '%s'", digest_format(&d->digest, digest));
	return 0;
}

static int add_signatures(struct walk *w, const char *tag, const struct descriptor *d,
			  struct err *e)
{
	struct export_set *set = w->set;
	SCOPE(manifest) struct manifest m = MANIFEST_INIT;

	if (array_reserve(&set->signatures, &set->signatures_cap, set->signatures_count + 1,
			  sizeof(*set->signatures), e) < 0)
		return -1;
	/* The image does not name it: gc takes the signatures of an image that lost its name. */
	if (lease_add(w->x->lease, &d->digest, e) < 0)
		return -1;
	if (read_manifest(w, d, &m, e) < 0 || add_blob(w, &m.config, false, e) < 0)
		return -1;
	for (size_t i = 0; i < m.layer_count; i++) {
		if (add_blob(w, &m.layers[i], false, e) < 0)
			return -1;
	}
	struct export_signatures *new = &set->signatures[set->signatures_count];
	*new = (struct export_signatures){str_dup(tag, e), d->digest, d->size};
	if (!new->tag)
		return -1;
	set->signatures_count++;
	set->signature_count += m.layer_count;
	return 0;
}

/* Those of a manifest or index, which the store keeps beside its name. */
static int find_signatures(struct walk *w, const struct digest *of, struct err *e)
{
	/* Other digests have no such tag. */
	if (of->alg != DIGEST_SHA256)
		return 0;
	SCOPE_FREE char *tag = reference_signature_tag(of, e);
	if (!tag)
		return -1;
	const struct descriptor *d = oci_layout_find_signatures(&w->refs, tag, w->x->image);
	if (d && add_signatures(w, tag, d, e) < 0)
		return err_wrap(e, "signatures '%s'", tag);
	return 0;
}

static int walk_manifest(struct walk *w, const struct descriptor *d, struct err *e)
{
	SCOPE(manifest) struct manifest m = MANIFEST_INIT;

	if (read_manifest(w, d, &m, e) < 0 || add_blob(w, &m.config, false, e) < 0)
		return -1;
	for (size_t i = 0; i < m.layer_count; i++) {
		if (add_blob(w, &m.layers[i], true, e) < 0)
			return -1;
	}
	w->set->layer_count += m.layer_count;
	return find_signatures(w, &d->digest, e);
}

static int walk_entry(struct walk *w, const struct descriptor *d, struct err *e)
{
	switch (mediatype_kind(d->media_type)) {
	case MEDIA_MANIFEST:
		return walk_manifest(w, d, e);
	case MEDIA_INDEX:
		return err_set(e, ERR_UNSUPPORTED, "an index inside of an index");
	case MEDIA_CONFIG:
	case MEDIA_LAYER:
	case MEDIA_OTHER:
		break;
	}
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

static int walk_index(struct walk *w, const struct descriptor *d, struct err *e)
{
	SCOPE(str) struct str bytes = STR_INIT;
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;
	char digest[DIGEST_STR_MAX];

	if (read_document(w, d, &bytes, e) < 0)
		return -1;
	if (image_index_parse(&ix, str_text(&bytes), bytes.len, d->media_type, LIMIT_INDEX_ENTRIES,
			      e) < 0)
		return err_wrap(e, "index '%s'", digest_format(&d->digest, digest));
	for (size_t i = 0; i < ix.count; i++) {
		if (walk_entry(w, &ix.manifests[i], e) < 0)
			return wrap_entry(&ix.manifests[i], i, e);
	}
	return find_signatures(w, &d->digest, e);
}

static int walk_top(struct walk *w, const struct descriptor *top, struct err *e)
{
	char quoted[QUOTE_MAX];

	switch (mediatype_kind(top->media_type)) {
	case MEDIA_MANIFEST:
		return walk_manifest(w, top, e);
	case MEDIA_INDEX:
		return walk_index(w, top, e);
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

int export_collect(const struct exporter *x, struct export_set *out, struct err *e)
{
	struct walk w = {.x = x, .set = out};

	int r = refs_list(x->store, &w.refs, e);
	if (r == 0)
		r = find_top(x, &out->top, e);
	if (r == 0)
		r = walk_top(&w, &out->top, e);
	if (r == 0)
		r = sort_blobs(out, e);
	image_index_fini(&w.refs);
	return r;
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
