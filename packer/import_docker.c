/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `docker save`, `podman save` and skopeo write: a tar with manifest.json, which names the
 * files that are configs and layers; some of them are links to others, and the order is anybody's.
 *
 * So the tar is read once, each file becomes a blob under the digest that it turns out to have, and
 * names are looked up afterwards.  gc removes what no image names.  The manifest is ours: the
 * archive has none.
 *
 * Source: moby, image/spec/spec.md, "Combined Image JSON + Filesystem Changeset Format".
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "base/hasher.h"
#include "base/io.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/quote.h"
#include "base/strlist.h"
#include "image/entry.h"
#include "image/manifest.h"
#include "image/mediatype.h"
#include "image/reference.h"
#include "packer/archive_input.h"
#include "packer/importer.h"
#include "store/blobs.h"
#include "store/documents.h"

#define MANIFEST_FILE     "manifest.json"
#define REPOSITORIES_FILE "repositories"

enum {
	COPY_STEP = 64 * 1024,
	LINKS_MAX = 8, /* from name to name, until a file */
	MAGIC_SIZE = 4,
	LISTED_MAX = 10, /* names in a message */
};

/* A member that a manifest may name. */
struct member {
	char *path;
	char *link; /* another path; NULL: a file */
	struct digest digest;
	uint64_t size;
	uint8_t magic[MAGIC_SIZE]; /* its first bytes, zeros behind its end */
};

struct docker_archive {
	struct importer *im;
	struct archive_input *in;
	struct member *members; /* sorted by path once all are read */
	size_t count;
	size_t cap;
	struct str manifest;
	bool has_manifest;
	bool has_repositories;
};

static void fini(struct docker_archive *a)
{
	for (size_t i = 0; i < a->count; i++) {
		free(a->members[i].path);
		free(a->members[i].link);
	}
	free(a->members);
	str_fini(&a->manifest);
}

static int compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* The content of the current member, as a blob. */
static int take_file(struct docker_archive *a, struct member *out, struct err *e)
{
	struct importer *im = a->im;
	uint8_t buf[COPY_STEP];
	struct hasher h;
	SCOPE_FD int fd = blobs_tmpfile(im->store, e);
	ssize_t n;

	if (fd < 0)
		return -1;
	hasher_init(&h, DIGEST_SHA256);
	while ((n = archive_input_read(a->in, buf, sizeof(buf), e)) > 0) {
		for (ssize_t i = 0; i < n && out->size + (uint64_t)i < MAGIC_SIZE; i++)
			out->magic[out->size + (uint64_t)i] = buf[i];
		hasher_update(&h, buf, (size_t)n);
		if (io_write_all(fd, buf, (size_t)n) < 0)
			return err_sys(e, errno, "cannot write a blob");
		out->size += (uint64_t)n;
	}
	if (n < 0)
		return -1;
	out->digest = hasher_final(&h);
	return blobs_publish(im->store, im->lease, fd, &out->digest, e);
}

static int read_manifest(struct docker_archive *a, struct err *e)
{
	char buf[COPY_STEP];
	ssize_t n;

	if (a->has_manifest)
		return err_set(e, ERR_FORMAT, "'" MANIFEST_FILE "' is there twice");
	a->has_manifest = true;
	while ((n = archive_input_read(a->in, buf, sizeof(buf), e)) > 0) {
		if ((uint64_t)n > LIMIT_DOCUMENT - a->manifest.len)
			return err_set(e, ERR_LIMIT,
				       "'" MANIFEST_FILE "' has more than %" PRIu64 " bytes",
				       LIMIT_DOCUMENT);
		if (str_append(&a->manifest, buf, (size_t)n, e) < 0)
			return -1;
	}
	return (int)n;
}

static int take_member(struct docker_archive *a, const struct archive_member *m, struct err *e)
{
	if (m->kind == ARCHIVE_OTHER)
		return 0;
	if (m->kind == ARCHIVE_FILE && strcmp(m->path, MANIFEST_FILE) == 0)
		return read_manifest(a, e);
	if (strcmp(m->path, REPOSITORIES_FILE) == 0) {
		a->has_repositories = true;
		return 0;
	}
	if (a->count >= LIMIT_ARCHIVE_MEMBERS)
		return err_set(e, ERR_LIMIT, "more than %d files", LIMIT_ARCHIVE_MEMBERS);
	if (array_reserve(&a->members, &a->cap, a->count + 1, sizeof(*a->members), e) < 0)
		return -1;
	struct member *new = &a->members[a->count++];
	*new = (struct member){.path = str_dup(m->path, e)};
	if (!new->path)
		return -1;
	if (m->kind == ARCHIVE_FILE)
		return take_file(a, new, e);
	new->link = str_dup(m->link, e);
	return new->link ? 0 : -1;
}

