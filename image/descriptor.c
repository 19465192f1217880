/* SPDX-License-Identifier: Apache-2.0 */
#include "image/descriptor.h"

#include <assert.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/quote.h"
#include "base/str.h"
#include "image/document.h"
#include "image/mediatype.h"

enum { MEDIA_TYPE_MAX = 255 /* bytes: two names of RFC 6838, section 4.2, and "/" */ };

static const char *const descriptor_members[] = {
	"mediaType", "digest",   "size",         "urls", "annotations",
	"data",      "platform", "artifactType", NULL,
};
static const char *const platform_members[] = {"architecture", "os", "variant", NULL};

static int get_media_type(struct descriptor *d, const json_t *obj, const char *what, struct err *e)
{
	char quoted[QUOTE_MAX];
	const char *text;

	if (json_need_str(obj, "mediaType", what, &text, e) < 0)
		return -1;
	const size_t len = strlen(text);
	bool is_printable = len > 0 && len <= MEDIA_TYPE_MAX;
	for (size_t i = 0; is_printable && i < len; i++)
		is_printable = text[i] >= ' ' && text[i] <= '~';
	if (!is_printable)
		return err_set(e, ERR_FORMAT, "%s: '%s' is not a media type", what,
			       quote_str(quoted, text));
	d->media_type = str_dup(text, e);
	return d->media_type ? 0 : -1;
}

/* descriptor.md, "data": only its type is looked at. */
static int check_data(const json_t *obj, const char *what, struct err *e)
{
	const char *data;

	return json_get_str(obj, "data", what, &data, e) < 0 ? -1 : 0;
}

static int get_platform(struct descriptor *d, const json_t *obj, const char *what, struct err *e)
{
	const char *os, *architecture, *variant = NULL;
	json_t *platform;

	const int found = json_get_object(obj, "platform", what, &platform, e);
	if (found < 1)
		return found;
	if (document_check_spelling(platform, platform_members, what, e) < 0 ||
	    json_need_str(platform, "os", what, &os, e) < 0 ||
	    json_need_str(platform, "architecture", what, &architecture, e) < 0 ||
	    json_get_str(platform, "variant", what, &variant, e) < 0)
		return -1;
	if (platform_from_fields(&d->platform, os, architecture, variant, e) < 0)
		return err_wrap(e, "%s", what);
	d->has_platform = true;
	return 0;
}

int descriptor_from_json(struct descriptor *out, const json_t *obj, const char *what, struct err *e)
{
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;
	const char *digest;

	if (!json_is_object(obj))
		return err_set(e, ERR_FORMAT, "%s: a descriptor must be an object", what);
	if (document_check_spelling(obj, descriptor_members, what, e) < 0 ||
	    get_media_type(&d, obj, what, e) < 0 ||
	    json_need_str(obj, "digest", what, &digest, e) < 0 ||
	    document_parse_digest(digest, what, &d.digest, e) < 0 ||
	    json_need_u64(obj, "size", what, INT64_MAX, &d.size, e) < 0 ||
	    document_get_map(obj, "annotations", what, LIMIT_ANNOTATION, &d.annotations, e) < 0 ||
	    document_get_text(obj, "artifactType", what, &d.artifact_type, e) < 0 ||
	    document_get_list(obj, "urls", what, &d.urls, e) < 0 || check_data(obj, what, e) < 0 ||
	    get_platform(&d, obj, what, e) < 0)
		return -1;
	descriptor_move(out, &d);
	return 0;
}

static int put_platform(json_t *obj, const struct platform *p, struct err *e)
{
	SCOPE(json) json_t *platform = json_object();

	if (!platform)
		return err_nomem(e);
	if (json_put(platform, "architecture", json_string(p->architecture), e) < 0 ||
	    json_put(platform, "os", json_string(p->os), e) < 0 ||
	    document_put_text(platform, "variant", p->variant, e) < 0)
		return -1;
	return json_put(obj, "platform", steal_ptr(&platform), e);
}

json_t *descriptor_to_json(const struct descriptor *d, struct err *e)
{
	SCOPE(json) json_t *obj = json_object();
	char digest[DIGEST_STR_MAX];

	if (!obj) {
		err_nomem(e);
		return NULL;
	}
	assert(d->media_type && d->digest.alg != DIGEST_NONE);
	digest_format(&d->digest, digest);
	if (document_put_text(obj, "mediaType", d->media_type, e) < 0 ||
	    json_put(obj, "digest", json_string(digest), e) < 0 ||
	    json_put(obj, "size", json_integer((json_int_t)d->size), e) < 0 ||
	    document_put_map(obj, "annotations", &d->annotations, e) < 0 ||
	    document_put_list(obj, "urls", &d->urls, e) < 0 ||
	    document_put_text(obj, "artifactType", d->artifact_type, e) < 0 ||
	    (d->has_platform && put_platform(obj, &d->platform, e) < 0))
		return NULL;
	return steal_ptr(&obj);
}

int descriptor_set(struct descriptor *d, const char *media_type, const struct digest *digest,
		   uint64_t size, struct err *e)
{
	char *type = str_dup(media_type, e);

	if (!type)
		return -1;
	free(d->media_type);
	strlist_clear(&d->urls);
	d->media_type = type;
	d->digest = *digest;
	d->size = size;
	return 0;
}

int descriptor_copy(struct descriptor *to, const struct descriptor *from, struct err *e)
{
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;

	if (document_copy_text(&d.media_type, from->media_type, e) < 0 ||
	    document_copy_text(&d.artifact_type, from->artifact_type, e) < 0 ||
	    strmap_copy(&d.annotations, &from->annotations, e) < 0 ||
	    strlist_copy(&d.urls, &from->urls, e) < 0)
		return -1;
	d.digest = from->digest;
	d.size = from->size;
	d.has_platform = from->has_platform;
	d.platform = from->platform;

	descriptor_fini(to);
	descriptor_move(to, &d);
	return 0;
}

void descriptor_move(struct descriptor *to, struct descriptor *from)
{
	*to = *from;
	*from = (struct descriptor)DESCRIPTOR_INIT;
}

void descriptor_fini(struct descriptor *d)
{
	free(d->media_type);
	free(d->artifact_type);
	strmap_fini(&d->annotations);
	strlist_fini(&d->urls);
	*d = (struct descriptor)DESCRIPTOR_INIT;
}

bool descriptor_is_artifact(const struct descriptor *d)
{
	static const char unknown[] = "unknown";

	/* An image may say the type of its config there. */
	if (d->artifact_type && mediatype_kind(d->artifact_type) != MEDIA_CONFIG)
		return true;
	return d->has_platform && strcmp(d->platform.os, unknown) == 0 &&
	       strcmp(d->platform.architecture, unknown) == 0;
}
