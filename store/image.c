/* SPDX-License-Identifier: Apache-2.0 */
#include "store/image.h"

#include <inttypes.h>

#include "base/limits.h"
#include "base/quote.h"
#include "base/str.h"
#include "image/mediatype.h"
#include "store/blobs.h"

static int read_document(const struct store *s, const struct descriptor *d, struct str *out,
			 struct err *e)
{
	return blobs_read(s, &d->digest, d->size, LIMIT_DOCUMENT, out, e);
}

/* "linux/amd64, linux/arm64": what images the index has. */
static int list_platforms(const struct image_index *ix, struct str *out, struct err *e)
{
	char text[PLATFORM_STR_MAX], quoted[QUOTE_MAX];

	for (size_t i = 0; i < ix->count; i++) {
		const struct descriptor *d = &ix->manifests[i];
		/* BuildKit gives its attestations the platform "unknown/unknown". */
		if (!d->has_platform || str_equal(d->platform.os, "unknown"))
			continue;
		quote_str(quoted, platform_format(&d->platform, text));
		if (str_appendf(out, e, "%s%s", out->len ? ", " : "", quoted) < 0)
			return -1;
	}
	return out->len ? 0 : str_append_z(out, "images without a platform", e);
}

static int set_no_platform(const struct platform *want, const char *have, struct err *e)
{
	char text[PLATFORM_STR_MAX];

	return err_set(e, ERR_NOT_FOUND, "has nothing for the platform '%s', only: %s",
		       platform_format(want, text), have);
}

static int choose(const struct store *s, const struct platform *want, struct image *im,
		  struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(str) struct str have = STR_INIT;
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;
	const struct platform host = platform_host();
	char quoted[QUOTE_MAX];
	size_t at;

	switch (mediatype_kind(im->top.media_type)) {
	case MEDIA_MANIFEST:
		return descriptor_copy(&im->chosen, &im->top, e);
	case MEDIA_INDEX:
		break;
	case MEDIA_CONFIG:
	case MEDIA_LAYER:
	case MEDIA_OTHER:
	default:
		return err_set(e, ERR_FORMAT, "is a blob of the type '%s', not an image",
			       quote_str(quoted, im->top.media_type));
	}
	if (read_document(s, &im->top, &text, e) < 0 ||
	    image_index_parse(&ix, str_text(&text), text.len, im->top.media_type,
			      LIMIT_INDEX_ENTRIES, e) < 0)
		return -1;
	if (image_index_select(&ix, want ? want : &host, &at))
		return descriptor_copy(&im->chosen, &ix.manifests[at], e);
	if (list_platforms(&ix, &have, e) < 0)
		return -1;
	return set_no_platform(want ? want : &host, str_text(&have), e);
}

static int load_documents(const struct store *s, struct image *im, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	struct manifest *m = &im->manifest;

	if (read_document(s, &im->chosen, &text, e) < 0 ||
	    manifest_parse(m, str_text(&text), text.len, im->chosen.media_type, e) < 0 ||
	    manifest_check_image(m, e) < 0)
		return -1;
	str_truncate(&text, 0);
	if (read_document(s, &m->config, &text, e) < 0 ||
	    image_config_parse(&im->config, str_text(&text), text.len, e) < 0)
		return -1;
	if (im->config.diff_id_count != m->layer_count)
		return err_set(e, ERR_DIGEST, "the config names %zu layers, the manifest %zu",
			       im->config.diff_id_count, m->layer_count);
	return 0;
}

/* Of an index the right one was chosen already; a lone manifest is taken as it is unless somebody
 * asked for a platform. */
static int check_platform(const struct image *im, const struct platform *want, struct err *e)
{
	char text[PLATFORM_STR_MAX], quoted[QUOTE_MAX];

	if (!want || platform_matches(&im->config.platform, want))
		return 0;
	quote_str(quoted, platform_format(&im->config.platform, text));
	return set_no_platform(want, quoted, e);
}

