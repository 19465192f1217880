/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `docker load`, `podman load` and skopeo take: manifest.json, the config under its digest,
 * and the layers under their diff_ids: plain tars, which the diff_ids prove while they are
 * decompressed, or compressed anew, which all of them recognise by the first bytes.
 * What docker before 1.10 wanted besides ("repositories", a folder a layer) is left out: nobody
 * reads it who reads manifest.json.
 *
 * Source: moby, image/spec/spec.md, "Combined Image JSON + Filesystem Changeset Format".
 */
#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "base/hash_copy.h"
#include "base/json.h"
#include "base/limits.h"
#include "image/inflate.h"
#include "image/mediatype.h"
#include "image/reference.h"
#include "packer/export_recode.h"
#include "packer/exporter.h"
#include "store/blobs.h"
#include "store/image.h"
#include "store/layers.h"

#define MANIFEST_FILE "manifest.json"

enum { MEMBER_MAX = DIGEST_HEX_MAX + sizeof(".tar.zst") };

struct docker_layer {
	const struct descriptor *blob;
	const struct digest *diff_id;
	uint64_t tar_size;       /* unless it is re-encoded */
	struct export_blob made; /* if it is */
	bool is_repeated;        /* an earlier one has this diff_id */
};

struct docker_export {
	const struct exporter *x;
	struct image image;
	char *name; /* "name:tag"; NULL: none */
	struct docker_layer *layers;
	struct str manifest, config;
	uint64_t bytes; /* of the layers */
};

static void fini(struct docker_export *d)
{
	image_fini(&d->image);
	free(d->name);
	free(d->layers);
	str_fini(&d->manifest);
	str_fini(&d->config);
}

static const char *member_name(const struct digest *d, const char *suffix,
			       char buf[static MEMBER_MAX])
{
	char hex[DIGEST_HEX_MAX];

	(void)snprintf(buf, MEMBER_MAX, "%s%s", digest_hex(d, hex), suffix);
	return buf;
}

static const char *layer_suffix(const struct docker_export *d)
{
	const struct compression *c = d->x->opt->compression;

	if (!c)
		return ".tar";
	return c->encoding == FRAME_GZIP ? ".tar.gz" : ".tar.zst";
}

static const char *layer_name(const struct docker_export *d, const struct docker_layer *l,
			      char buf[static MEMBER_MAX])
{
	return member_name(l->diff_id, layer_suffix(d), buf);
}

/* docker has names in full with a tag, and none with a digest. */
static int find_name(struct docker_export *d, struct err *e)
{
	SCOPE(reference) struct reference r = REFERENCE_INIT;
	const char *asked = d->x->dest->name;
	struct err why = ERR_INIT;
	struct digest digest;

	const bool is_digest = digest_parse(&digest, d->x->image, strlen(d->x->image), &why) == 0;
	err_clear(&why);
	if (!asked && is_digest)
		return 0;
	if (export_parse_name(&r, asked ? asked : d->x->image, "a docker archive", e) < 0)
		return -1;
	d->name = reference_key(&r, e);
	return d->name ? 0 : -1;
}

static bool is_repeated(const struct docker_export *d, size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (digest_equal(d->layers[i].diff_id, d->layers[at].diff_id))
			return true;
	}
	return false;
}

/* The header of a tar member says its size, and no blob says that of its tar: the index does. */
static int find_size(const struct docker_export *d, struct docker_layer *l, struct err *e)
{
	const struct export_options *opt = d->x->opt;
	const struct layers_options layers = {.workers = opt->workers, .progress = opt->progress};
	SCOPE(layer_index) struct layer_index *ix = NULL;
	struct catalog_layer info;

	if (layers_index(d->x->store, l->blob, l->diff_id, &layers, &ix, &info, e) < 0)
		return -1;
	l->tar_size = layer_index_tar_size(ix);
	return 0;
}

