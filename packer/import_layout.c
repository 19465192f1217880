/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/quote.h"
#include "image/manifest.h"
#include "image/mediatype.h"
#include "image/reference.h"
#include "packer/importer.h"
#include "packer/oci_layout.h"
#include "store/blobs.h"

enum { LISTED_MAX = 10 /* names in a message */ };

static int check_version(const struct import_layout *l, struct err *e)
{
	if (!l->has_version)
		return err_set(e, ERR_FORMAT,
			       "no file " OCI_LAYOUT_FILE ": not an OCI image layout");
	return oci_layout_check_version(&l->version, e);
}

static int parse_index(const struct import_layout *l, struct image_index *out, struct err *e)
{
	if (!l->has_index)
		return err_set(e, ERR_FORMAT, "no file index.json: not an OCI image layout");
	if (image_index_parse(out, str_text(&l->index), l->index.len, NULL, OCI_LAYOUT_ENTRIES_MAX,
			      e) < 0)
		return err_wrap(e, "index.json");
	return 0;
}

/* What is a candidate when nobody says which image. */
static bool is_image_entry(const struct descriptor *d)
{
	const enum media_kind kind = mediatype_kind(d->media_type);
	const char *name = oci_layout_ref_name(d);

	if (kind != MEDIA_MANIFEST && kind != MEDIA_INDEX)
		return false;
	if (d->artifact_type && mediatype_kind(d->artifact_type) != MEDIA_CONFIG)
		return false;
	return !name || !reference_artifact_tag(name);
}

/* The names there are, for a message. */
static int list_names(const struct image_index *ix, struct str *out, struct err *e)
{
	size_t listed = 0;

	for (size_t i = 0; i < ix->count; i++) {
		const char *name = oci_layout_ref_name(&ix->manifests[i]);
		char digest[DIGEST_STR_MAX], quoted[QUOTE_MAX];
		if (!is_image_entry(&ix->manifests[i]))
			continue;
		if (listed++ == LISTED_MAX)
			return str_append_z(out, ", ...", e);
		quote_str(quoted, name ? name : digest_format(&ix->manifests[i].digest, digest));
		if (str_appendf(out, e, "%s'%s'", listed > 1 ? ", " : "", quoted) < 0)
			return -1;
	}
	return 0;
}

static int refuse_choice(const struct image_index *ix, const char *name, struct err *e)
{
	SCOPE(str) struct str names = STR_INIT;
	char quoted[QUOTE_MAX];

	if (list_names(ix, &names, e) < 0)
		return -1;
	if (names.len == 0)
		return err_set(e, ERR_NOT_FOUND, "the source holds no image");
	if (name)
		return err_set(e, ERR_NOT_FOUND, "the source has no image '%s'; it has %s",
			       quote_str(quoted, name), str_text(&names));
	return err_set(e, ERR_USAGE, "the source has several images, say which one (:NAME): %s",
		       str_text(&names));
}

/* `*out` stays NULL when there is none.  One name for two contents is a trap: the next reader may
 * take the other one. */
static int find_named(const struct image_index *ix, const char *name, const struct descriptor **out,
		      struct err *e)
{
	char quoted[QUOTE_MAX];

	for (size_t i = 0; i < ix->count; i++) {
		const struct descriptor *d = &ix->manifests[i];
		const char *its = oci_layout_ref_name(d);
		if (!its || strcmp(its, name) != 0)
			continue;
		if (*out && !digest_equal(&(*out)->digest, &d->digest))
			return err_set(e, ERR_FORMAT, "index.json: '%s' names more than one image",
				       quote_str(quoted, name));
		if (!*out)
			*out = d;
	}
	return 0;
}

/* The name in full, as a store of ours has it; NULL when `name` is none.  0, or -1 for own lacks.
 */
static int full_name(const char *name, char **out, struct err *e)
{
	SCOPE(reference) struct reference r = REFERENCE_INIT;
	struct err why = ERR_INIT;

	*out = NULL;
	if (reference_parse(&r, name, &why) == 0)
		*out = reference_key(&r, &why);
	if (err_is_own_lack(&why))
		return err_move(e, &why);
	err_clear(&why);
	return 0;
}

static const struct descriptor *choose_named(const struct image_index *ix, const char *name,
					     struct err *e)
{
	const struct descriptor *found = NULL;

	if (find_named(ix, name, &found, e) < 0)
		return NULL;
	SCOPE_FREE char *full = NULL;
	if (!found && full_name(name, &full, e) < 0)
		return NULL;
	if (full && find_named(ix, full, &found, e) < 0)
		return NULL;
	if (!found)
		refuse_choice(ix, name, e);
	return found;
}

static const struct descriptor *choose(const struct image_index *ix, const char *name,
				       struct err *e)
{
	const struct descriptor *found = NULL;
	size_t candidates = 0;