static int read_all(struct docker_archive *a, struct err *e)
{
	struct archive_member m;
	char quoted[QUOTE_MAX];
	int r;

	while ((r = archive_input_next(a->in, &m, e)) > 0) {
		if (take_member(a, &m, e) < 0)
			return -1;
	}
	if (r < 0)
		return -1;
	if (a->count)
		qsort(a->members, a->count, sizeof(*a->members), compare_members);
	for (size_t i = 1; i < a->count; i++) {
		if (strcmp(a->members[i - 1].path, a->members[i].path) == 0)
			return err_set(e, ERR_FORMAT, "'%s' is there twice",
				       quote_str(quoted, a->members[i].path));
	}
	return 0;
}

/* The file that manifest.json calls `name`, through links. */
static const struct member *find_file(const struct docker_archive *a, const char *name,
				      struct err *e)
{
	char path[LIMIT_PATH + 1], quoted[QUOTE_MAX];
	struct member key = {.path = path};
	size_t len;

	if (entry_canonical_path(name, strlen(name), path, &len, e) < 0) {
		err_wrap(e, MANIFEST_FILE);
		return NULL;
	}
	for (int links = 0; links <= LINKS_MAX; links++) {
		const struct member *m = a->count == 0
						 ? NULL
						 : bsearch(&key, a->members, a->count,
							   sizeof(*a->members), compare_members);
		if (m && !m->link)
			return m;
		if (!m) {
			err_set(e, ERR_FORMAT, MANIFEST_FILE ": '%s' is no file of the archive",
				quote_str(quoted, name));
			return NULL;
		}
		key.path = m->link;
	}
	err_set(e, ERR_FORMAT, MANIFEST_FILE ": '%s' leads through too many links",
		quote_str(quoted, name));
	return NULL;
}

/* One image of manifest.json. */
struct saved_image {
	const char *config;
	struct strlist tags;
	struct strlist layers;
};

static void saved_image_fini(struct saved_image *s)
{
	strlist_fini(&s->tags);
	strlist_fini(&s->layers);
}

SCOPE_DEFINE_VALUE(saved_image, struct saved_image, saved_image_fini)

static int get_texts(const json_t *obj, const char *key, size_t max, struct strlist *out,
		     struct err *e)
{
	json_t *array = NULL, *item;
	size_t i;

	if (json_get_array(obj, key, MANIFEST_FILE, &array, e) < 0)
		return -1;
	if (json_array_size(array) > max)
		return err_set(e, ERR_LIMIT, MANIFEST_FILE ": more than %zu in '%s'", max, key);
	json_array_foreach(array, i, item)
	{
		if (!json_is_string(item))
			return err_set(e, ERR_FORMAT, MANIFEST_FILE ": '%s' holds more than text",
				       key);
		if (strlist_add(out, json_string_value(item), e) < 0)
			return -1;
	}
	return 0;
}

/* `out` is empty on entry. */
static int parse_image(const json_t *obj, struct saved_image *out, struct err *e)
{
	if (!json_is_object(obj))
		return err_set(e, ERR_FORMAT, MANIFEST_FILE ": an image must be an object");
	if (json_need_str(obj, "Config", MANIFEST_FILE, &out->config, e) < 0 ||
	    get_texts(obj, "RepoTags", LIMIT_ARCHIVE_MEMBERS, &out->tags, e) < 0)
		return -1;
	return get_texts(obj, "Layers", LIMIT_LAYERS, &out->layers, e);
}

/* Whether `text` is `full` when `prefix` is put in front of it: 1, 0, or -1 for own lacks. */
static int is_with_prefix(const char *prefix, const char *text, const struct reference *full,
			  struct err *e)
{
	SCOPE(reference) struct reference r = REFERENCE_INIT;
	struct err why = ERR_INIT;
	SCOPE_FREE char *whole = str_dupf(&why, "%s%s", prefix, text);

	const bool is_same = whole && reference_parse(&r, whole, &why) == 0 &&
			     str_equal(r.name, full->name) && str_equal(r.tag, full->tag);
	if (err_is_own_lack(&why))
		return err_move(e, &why);
	err_clear(&why);
	return is_same;
}

/* Whether `text` means the image that `tag` names in full; a name without a host is ours, or
 * docker's.  1, 0, -1. */