static int find_layers(struct docker_export *d, struct err *e)
{
	const struct manifest *m = &d->image.manifest;

	d->layers = array_new(m->layer_count, sizeof(*d->layers), e);
	if (!d->layers)
		return -1;
	for (size_t i = 0; i < m->layer_count; i++) {
		struct docker_layer *l = &d->layers[i];
		*l = (struct docker_layer){
			.blob = &m->layers[i],
			.diff_id = &d->image.config.diff_ids[i],
		};
		l->is_repeated = is_repeated(d, i);
	}
	return 0;
}

static int find_sizes(struct docker_export *d, struct err *e)
{
	const size_t count = d->image.manifest.layer_count;

	for (size_t i = 0; i < count; i++) {
		struct docker_layer *l = &d->layers[i];
		progress_part(d->x->opt->progress, i + 1, count);
		if (l->is_repeated)
			continue;
		if (find_size(d, l, e) < 0)
			return -1;
		d->bytes += l->tar_size;
	}
	progress_part(d->x->opt->progress, 0, 0);
	return 0;
}

static int recode_layers(struct docker_export *d, struct err *e)
{
	struct layer_result result;
	size_t count = 0;

	for (size_t i = 0; i < d->image.manifest.layer_count; i++)
		count += d->layers[i].is_repeated ? 0 : 1;
	SCOPE(export_recoder) struct export_recoder *recoder = export_recoder_new(d->x, count, e);
	if (!recoder)
		return -1;
	for (size_t i = 0; i < d->image.manifest.layer_count; i++) {
		struct docker_layer *l = &d->layers[i];
		if (l->is_repeated)
			continue;
		if (export_recoder_layer(recoder, l->blob, l->diff_id, &result, &l->made, e) < 0)
			return -1;
		d->bytes += l->made.size;
	}
	return 0;
}

static json_t *list_layers(const struct docker_export *d, struct err *e)
{
	SCOPE_JSON json_t *list = json_array();
	char name[MEMBER_MAX];

	if (!list) {
		err_nomem(e);
		return NULL;
	}
	for (size_t i = 0; i < d->image.manifest.layer_count; i++) {
		layer_name(d, &d->layers[i], name);
		if (json_push(list, json_string(name), e) < 0)
			return NULL;
	}
	return steal_ptr(&list);
}

static int make_manifest(struct docker_export *d, struct err *e)
{
	SCOPE_JSON json_t *doc = json_array();
	SCOPE_JSON json_t *image = json_object();
	SCOPE_JSON json_t *tags = json_array();
	char name[MEMBER_MAX];

	if (!doc || !image || !tags)
		return err_nomem(e);
	member_name(&d->image.manifest.config.digest, ".json", name);
	json_t *layers = list_layers(d, e);
	if (!layers || json_put(image, "Layers", layers, e) < 0 ||
	    json_put(image, "Config", json_string(name), e) < 0 ||
	    (d->name && json_push(tags, json_string(d->name), e) < 0) ||
	    json_put(image, "RepoTags", json_incref(tags), e) < 0 ||
	    json_push(doc, json_incref(image), e) < 0)
		return -1;
	return json_format(doc, &d->manifest, e);
}

static int put_document(struct tar_archive *to, const char *path, const struct str *text,
			struct err *e)
{
	return tar_archive_plain(to, path, text->len, e) < 0
		       ? -1
		       : tar_archive_put(to, text->data, text->len, e);
}

static int put_payload(void *to, const void *bytes, size_t len, struct err *e)
{
	return tar_archive_put(to, bytes, len, e);
}

static int put_tar(const struct docker_export *d, const struct docker_layer *l,
		   struct tar_archive *to, struct err *e)
{
	char name[MEMBER_MAX];
	SCOPE_FD int fd = blobs_open(d->x->store, &l->blob->digest, l->blob->size, e);