	if (name)
		return choose_named(ix, name, e);
	for (size_t i = 0; i < ix->count; i++) {
		if (!is_image_entry(&ix->manifests[i]))
			continue;
		candidates++;
		found = &ix->manifests[i];
	}
	if (candidates == 1)
		return found;
	refuse_choice(ix, NULL, e);
	return NULL;
}

static int add_signatures(struct import_image *image, const char *tag, const struct descriptor *d,
			  struct err *e)
{
	struct import_signatures *s;

	if (array_reserve(&image->signatures, &image->signature_cap, image->signature_count + 1,
			  sizeof(*image->signatures), e) < 0)
		return -1;
	s = &image->signatures[image->signature_count++];
	*s = (struct import_signatures){NULL, DESCRIPTOR_INIT};
	s->tag = str_dup(tag, e);
	if (!s->tag)
		return -1;
	return descriptor_set(&s->artifact, d->media_type, &d->digest, d->size, e);
}

/* The artifact of the signatures that `tag` names: noted in the entry of the image, or an entry of
 * its own.  1 found, 0, -1. */
static int find_signatures(const struct image_index *ix, const struct descriptor *chosen,
			   const char *tag, struct descriptor *out, struct err *e)
{
	const int is_noted = oci_layout_attached_signatures(chosen, tag, out, e);

	if (is_noted != 0)
		return is_noted;
	const struct descriptor *d =
		oci_layout_find_signatures(ix, tag, oci_layout_ref_name(chosen));
	if (!d)
		return 0;
	return descriptor_copy(out, d, e) < 0 ? -1 : 1;
}

static int take_signatures(struct importer *im, const struct import_layout *l,
			   const struct image_index *ix, const struct descriptor *chosen,
			   const struct digest *manifest, struct import_image *out, struct err *e)
{
	/* Other digests have no such tag. */
	if (manifest->alg != DIGEST_SHA256)
		return 0;
	SCOPE_FREE char *tag = reference_signature_tag(manifest, e);
	if (!tag)
		return -1;
	SCOPE(descriptor) struct descriptor artifact = DESCRIPTOR_INIT;
	const int found = find_signatures(ix, chosen, tag, &artifact, e);
	if (found <= 0)
		return found;
	if (import_artifact(im, l, &artifact, e) < 0)
		return err_wrap(e, "signatures '%s'", tag);
	return add_signatures(out, tag, &artifact, e);
}

/* Of what was taken, and of each manifest of an index: cosign signs both. */
static int take_all_signatures(struct importer *im, const struct import_layout *l,
			       const struct image_index *ix, const struct descriptor *chosen,
			       struct import_image *out, struct err *e)
{
	SCOPE(str) struct str bytes = STR_INIT;
	SCOPE(image_index) struct image_index platforms = IMAGE_INDEX_INIT;
	const struct descriptor *top = &out->top;

	if (take_signatures(im, l, ix, chosen, &top->digest, out, e) < 0)
		return -1;
	if (mediatype_kind(top->media_type) != MEDIA_INDEX)
		return 0;
	if (blobs_read(im->store, &top->digest, top->size, LIMIT_DOCUMENT, &bytes, e) < 0 ||
	    image_index_parse(&platforms, str_text(&bytes), bytes.len, top->media_type,
			      LIMIT_INDEX_ENTRIES, e) < 0)
		return -1;
	for (size_t i = 0; i < platforms.count; i++) {
		if (take_signatures(im, l, ix, chosen, &platforms.manifests[i].digest, out, e) < 0)
			return -1;
	}
	return 0;
}

static int keep_name(const struct descriptor *chosen, struct import_image *out, struct err *e)
{
	const char *name = strmap_get(&chosen->annotations, OCI_LAYOUT_CONTAINERD_NAME);

	if (!name || !*name)
		name = oci_layout_ref_name(chosen);
	return name ? strlist_add(&out->names, name, e) : 0;
}

int import_layout(struct importer *im, const struct import_layout *l, const char *name,
		  struct import_image *out, struct err *e)
{
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;

	if (check_version(l, e) < 0 || parse_index(l, &ix, e) < 0)
		return -1;
	const struct descriptor *chosen = choose(&ix, name, e);
	SCOPE(descriptor) struct descriptor taken = DESCRIPTOR_INIT;
	if (!chosen || import_graph(im, l, chosen, &taken, e) < 0 ||
	    descriptor_set(&out->top, taken.media_type, &taken.digest, taken.size, e) < 0 ||
	    take_all_signatures(im, l, &ix, chosen, out, e) < 0)
		return -1;
	return keep_name(chosen, out, e);
}

void import_layout_fini(struct import_layout *l)
{
	str_fini(&l->version);
	str_fini(&l->index);
}
