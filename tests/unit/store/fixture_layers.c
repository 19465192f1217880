/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <zlib.h>
#include <zstd.h>

#include "base/hasher.h"
#include "image/layer_write.h"
#include "image/mediatype.h"
#include "image/tar_write.h"
#include "store/blobs.h"
#include "store/fsck.h"
#include "store/layers.h"
#include "store/lease.h"
#include "tests/unit/store/fixture.h"

enum { GZIP_WINDOW_BITS = 15 + 16 /* zlib.h: 16 asks for gzip's header */, EPOCH = 315532800 };

struct text_source {
	const char *text;
};

static int read_text(void *ctx, void *buf, size_t len, struct err *e)
{
	struct text_source *src = ctx;

	(void)e;
	memcpy(buf, src->text, len);
	src->text += len;
	return 0;
}

static struct entry file_entry(const char *path, const char *content)
{
	return (struct entry){.path = path,
			      .path_len = strlen(path),
			      .kind = ENTRY_REG,
			      .mode = 0644,
			      .mtime = EPOCH,
			      .size = strlen(content)};
}

static void add_file(struct layer_writer *w, const char *path, const char *content)
{
	const struct entry en = file_entry(path, content);
	struct text_source text = {content};
	const struct layer_source src = {read_text, &text};
	struct err e = ERR_INIT;

	ck_assert_int_eq(layer_writer_add(w, &en, &src, &e), 0);
}

static void make_layer(void (*add)(struct layer_writer *w, const void *what), const void *what,
		       struct compression compression, struct fixture_layer *out)
{
	const struct layer_options opt = {compression, 0};
	struct err e = ERR_INIT;
	struct layer_result r;
	SCOPE(lease) struct lease *l = NULL;

	ck_assert_int_eq(lease_open(fixture_store(), "test", &l, &e), 0);
	SCOPE_FD int fd = blobs_tmpfile(fixture_store(), &e);
	ck_assert_int_ge(fd, 0);
	SCOPE(layer_writer) struct layer_writer *w = layer_writer_new(fd, &opt, &e);
	ck_assert_ptr_nonnull(w);
	add(w, what);
	ck_assert_int_eq(layer_writer_finish(w, &r, &e), 0);
	ck_assert_int_eq(layers_publish(fixture_store(), l, fd, w, &r, &e), 0);
	*out = (struct fixture_layer){DESCRIPTOR_INIT, r.diff_id};
	ck_assert_int_eq(layer_result_descriptor(&r, &out->descriptor, &e), 0);
}

static void add_one(struct layer_writer *w, const void *what)
{
	const char *const *file = what;

	add_file(w, file[0], file[1]);
}

void fixture_layer(const char *path, const char *content, struct fixture_layer *out)
{
	const char *const file[] = {path, content};

	make_layer(add_one, file, (struct compression)COMPRESSION_DEFAULT, out);
}

void fixture_gzip_layer(const char *path, const char *content, struct fixture_layer *out)
{
	const char *const file[] = {path, content};

	make_layer(add_one, file, (struct compression){FRAME_GZIP, 6}, out);
}

static void add_many(struct layer_writer *w, const void *what)
{
	const unsigned *count = what;

	for (unsigned i = 0; i < *count; i++) {
		char path[32];
		snprintf(path, sizeof(path), "file-%04u", i);
		add_file(w, path, path);
	}
}

void fixture_wide_layer(unsigned count, struct fixture_layer *out)
{
	make_layer(add_many, &count, (struct compression)COMPRESSION_DEFAULT, out);
}

static void gzip(const struct str *in, struct str *out)
{
	struct err e = ERR_INIT;
	z_stream z = {0};
	Bytef *bytes = (Bytef *)in->data;

	ck_assert_int_eq(deflateInit2(&z, 6, Z_DEFLATED, GZIP_WINDOW_BITS, 8, Z_DEFAULT_STRATEGY),
			 Z_OK);
	ck_assert_int_eq(str_reserve(out, deflateBound(&z, in->len), &e), 0);
	z.next_in = bytes;
	z.avail_in = (uInt)in->len;
	z.next_out = (Bytef *)out->data;
	z.avail_out = (uInt)out->cap;
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	out->len = z.total_out;
	deflateEnd(&z);
}

static void zstd(const struct str *in, struct str *out)
{
	const size_t bound = ZSTD_compressBound(in->len);
	struct err e = ERR_INIT;

	ck_assert_int_eq(str_reserve(out, bound, &e), 0);
	out->len = ZSTD_compress(out->data, bound, in->data, in->len, 3);
	ck_assert(!ZSTD_isError(out->len));
}

void fixture_foreign_layer(const char *path, const char *content, enum layer_encoding encoding,
			   struct fixture_layer *out)
{
	static const char *const types[] = {
		[LAYER_TAR] = MEDIATYPE_LAYER,
		[LAYER_GZIP] = MEDIATYPE_LAYER_GZIP,
		[LAYER_ZSTD] = MEDIATYPE_LAYER_ZSTD,
	};
	const struct entry en = file_entry(path, content);
	struct err e = ERR_INIT;
	SCOPE(str) struct str tar = STR_INIT;
	SCOPE(str) struct str packed = STR_INIT;

	ck_assert_int_eq(tar_header_append(&tar, &en, &e), 0);
	ck_assert_int_eq(str_append_z(&tar, content, &e), 0);
	ck_assert_int_eq(str_append_zeros(&tar, tar_padding(en.size) + TAR_END_SIZE, &e), 0);
	out->diff_id = hasher_sha256(tar.data, tar.len);
	if (encoding == LAYER_GZIP)
		gzip(&tar, &packed);
	if (encoding == LAYER_ZSTD)
		zstd(&tar, &packed);
	fixture_put_document(types[encoding], encoding == LAYER_TAR ? &tar : &packed,
			     &out->descriptor);
}

static void fail_on_finding(void *ctx, const struct fsck_finding *f)
{
	(void)ctx;
	ck_assert_msg(f->severity == FSCK_NOTE, "%s: %s", f->subject, f->text);
}

void fixture_check_whole(void)
{
	const struct fsck_options opt = {.read_data = true, .found = fail_on_finding};
	struct fsck_report r;
	struct err e = ERR_INIT;

	ck_assert_int_eq(fsck_run(fixture_store(), &opt, &r, &e), 0);
	ck_assert_no_err(&e);
}