	if (fd < 0)
		return -1;
	/* manifest_check_image has seen that it is one of the layers' types. */
	const enum layer_encoding encoding =
		(enum layer_encoding)mediatype_encoding(l->blob->media_type);
	SCOPE(inflate)
	struct inflate *in = inflate_new(fd, l->blob->size, encoding, NULL, e);
	if (!in)
		return -1;
	const struct hash_copy how = {inflate_read, in, put_payload, to, d->x->opt->progress};
	if (tar_archive_plain(to, layer_name(d, l, name), l->tar_size, e) < 0)
		return -1;
	return hash_copy(&how, l->tar_size, l->diff_id, e);
}

/* It could be decompressed when it was imported: what cannot be now is not what its digest says. */
static int wrap_layer(const struct docker_layer *l, size_t at, struct err *e)
{
	char digest[DIGEST_STR_MAX];

	if (e->code != ERR_DIGEST && e->code != ERR_FORMAT)
		return -1;
	e->code = ERR_DIGEST;
	return err_wrap(e, "layer %zu, blob '%s'", at + 1, digest_format(&l->blob->digest, digest));
}

static int put_recoded(const struct docker_export *d, const struct docker_layer *l,
		       struct tar_archive *to, struct err *e)
{
	char name[MEMBER_MAX];

	if (tar_archive_plain(to, layer_name(d, l, name), l->made.size, e) < 0)
		return -1;
	return export_copy_blob(d->x, &l->made, put_payload, to, e);
}

static int put_layers(const struct docker_export *d, struct tar_archive *to, struct err *e)
{
	for (size_t i = 0; i < d->image.manifest.layer_count; i++) {
		const struct docker_layer *l = &d->layers[i];
		if (l->is_repeated)
			continue;
		if (d->x->opt->compression) {
			if (put_recoded(d, l, to, e) < 0)
				return -1;
		} else if (put_tar(d, l, to, e) < 0) {
			return wrap_layer(l, i, e);
		}
	}
	return 0;
}

/* export_archive.fill */
static int fill(void *ctx, struct tar_archive *to, struct err *e)
{
	struct docker_export *d = ctx;
	char name[MEMBER_MAX];

	if (d->x->opt->compression && recode_layers(d, e) < 0)
		return -1;
	progress_begin(d->x->opt->progress, "exporting", d->bytes);
	member_name(&d->image.manifest.config.digest, ".json", name);
	if (put_document(to, MANIFEST_FILE, &d->manifest, e) < 0 ||
	    put_document(to, name, &d->config, e) < 0)
		return -1;
	return put_layers(d, to, e);
}

static int export_image(struct docker_export *d, struct export_result *out, struct err *e)
{
	const struct exporter *x = d->x;
	const struct manifest *m = &d->image.manifest;

	if (find_name(d, e) < 0 ||
	    image_load_found(x->store, x->image, &x->top, x->opt->platform, &d->image, e) < 0)
		return -1;
	if (blobs_read(x->store, &m->config.digest, m->config.size, LIMIT_DOCUMENT, &d->config, e) <
		    0 ||
	    find_layers(d, e) < 0 || make_manifest(d, e) < 0)
		return -1;
	if (!x->opt->compression && find_sizes(d, e) < 0)
		return -1;
	if (export_archive(x->dest, fill, d, x->opt->progress, &out->bytes, e) < 0)
		return -1;
	out->layers = m->layer_count;
	out->changes.recoded = x->opt->compression ? m->layer_count : 0;
	const struct descriptor *top = &d->image.chosen;
	if (descriptor_set(&out->top, top->media_type, &top->digest, top->size, e) < 0)
		return -1;
	out->name = steal_ptr(&d->name);
	return 0;
}

int export_to_docker_archive(const struct exporter *x, struct export_result *out, struct err *e)
{
	struct docker_export d = {.x = x, .image = IMAGE_INIT};

	const int r = export_image(&d, out, e);
	fini(&d);
	return r;
}
