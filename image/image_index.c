/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"
#include "base/limits.h"
#include "image/document.h"
#include "image/manifest.h"
#include "image/mediatype.h"

static const char document_name[] = "image index";

static const char *const index_members[] = {
	"schemaVersion", "mediaType", "artifactType", "manifests", "subject", "annotations",
	"config",        "layers",    "fsLayers",     "history",   NULL,
};
/* Of an image manifest, and of docker's first manifests. */
static const char *const foreign_members[] = {"config", "layers", "fsLayers", "history", NULL};

static void image_index_move(struct image_index *to, struct image_index *from)
{
	*to = *from;
	*from = (struct image_index)IMAGE_INDEX_INIT;
}

int image_index_parse(struct image_index *out, const char *bytes, size_t len,
		      const char *media_type, size_t max_entries, struct err *e)
{
	/* A store's own index may have more entries, and so more bytes. */
	const size_t limit = max_entries > LIMIT_INDEX_ENTRIES ? LIMIT_STORE_INDEX : LIMIT_DOCUMENT;
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;
	SCOPE(json) json_t *root = json_parse_object(bytes, len, limit, document_name, e);

	if (!root)
		return -1;
	if (document_check_spelling(root, index_members, document_name, e) < 0 ||
	    document_check_foreign(root, foreign_members, document_name, e) < 0 ||
	    document_get_type(root, media_type, MEDIA_INDEX, MEDIATYPE_INDEX, document_name,
			      &ix.media_type, e) < 0 ||
	    document_get_text(root, "artifactType", document_name, &ix.artifact_type, e) < 0 ||
	    document_get_descriptors(root, "manifests", document_name, max_entries, &ix.manifests,
				     &ix.count, e) < 0 ||
	    document_get_map(root, "annotations", document_name, LIMIT_ANNOTATION, &ix.annotations,
			     e) < 0)
		return -1;
	ix.cap = ix.count;
	image_index_move(out, &ix);
	return 0;
}

int image_index_format(const struct image_index *ix, struct str *out, struct err *e)
{
	SCOPE(json) json_t *root = json_pack("{s:i}", "schemaVersion", 2);

	if (!root)
		return err_nomem(e);
	if (document_put_text(root, "mediaType", ix->media_type, e) < 0 ||
	    document_put_text(root, "artifactType", ix->artifact_type, e) < 0 ||
	    document_put_descriptors(root, "manifests", ix->manifests, ix->count, e) < 0 ||
	    document_put_map(root, "annotations", &ix->annotations, e) < 0)
		return -1;
	return json_format(root, out, e);
}

int image_index_add(struct image_index *ix, const struct descriptor *d, struct err *e)
{
	SCOPE(descriptor) struct descriptor copy = DESCRIPTOR_INIT;

	if (descriptor_copy(&copy, d, e) < 0 ||
	    array_reserve(&ix->manifests, &ix->cap, ix->count + 1, sizeof(*ix->manifests), e) < 0)
		return -1;
	descriptor_move(&ix->manifests[ix->count++], &copy);
	return 0;
}

void image_index_remove(struct image_index *ix, size_t at)
{
	descriptor_fini(&ix->manifests[at]);
	ix->count--;
	memmove(&ix->manifests[at], &ix->manifests[at + 1],
		(ix->count - at) * sizeof(*ix->manifests));
}

/* Indexes in an index are not followed, and artifacts beside the images have platforms, too. */
static bool is_candidate(const struct descriptor *d)
{
	return mediatype_kind(d->media_type) == MEDIA_MANIFEST &&
	       (!d->artifact_type || mediatype_kind(d->artifact_type) == MEDIA_CONFIG);
}

/* The very variant; when none is wanted, what the architecture means without one. */
static bool is_exact(const struct platform *have, const struct platform *want)
{
	return want->variant[0] ? strcmp(have->variant, want->variant) == 0
				: platform_is_baseline(have);
}

int image_index_select(const struct image_index *ix, const struct platform *want, size_t *out)
{
	int found = 0;

	if (ix->count == 1 && !ix->manifests[0].has_platform && is_candidate(&ix->manifests[0])) {
		*out = 0;
		return 1;
	}
	for (size_t i = 0; i < ix->count; i++) {
		const struct descriptor *d = &ix->manifests[i];
		if (!d->has_platform || !is_candidate(d) || !platform_matches(&d->platform, want))
			continue;
		/* The right variant goes before one that serves as well: v5 often comes before v7,
		 * and amd64's v3 may come before what older machines can run. */
		const bool is_right = is_exact(&d->platform, want);
		if (!found || is_right) {
			*out = i;
			found = 1;
		}
		if (is_right)
			break;
	}
	return found;
}

void image_index_fini(struct image_index *ix)
{
	free(ix->media_type);
	free(ix->artifact_type);
	for (size_t i = 0; i < ix->count; i++)
		descriptor_fini(&ix->manifests[i]);
	free(ix->manifests);
	strmap_fini(&ix->annotations);
	*ix = (struct image_index)IMAGE_INDEX_INIT;
}