static int is_short_for(const char *text, const char *tag, struct err *e)
{
	static const char *const prefixes[] = {"", "docker.io/", "docker.io/library/"};
	SCOPE(reference) struct reference full = REFERENCE_INIT;
	struct err why = ERR_INIT;
	int is_same = 0;

	if (reference_parse(&full, tag, &why) < 0) {
		if (err_is_own_lack(&why))
			return err_move(e, &why);
		err_clear(&why);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(prefixes) && is_same == 0; i++)
		is_same = is_with_prefix(prefixes[i], text, &full, e);
	return is_same;
}

/* 1, 0, -1 */
static int is_same_name(const char *a, const char *b, struct err *e)
{
	if (strcmp(a, b) == 0)
		return 1;
	const int is_short = is_short_for(a, b, e);
	return is_short != 0 ? is_short : is_short_for(b, a, e);
}

/* The tag that `name` means, into `*out`, or NULL: 0 or -1. */
static int find_tag(const struct saved_image *s, const char *name, const char **out, struct err *e)
{
	*out = NULL;
	for (size_t i = 0; i < s->tags.count; i++) {
		const int is_same = is_same_name(s->tags.items[i], name, e);
		if (is_same < 0)
			return -1;
		if (is_same) {
			*out = s->tags.items[i];
			return 0;
		}
	}
	return 0;
}

static int refuse_choice(const json_t *images, const struct import_source *src, struct err *e)
{
	SCOPE(str) struct str names = STR_INIT;
	char quoted[QUOTE_MAX];
	size_t listed = 0;

	for (size_t i = 0; i < json_array_size(images); i++) {
		SCOPE(saved_image) struct saved_image s = {.config = ""};
		if (parse_image(json_array_get(images, i), &s, e) < 0)
			return -1;
		for (size_t t = 0; t < s.tags.count && listed < LISTED_MAX; t++) {
			if (str_appendf(&names, e, "%s'%s'", listed++ ? ", " : "",
					quote_str(quoted, s.tags.items[t])) < 0)
				return -1;
		}
	}
	if (src->has_at)
		return err_set(e, ERR_NOT_FOUND,
			       "the archive has no image @%zu; it has %zu, from @0 on", src->at,
			       json_array_size(images));
	if (src->name)
		return err_set(e, ERR_NOT_FOUND, "the archive has no image '%s'; it has %s",
			       quote_str(quoted, src->name), names.len ? names.data : "no names");
	return err_set(e, ERR_USAGE,
		       "the archive has %zu images, say which one (:NAME or :@NUMBER): %s",
		       json_array_size(images), names.len ? names.data : "they have no names");
}

/* Whether it is the image at `at` of `count` that the source asks for: by its tag, which goes to
 * `tag`, by its place, or as the only one.  1, 0, -1. */
static int is_wanted(const struct saved_image *s, size_t at, size_t count,
		     const struct import_source *src, const char **tag, struct err *e)
{
	*tag = NULL;
	if (src->name)
		return find_tag(s, src->name, tag, e) < 0 ? -1 : *tag != NULL;
	return src->has_at ? at == src->at : count == 1;
}

/* The image that is asked for, and the names that it then has: as docker load, all. */
static int choose(const json_t *images, const struct import_source *src, struct saved_image *out,
		  struct strlist *names, struct err *e)
{
	const size_t count = json_array_size(images);

	for (size_t i = 0; i < count; i++) {
		SCOPE(saved_image) struct saved_image s = {.config = ""};
		const char *tag;
		if (parse_image(json_array_get(images, i), &s, e) < 0)
			return -1;
		const int is_it = is_wanted(&s, i, count, src, &tag, e);
		if (is_it < 0)
			return -1;
		if (!is_it)
			continue;
		if ((tag ? strlist_add(names, tag, e) : strlist_copy(names, &s.tags, e)) < 0)
			return -1;
		*out = s;
		s = (struct saved_image){.config = ""};
		return 0;
	}
	if (count == 0)
		return err_set(e, ERR_NOT_FOUND, "the archive holds no image");
	return refuse_choice(images, src, e);
}

/* docker writes plain tar, others what the registry had; the name does not tell. */
static const char *layer_type(const struct member *m)
{
	static const uint8_t gzip[] = {0x1f, 0x8b}, zstd[] = {0x28, 0xb5, 0x2f, 0xfd};

	if (memcmp(m->magic, gzip, sizeof(gzip)) == 0)
		return MEDIATYPE_LAYER_GZIP;
	if (memcmp(m->magic, zstd, sizeof(zstd)) == 0)
		return MEDIATYPE_LAYER_ZSTD;
	return MEDIATYPE_LAYER;
}

