/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/export_rewrite.h"

#include "base/json.h"
#include "base/limits.h"
#include "image/mediatype.h"
#include "store/documents.h"

#define ANNOTATIONS "annotations"
#define MEDIA_TYPE  "mediaType"

/* Annotations that tell where in a blob its index is, or what the index holds: nothing of them is
 * true of another blob. */
static const char *const index_annotations[] = {
	"io.shale.layer-index.",       "containerd.io/snapshot/stargz/",
	"io.containers.estargz.",      "io.github.containers.zstd-chunked.",
	"io.containers.zstd-chunked.",
};

static bool is_of_an_index(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(index_annotations); i++) {
		if (str_has_prefix(key, index_annotations[i]))
			return true;
	}
	return false;
}

static int annotate(json_t *obj, const struct strmap *more, struct err *e)
{
	json_t *all = json_object_get(obj, ANNOTATIONS);
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(all, next, key, value)
	{
		if (is_of_an_index(key))
			json_object_del(all, key);
	}
	if (!json_is_object(all) && more->count > 0) {
		all = json_object();
		if (json_put(obj, ANNOTATIONS, all, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < more->count; i++) {
		if (json_put(all, more->items[i].key, json_string(more->items[i].value), e) < 0)
			return -1;
	}
	if (json_object_size(all) == 0)
		json_object_del(obj, ANNOTATIONS);
	return 0;
}

/* What points to a blob. */
static int set_descriptor(json_t *obj, const struct descriptor *d, struct err *e)
{
	char digest[DIGEST_STR_MAX];

	json_object_del(obj, "urls");
	json_object_del(obj, "data");
	if (json_put(obj, MEDIA_TYPE, json_string(d->media_type), e) < 0 ||
	    json_put(obj, "digest", json_string(digest_format(&d->digest, digest)), e) < 0 ||
	    json_put(obj, "size", json_integer((json_int_t)d->size), e) < 0)
		return -1;
	return annotate(obj, &d->annotations, e);
}

/* A type of docker's becomes that of OCI. */
static int set_oci_type(json_t *obj, struct err *e)
{
	const char *type = json_string_value(json_object_get(obj, MEDIA_TYPE));

	return type ? json_put(obj, MEDIA_TYPE, json_string(mediatype_to_oci(type)), e) : 0;
}

/* 1 when one of the list says something else than before. */
static int set_list(json_t *list, const struct descriptor *blobs, size_t count, struct err *e)
{
	if (count == 0) /* it may be null */
		return 0;
	SCOPE_JSON json_t *before = json_deep_copy(list);
	if (!before)
		return err_nomem(e);
	for (size_t i = 0; i < count; i++) {
		json_t *obj = json_array_get(list, i);
		if (blobs[i].media_type && set_descriptor(obj, &blobs[i], e) < 0)
			return -1;
	}
	return !json_equal(list, before);
}

static int format(const json_t *doc, const char *media_type, struct str *out, struct err *e)
{
	return json_format(doc, out, e) < 0 || documents_check(media_type, out, e) < 0 ? -1 : 1;
}

int export_rewrite_manifest(const struct str *old, const struct descriptor *layers, size_t count,
			    struct str *out, struct err *e)
{
	SCOPE_JSON json_t *doc =
		json_parse_object(str_text(old), old->len, LIMIT_DOCUMENT, "image manifest", e);
	json_t *list = json_object_get(doc, "layers");

	if (!doc)
		return -1;
	const int is_changed = set_list(list, layers, count, e);
	if (is_changed < 1)
		return is_changed;
	if (set_oci_type(doc, e) < 0 || set_oci_type(json_object_get(doc, "config"), e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (set_oci_type(json_array_get(list, i), e) < 0)
			return -1;
	}
	return format(doc, MEDIATYPE_MANIFEST, out, e);
}

int export_rewrite_index(const struct str *old, const struct descriptor *manifests, size_t count,
			 struct str *out, struct err *e)
{
	SCOPE_JSON json_t *doc =
		json_parse_object(str_text(old), old->len, LIMIT_DOCUMENT, "image index", e);

	if (!doc)
		return -1;
	const int is_changed = set_list(json_object_get(doc, "manifests"), manifests, count, e);
	if (is_changed < 1)
		return is_changed;
	return set_oci_type(doc, e) < 0 ? -1 : format(doc, MEDIATYPE_INDEX, out, e);
}
