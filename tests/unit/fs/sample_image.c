/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/sample_image.h"

#include "image/layer_write.h"
#include "image/mediatype.h"
#include "main.h"
#include "store/blobs.h"
#include "store/refs.h"
#include "tests/support/scratch.h"

struct store *sample_store;
struct image sample_image;

static const char sample_name[] = "localhost/sample:1";

uint8_t sample_byte(const struct sample_file *f, uint64_t at)
{
	if (f->text)
		return (uint8_t)f->text[at];
	if (at >= f->zeros && at < f->zeros_end)
		return 0;
	return (uint8_t)("a layer is a tar stream"[(at + at / 1021) % 23]);
}

static uint64_t size_of(const struct sample_file *f)
{
	return f->text ? strlen(f->text) : f->size;
}

struct reading {
	const struct sample_file *file;
	uint64_t at;
};

static int read_sample(void *ctx, void *buf, size_t len, struct err *e)
{
	struct reading *r = ctx;
	uint8_t *out = buf;

	(void)e;
	for (size_t i = 0; i < len; i++)
		out[i] = sample_byte(r->file, r->at++);
	return 0;
}

static void add_file(struct layer_writer *w, const struct sample_file *f)
{
	struct reading reading = {f, 0};
	const struct layer_source src = {read_sample, &reading};
	const struct xattr x = {"user.sample", strlen("user.sample"), f->xattr,
				f->xattr ? strlen(f->xattr) : 0};
	struct err e = ERR_INIT;
	const struct entry en = {
		.path = f->path,
		.path_len = strlen(f->path),
		.link = f->link,
		.link_len = f->link ? strlen(f->link) : 0,
		.kind = f->kind,
		.mode = f->mode,
		.uid = f->uid,
		.gid = f->gid,
		.rdev_major = f->rdev_minor ? 1 : 0,
		.rdev_minor = f->rdev_minor,
		.mtime = f->mtime,
		.mtime_nsec = f->mtime_nsec,
		.size = size_of(f),
		.xattrs = &x,
		.xattr_count = f->xattr ? 1 : 0,
	};

	layer_writer_add(w, &en, en.size ? &src : NULL, &e);
	ck_assert_no_err(&e);
}

static void put_layer(struct lease *l, const struct sample_file *files, size_t count,
		      struct layer_result *out)
{
	const struct layer_options opt = {COMPRESSION_DEFAULT, 0};
	struct err e = ERR_INIT;
	SCOPE_FD int fd = blobs_tmpfile(sample_store, &e);
	SCOPE(layer_writer) struct layer_writer *w = layer_writer_new(fd, &opt, &e);

	ck_assert_no_err(&e);
	for (size_t i = 0; i < count; i++)
		add_file(w, &files[i]);
	layer_writer_finish(w, out, &e);
	ck_assert_no_err(&e);
	blobs_publish(sample_store, l, fd, &out->blob, &e);
	ck_assert_no_err(&e);
}

static void put_document(struct lease *l, const struct str *bytes, const char *type,
			 struct descriptor *out)
{
	struct err e = ERR_INIT;
	struct digest d;

	blobs_put_bytes(sample_store, l, bytes->data, bytes->len, &d, &e);
	ck_assert_no_err(&e);
	descriptor_set(out, type, &d, bytes->len, &e);
	ck_assert_no_err(&e);
}

static void put_image(struct lease *l, const char *name, const struct layer_result *layers,
		      size_t count)
{
	SCOPE(image_config) struct image_config config;
	SCOPE(manifest) struct manifest m = MANIFEST_INIT;
	SCOPE(descriptor) struct descriptor top = DESCRIPTOR_INIT;
	SCOPE(str) struct str bytes = STR_INIT;
	struct err e = ERR_INIT;

	image_config_init(&config);
	config.platform = platform_host();
	m.media_type = str_dup(MEDIATYPE_MANIFEST, &e);
	for (size_t i = 0; i < count; i++) {
		SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;
		image_config_add_diff_id(&config, &layers[i].diff_id, &e);
		layer_result_descriptor(&layers[i], &d, &e);
		manifest_add_layer(&m, &d, &e);
		ck_assert_no_err(&e);
	}
	image_config_format(&config, &bytes, &e);
	put_document(l, &bytes, MEDIATYPE_CONFIG, &m.config);
	str_truncate(&bytes, 0);
	manifest_format(&m, &bytes, &e);
	put_document(l, &bytes, MEDIATYPE_MANIFEST, &top);
	refs_set(sample_store, name, &top, &e);
	ck_assert_no_err(&e);
}

void sample_image_put(const char *name, const struct sample_layer *layers, size_t count,
		      struct image *out)
{
	SCOPE(lease) struct lease *l = NULL;
	struct layer_result results[8];
	struct err e = ERR_INIT;

	ck_assert_uint_le(count, ARRAY_LEN(results));
	lease_open(sample_store, "test", &l, &e);
	ck_assert_no_err(&e);
	for (size_t i = 0; i < count; i++)
		put_layer(l, layers[i].files, layers[i].count, &results[i]);
	put_image(l, name, results, count);
	image_load(sample_store, name, NULL, out, &e);
	ck_assert_no_err(&e);
}

void sample_image_make(const struct sample_file *files, size_t count)
{
	const struct sample_layer layer = {files, count};
	struct err e = ERR_INIT;

	scratch_make();
	store_open(scratch_file("store"), STORE_CREATE, &sample_store, &e);
	ck_assert_no_err(&e);
	sample_image_put(sample_name, &layer, 1, &sample_image);
}

void sample_image_remove(void)
{
	image_fini(&sample_image);
	store_close(sample_store);
	sample_store = NULL;
	scratch_remove();
}

struct view *sample_view(uint64_t cache_bytes)
{
	return sample_view_of(&sample_image, cache_bytes);
}

struct view *sample_view_of(const struct image *im, uint64_t cache_bytes)
{
	const struct layers_options opt = {.workers = 0};
	struct err e = ERR_INIT;
	struct view *v = view_open(sample_store, im, 0, cache_bytes, "a test", &opt, &e);

	ck_assert_no_err(&e);
	ck_assert_ptr_nonnull(v);
	return v;
}