static int make_manifest(const struct docker_archive *a, const struct saved_image *s,
			 struct manifest *out, struct err *e)
{
	out->media_type = str_dup(MEDIATYPE_MANIFEST, e);
	if (!out->media_type)
		return -1;
	const struct member *m = find_file(a, s->config, e);
	if (!m || descriptor_set(&out->config, MEDIATYPE_CONFIG, &m->digest, m->size, e) < 0)
		return -1;
	for (size_t i = 0; i < s->layers.count; i++) {
		SCOPE(descriptor) struct descriptor layer = DESCRIPTOR_INIT;
		m = find_file(a, s->layers.items[i], e);
		if (!m || descriptor_set(&layer, layer_type(m), &m->digest, m->size, e) < 0 ||
		    manifest_add_layer(out, &layer, e) < 0)
			return -1;
	}
	return 0;
}

static int take_image(const struct docker_archive *a, const struct saved_image *s,
		      struct import_image *out, struct err *e)
{
	const struct importer *im = a->im;
	SCOPE(manifest) struct manifest m = MANIFEST_INIT;
	SCOPE(image_config) struct image_config config;
	SCOPE(str) struct str bytes = STR_INIT;

	image_config_init(&config);
	if (make_manifest(a, s, &m, e) < 0 ||
	    blobs_read(im->store, &m.config.digest, m.config.size, LIMIT_DOCUMENT, &bytes, e) < 0)
		return -1;
	if (image_config_parse(&config, str_text(&bytes), bytes.len, e) < 0)
		return -1;
	if (import_prove_layers(a->im, &m, &config, e) < 0)
		return -1;
	str_truncate(&bytes, 0);
	if (manifest_format(&m, &bytes, e) < 0 ||
	    documents_put(im->store, im->lease, MEDIATYPE_MANIFEST, &bytes, &out->top, e) < 0)
		return -1;
	return import_prove_tree(a->im, &out->top, &m, &config, e);
}

/* json_parse_object wants an object, and manifest.json is an array. */
static json_t *parse_images(const struct docker_archive *a, struct err *e)
{
	SCOPE(str) struct str wrapped = STR_INIT;

	if (str_append_z(&wrapped, "{\"images\":", e) < 0 ||
	    str_append(&wrapped, str_text(&a->manifest), a->manifest.len, e) < 0 ||
	    str_append_c(&wrapped, '}', e) < 0)
		return NULL;
	SCOPE_JSON json_t *doc =
		json_parse_object(wrapped.data, wrapped.len, wrapped.len, MANIFEST_FILE, e);
	if (doc && json_object_size(doc) != 1) {
		err_set(e, ERR_FORMAT, MANIFEST_FILE ": more than one value");
		return NULL;
	}
	return steal_ptr(&doc);
}

static int import_saved(struct docker_archive *a, const struct import_source *src,
			struct import_image *out, struct err *e)
{
	SCOPE(saved_image) struct saved_image chosen = {.config = ""};
	json_t *images = NULL;

	if (read_all(a, e) < 0)
		return -1;
	if (!a->has_manifest && a->has_repositories)
		return err_set(e, ERR_UNSUPPORTED,
			       "an archive of docker before 1.10, without '" MANIFEST_FILE "'");
	if (!a->has_manifest)
		return err_set(e, ERR_FORMAT, "no file '" MANIFEST_FILE "' in the archive");
	SCOPE_JSON json_t *doc = parse_images(a, e);
	if (!doc)
		return -1;
	const int found = json_get_array(doc, "images", MANIFEST_FILE, &images, e);
	if (found < 1)
		return found < 0 ? -1 : err_set(e, ERR_NOT_FOUND, "the archive holds no image");
	if (choose(images, src, &chosen, &out->names, e) < 0)
		return -1;
	return take_image(a, &chosen, out, e);
}

int import_from_docker_archive(struct importer *im, const struct import_source *src,
			       struct import_image *out, struct err *e)
{
	struct docker_archive a = {.im = im};
	int r = -1;
	SCOPE_FD int fd = import_open_file(im, src, NULL, e);

	if (fd < 0)
		return -1;
	a.in = archive_input_open(fd, src->path, im->opt->progress, e);
	if (a.in)
		r = import_saved(&a, src, out, e);
	archive_input_free(a.in);
	fini(&a);
	return r;
}