/* Signatures and attestations are kept under tags beside their image. */
static int check_name(const char *name, struct err *e)
{
	if (reference_artifact_tag(name))
		return err_set(e, ERR_FORMAT,
			       "is a signature or attestation of an image, not an image");
	return 0;
}

static int load(const struct store *s, const struct platform *want, struct image *im, struct err *e)
{
	if (check_name(im->name, e) < 0 || choose(s, want, im, e) < 0 ||
	    load_documents(s, im, e) < 0 || check_platform(im, want, e) < 0)
		return -1;
	return 0;
}

int image_load_found(const struct store *s, const char *name, const struct descriptor *top,
		     const struct platform *want, struct image *out, struct err *e)
{
	SCOPE(image) struct image im = IMAGE_INIT;

	im.name = str_dup(name, e);
	if (!im.name || descriptor_copy(&im.top, top, e) < 0 || load(s, want, &im, e) < 0)
		return -1;
	*out = im;
	im = (struct image)IMAGE_INIT;
	return 0;
}

/* The platform of the first image of an index that is in the store: 1; 0: there is none, or the
 * host's is there, and damaged; -1. */
static int find_any(const struct store *s, const struct descriptor *top, struct platform *out,
		    struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;
	const struct platform host = platform_host();
	size_t at;

	if (read_document(s, top, &text, e) < 0 ||
	    image_index_parse(&ix, str_text(&text), text.len, top->media_type, LIMIT_INDEX_ENTRIES,
			      e) < 0)
		return -1;
	if (image_index_select(&ix, &host, &at)) {
		const struct descriptor *d = &ix.manifests[at];
		const int has = blobs_has(s, NULL, &d->digest, d->size, e);
		if (has != 0)
			return has < 0 ? -1 : 0;
	}
	for (size_t i = 0; i < ix.count; i++) {
		const struct descriptor *d = &ix.manifests[i];
		if (!d->has_platform || descriptor_is_artifact(d))
			continue;
		const int has = blobs_has(s, NULL, &d->digest, d->size, e);
		if (has == 0)
			continue;
		*out = d->platform;
		return has;
	}
	return 0;
}

int image_load_any(const struct store *s, const char *name, const struct descriptor *top,
		   struct image *out, struct err *e)
{
	const struct platform *own = top->has_platform ? &top->platform : NULL;
	struct err first = ERR_INIT;
	struct platform any;

	if (image_load_found(s, name, top, own, out, &first) == 0)
		return 0;
	if (first.code != ERR_NOT_FOUND || mediatype_kind(top->media_type) != MEDIA_INDEX)
		return err_move(e, &first);
	const int found = find_any(s, top, &any, e);
	if (found == 0)
		return err_move(e, &first);
	err_clear(&first);
	return found < 0 ? -1 : image_load_found(s, name, top, &any, out, e);
}

int image_load_leased(const struct store *s, struct lease *l, const char *text,
		      const struct platform *want, struct image *out, struct err *e)
{
	char quoted[QUOTE_MAX];
	SCOPE(image) struct image im = IMAGE_INIT;

	if (image_find_leased(s, l, text, &im.name, &im.top, e) < 0)
		return -1;
	if (load(s, want, &im, e) < 0)
		return err_wrap(e, "image '%s'", quote_str(quoted, im.name));
	*out = im;
	im = (struct image)IMAGE_INIT;
	return 0;
}

int image_load(const struct store *s, const char *text, const struct platform *want,
	       struct image *out, struct err *e)
{
	return image_load_leased(s, NULL, text, want, out, e);
}

void image_fini(struct image *im)
{
	free(im->name);
	descriptor_fini(&im->top);
	descriptor_fini(&im->chosen);
	manifest_fini(&im->manifest);
	image_config_fini(&im->config);
	*im = (struct image)IMAGE_INIT;
}
