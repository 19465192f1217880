/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/main.h"

#include <endian.h>
#include <fcntl.h>
#include <inttypes.h>
#include <zlib.h>
#include <zstd.h>

#include "base/hasher.h"
#include "base/io.h"
#include "image/frame_cut.h"
#include "image/layer_index.h"
#include "image/mediatype.h"
#include "image/seek_table.h"
#include "tests/support/failalloc.h"
#include "tests/unit/image/sample_layer.h"

enum { SOME = 3 /* samples without the big ones */, BLOB_MAX = 32 << 20 };

static struct err e;

static void setup(void)
{
	e = (struct err)ERR_INIT;
}

static void slurp(int fd, struct str *out)
{
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	ck_assert_int_eq(io_slurp(fd, BLOB_MAX, "blob", out, &e), 0);
}

/* As any decoder of zstd does it: frame after frame, skippable ones skipped. */
static void unpack(const struct str *blob, struct str *out)
{
	ZSTD_DCtx *dctx = ZSTD_createDCtx();
	ZSTD_inBuffer from = {blob->data, blob->len, 0};
	size_t rc = 0;

	while (from.pos < from.size) {
		ck_assert_int_eq(str_reserve(out, 1 << 20, &e), 0);
		ZSTD_outBuffer to = {out->data + out->len, 1 << 20, 0};
		rc = ZSTD_decompressStream(dctx, &to, &from);
		ck_assert_msg(!ZSTD_isError(rc), "%s", ZSTD_getErrorName(rc));
		out->len += to.pos;
	}
	ck_assert_uint_eq(rc, 0);
	ZSTD_freeDCtx(dctx);
}

START_TEST(blob_decompresses_to_the_tar)
{
	struct layer_result r;
	SCOPE(str) struct str blob = STR_INIT;
	SCOPE(str) struct str tar = STR_INIT;
	SCOPE(str) struct str want = STR_INIT;
	SCOPE_FD int fd = sample_file();

	ck_assert_msg(sample_layer(fd, ARRAY_LEN(samples), 2, &r, &e) == 0, "%s", e.msg);
	slurp(fd, &blob);
	unpack(&blob, &tar);
	sample_tar(&want, ARRAY_LEN(samples));
	ck_assert_uint_eq(tar.len, want.len);
	ck_assert_mem_eq(tar.data, want.data, want.len);

	const struct digest diff_id = hasher_sha256(want.data, want.len);
	const struct digest digest = hasher_sha256(blob.data, blob.len);
	ck_assert(digest_equal(&r.diff_id, &diff_id));
	ck_assert(digest_equal(&r.blob, &digest));
	ck_assert_uint_eq(r.tar_size, want.len);
	ck_assert_uint_eq(r.blob_size, blob.len);
	ck_assert_uint_eq(r.entry_count, ARRAY_LEN(samples));
}
END_TEST

START_TEST(bytes_do_not_depend_on_the_number_of_workers)
{
	static const unsigned workers[] = {0, 1, 2, 5, 1000};
	struct layer_result first, r;

	for (size_t i = 0; i < ARRAY_LEN(workers); i++) {
		SCOPE_FD int fd = sample_file();
		ck_assert_int_eq(sample_layer(fd, ARRAY_LEN(samples), workers[i], &r, &e), 0);
		if (i == 0)
			first = r;
		ck_assert(digest_equal(&r.blob, &first.blob));
		ck_assert(digest_equal(&r.diff_id, &first.diff_id));
		ck_assert(digest_equal(&r.index, &first.index));
		ck_assert_uint_eq(r.blob_size, first.blob_size);
		ck_assert_uint_eq(r.index_offset, first.index_offset);
		ck_assert_uint_eq(r.index_size, first.index_size);
	}
}
END_TEST

static uint32_t load_le32(const char *bytes)
{
	uint32_t le;

	memcpy(&le, bytes, sizeof(le));
	return le32toh(le);
}

/* Finds the seek table from the end, as the format wants it found, and walks the frames. */
START_TEST(seek_table_lists_every_frame)
{
	enum { FOOTER = 9, ENTRY = 8 };
	struct layer_result r;
	SCOPE(str) struct str blob = STR_INIT;
	SCOPE_FD int fd = sample_file();
	uint64_t offset = 0, content = 0;

	ck_assert_int_eq(sample_layer(fd, ARRAY_LEN(samples), 0, &r, &e), 0);
	slurp(fd, &blob);
	const char *footer = blob.data + blob.len - FOOTER;
	ck_assert_uint_eq(load_le32(footer + 5), 0x8F92EAB1);
	ck_assert_int_eq(footer[4], 0);
	const uint32_t count = load_le32(footer);
	const char *entries = footer - (size_t)count * ENTRY;
	ck_assert_uint_eq(load_le32(entries - 8), 0x184D2A5E);
	ck_assert_uint_eq(load_le32(entries - 4), count * ENTRY + FOOTER);
	for (uint32_t i = 0; i < count; i++, entries += ENTRY) {
		const uint32_t packed = load_le32(entries), length = load_le32(entries + 4);
		const char *frame = blob.data + offset;
		ck_assert_uint_eq(ZSTD_findFrameCompressedSize(frame, packed), packed);
		if (i + 1 < count) {
			ck_assert_uint_eq(ZSTD_getFrameContentSize(frame, packed), length);
		} else {
			ck_assert_uint_eq(length, 0);
			ck_assert_uint_eq(load_le32(frame), SKIPPABLE_MAGIC_LAYER_INDEX);
			ck_assert_uint_eq(offset + SKIPPABLE_HEADER_SIZE, r.index_offset);
			ck_assert_uint_eq(packed, SKIPPABLE_HEADER_SIZE + r.index_size);
		}
		offset += packed;
		content += length;
	}
	ck_assert_ptr_eq(blob.data + offset, footer - (size_t)count * ENTRY - 8);
	ck_assert_uint_eq(content, r.tar_size);
}
END_TEST

/* The embedded index, checked against the descriptor's digest. */
static struct layer_index *embedded_index(int fd, const struct layer_result *r)
{
	struct layer_index *ix = NULL;
	SCOPE_FREE uint8_t *bytes = malloc(r->index_size);

	ck_assert_ptr_nonnull(bytes);
	ck_assert_int_eq(io_pread_full(fd, bytes, r->index_size, r->index_offset),
			 (ssize_t)r->index_size);
	const struct digest d = hasher_sha256(bytes, r->index_size);
	ck_assert(digest_equal(&d, &r->index));
	ck_assert_msg(layer_index_decode(bytes, r->index_size, &ix, &e) == 0, "%s", e.msg);
	return ix;
}

START_TEST(index_has_the_entries_and_their_places)
{
	struct layer_result r;
	SCOPE(str) struct str tar = STR_INIT;
	SCOPE(entry_scratch) struct entry_scratch scratch = ENTRY_SCRATCH_INIT;
	SCOPE_FD int fd = sample_file();

	ck_assert_int_eq(sample_layer(fd, ARRAY_LEN(samples), 0, &r, &e), 0);
	sample_tar(&tar, ARRAY_LEN(samples));
	SCOPE(layer_index) struct layer_index *ix = embedded_index(fd, &r);
	const struct digest diff_id = layer_index_diff_id(ix);
	ck_assert(digest_equal(&diff_id, &r.diff_id));
	ck_assert_uint_eq(layer_index_entry_count(ix), ARRAY_LEN(samples));
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		const struct sample *s = &samples[i];
		struct entry en;
		ck_assert_int_eq(layer_index_entry(ix, i, &scratch, &en, &e), 0);
		ck_assert_uint_eq(en.path_len, strlen(s->path));
		ck_assert_mem_eq(en.path, s->path, en.path_len);
		ck_assert_int_eq(en.kind, s->kind);
		ck_assert_uint_eq(en.size, s->size);
		if (s->kind != ENTRY_REG || s->size == 0)
			continue;
		ck_assert_uint_eq(en.data_offset % TAR_BLOCK, 0);
		ck_assert_uint_eq(en.extent_count, 1);
		ck_assert_uint_eq(en.extents[0].tar_offset,
				  en.data_offset + en.extents[0].file_offset);
		if (s->fill != FILL_ZEROS)
			ck_assert_uint_eq(en.extents[0].length, s->size);
		else /* zeros, and one byte after the last whole block */
			ck_assert_uint_eq(en.extents[0].file_offset, s->size - 1);
		for (uint64_t at = 0; at < s->size; at += 999)
			ck_assert_uint_eq((uint8_t)tar.data[en.data_offset + at],
					  sample_byte(s, at));
	}
}
END_TEST

START_TEST(big_files_are_cut_at_even_places)
{
	struct layer_result r;
	SCOPE(entry_scratch) struct entry_scratch scratch = ENTRY_SCRATCH_INIT;
	SCOPE_FD int fd = sample_file();

	ck_assert_int_eq(sample_layer(fd, ARRAY_LEN(samples), 0, &r, &e), 0);
	SCOPE(layer_index) struct layer_index *ix = embedded_index(fd, &r);
	ck_assert_uint_ge(layer_index_frame_count(ix), 8);
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		struct entry en;
		ck_assert_int_eq(layer_index_entry(ix, i, &scratch, &en, &e), 0);
		if (en.size == 0)
			continue;
		const size_t first = layer_index_frame_at(ix, en.data_offset);
		const size_t last = layer_index_frame_at(ix, en.data_offset + en.size - 1);
		if (en.size < FRAME_CUT_PIECE)
			ck_assert_uint_eq(first, last);
		else
			ck_assert_uint_eq(last - first, (en.size - 1) / FRAME_CUT_PIECE);
		for (uint64_t at = FRAME_CUT_PIECE; at < en.size; at += FRAME_CUT_PIECE) {
			const uint64_t offset = en.data_offset + at;
			const size_t number = layer_index_frame_at(ix, offset);
			ck_assert_uint_eq(layer_index_frame(ix, number).tar_offset, offset);
		}
	}
}
END_TEST

START_TEST(empty_layer_is_a_layer)
{
	struct layer_result r;
	SCOPE(str) struct str blob = STR_INIT;
	SCOPE(str) struct str tar = STR_INIT;
	SCOPE_FD int fd = sample_file();

	ck_assert_int_eq(sample_layer(fd, 0, 2, &r, &e), 0);
	ck_assert_uint_eq(r.tar_size, TAR_END_SIZE);
	ck_assert_uint_eq(r.entry_count, 0);
	slurp(fd, &blob);
	unpack(&blob, &tar);
	ck_assert_uint_eq(tar.len, TAR_END_SIZE);
	SCOPE(layer_index) struct layer_index *ix = embedded_index(fd, &r);
	ck_assert_uint_eq(layer_index_entry_count(ix), 0);
}
END_TEST

START_TEST(descriptor_names_the_index)
{
	struct layer_result r;
	char digest[DIGEST_STR_MAX], number[32];
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;
	SCOPE_FD int fd = sample_file();

	ck_assert_int_eq(sample_layer(fd, SOME, 0, &r, &e), 0);
	ck_assert_int_eq(layer_result_descriptor(&r, &d, &e), 0);
	ck_assert_str_eq(d.media_type, MEDIATYPE_LAYER_ZSTD);
	ck_assert(digest_equal(&d.digest, &r.blob));
	ck_assert_uint_eq(d.size, r.blob_size);
	ck_assert_uint_eq(d.annotations.count, 3);
	ck_assert_str_eq(strmap_get(&d.annotations, LAYER_INDEX_DIGEST_KEY),
			 digest_format(&r.index, digest));
	snprintf(number, sizeof(number), "%" PRIu64, r.index_offset);
	ck_assert_str_eq(strmap_get(&d.annotations, LAYER_INDEX_OFFSET_KEY), number);
	snprintf(number, sizeof(number), "%" PRIu64, r.index_size);
	ck_assert_str_eq(strmap_get(&d.annotations, LAYER_INDEX_SIZE_KEY), number);
}
END_TEST

/* A gzip layer of all samples; its index. */
static struct layer_index *gzip_layer(int fd, unsigned workers, int level, struct layer_result *out)
{
	const struct layer_options opt = {{FRAME_GZIP, level}, workers};
	SCOPE(str) struct str index = STR_INIT;
	struct layer_index *ix = NULL;

	ck_assert_msg(sample_layer_as(fd, ARRAY_LEN(samples), &opt, out, &index, &e) == 0, "%s",
		      e.msg);
	const struct digest d = hasher_sha256(index.data, index.len);
	ck_assert(digest_equal(&d, &out->index));
	ck_assert_msg(layer_index_decode(index.data, index.len, &ix, &e) == 0, "%s", e.msg);
	ck_assert_int_eq(layer_index_encoding(ix), FRAME_GZIP);
	return ix;
}

/* Appends what the member at the start of `bytes` holds; how many bytes it takes. */
static size_t unpack_member(const char *bytes, size_t len, struct str *out)
{
	enum { GZIP_WINDOW_BITS = 15 + 16 /* zlib.h: 16 asks for gzip's header */ };
	z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)len};

	ck_assert_int_eq(str_reserve(out, FRAME_CUT_MAX, &e), 0);
	z.next_out = (Bytef *)out->data + out->len;
	z.avail_out = FRAME_CUT_MAX;
	ck_assert_int_eq(inflateInit2(&z, GZIP_WINDOW_BITS), Z_OK);
	ck_assert_int_eq(inflate(&z, Z_FINISH), Z_STREAM_END);
	out->len += z.total_out;
	inflateEnd(&z);
	return len - z.avail_in;
}

START_TEST(gzip_blob_is_one_member_a_frame)
{
	static const char header[] = "\x1f\x8b\x08\0\0\0\0\0\0\xff";
	struct layer_result r;
	SCOPE(str) struct str blob = STR_INIT;
	SCOPE(str) struct str tar = STR_INIT;
	SCOPE(str) struct str want = STR_INIT;
	SCOPE_FD int fd = sample_file();
	SCOPE(layer_index) struct layer_index *ix = gzip_layer(fd, 2, 6, &r);
	size_t at = 0;

	slurp(fd, &blob);
	for (size_t i = 0; i < layer_index_frame_count(ix); i++) {
		const struct frame f = layer_index_frame(ix, i);
		ck_assert_uint_eq(f.blob_offset, at);
		ck_assert_uint_eq(f.tar_offset, tar.len);
		ck_assert_mem_eq(blob.data + at, header, 10);
		ck_assert_uint_eq(unpack_member(blob.data + at, blob.len - at, &tar),
				  f.blob_length);
		const struct digest d = hasher_sha256(blob.data + at, f.blob_length);
		ck_assert_mem_eq(d.raw, f.sha256, sizeof(f.sha256));
		at += f.blob_length;
	}
	/* And nothing else. */
	ck_assert_uint_eq(at, blob.len);
	sample_tar(&want, ARRAY_LEN(samples));
	ck_assert_uint_eq(tar.len, want.len);
	ck_assert_mem_eq(tar.data, want.data, want.len);

	const struct digest diff_id = hasher_sha256(want.data, want.len);
	const struct digest digest = hasher_sha256(blob.data, blob.len);
	ck_assert(digest_equal(&r.diff_id, &diff_id));
	ck_assert(digest_equal(&r.blob, &digest));
	ck_assert_uint_eq(r.blob_size, blob.len);
	ck_assert_uint_eq(r.index_offset, 0);
	ck_assert_uint_eq(r.index_size, 0);
}
END_TEST

START_TEST(gzip_is_cut_where_zstd_is)
{
	struct layer_result r, zstd;
	SCOPE_FD int fd = sample_file();
	SCOPE_FD int zstd_fd = sample_file();
	SCOPE(layer_index) struct layer_index *ix = gzip_layer(fd, 0, 6, &r);

	ck_assert_int_eq(sample_layer(zstd_fd, ARRAY_LEN(samples), 0, &zstd, &e), 0);
	SCOPE(layer_index) struct layer_index *other = embedded_index(zstd_fd, &zstd);
	ck_assert(digest_equal(&r.diff_id, &zstd.diff_id));
	ck_assert_int_eq(layer_index_same_tree(ix, other, &e), 0);
	ck_assert_uint_eq(layer_index_frame_count(ix), layer_index_frame_count(other));
	for (size_t i = 0; i < layer_index_frame_count(ix); i++)
		ck_assert_uint_eq(layer_index_frame(ix, i).tar_offset,
				  layer_index_frame(other, i).tar_offset);
}
END_TEST

START_TEST(gzip_bytes_do_not_depend_on_the_number_of_workers)
{
	static const unsigned workers[] = {0, 1, 2, 5, 1000};
	struct layer_result first, r;

	for (size_t i = 0; i < ARRAY_LEN(workers); i++) {
		SCOPE_FD int fd = sample_file();
		layer_index_free(gzip_layer(fd, workers[i], 6, &r));
		if (i == 0)
			first = r;
		ck_assert(digest_equal(&r.blob, &first.blob));
		ck_assert(digest_equal(&r.diff_id, &first.diff_id));
		ck_assert(digest_equal(&r.index, &first.index));
	}
}
END_TEST

START_TEST(gzip_levels_make_a_difference)
{
	struct layer_result fast, small;
	SCOPE_FD int fast_fd = sample_file();
	SCOPE_FD int small_fd = sample_file();

	layer_index_free(gzip_layer(fast_fd, 0, 1, &fast));
	layer_index_free(gzip_layer(small_fd, 0, 9, &small));
	ck_assert(digest_equal(&fast.diff_id, &small.diff_id));
	ck_assert_uint_gt(fast.blob_size, small.blob_size);
}
END_TEST

START_TEST(gzip_descriptor_has_no_annotations)
{
	struct layer_result r;
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;
	SCOPE_FD int fd = sample_file();

	layer_index_free(gzip_layer(fd, 0, 6, &r));
	ck_assert_int_eq(layer_result_descriptor(&r, &d, &e), 0);
	ck_assert_str_eq(d.media_type, MEDIATYPE_LAYER_GZIP);
	ck_assert(digest_equal(&d.digest, &r.blob));
	ck_assert_uint_eq(d.size, r.blob_size);
	ck_assert_uint_eq(d.annotations.count, 0);
}
END_TEST

static const struct {
	const char *before, *path;
	uint64_t size;
	enum entry_kind kind;
	enum err_code code;
	const char *word;
} refused[] = {
	{"b", "a", 0, ENTRY_REG, ERR_FORMAT, "'a' is not in the order"},
	{"a", "a", 0, ENTRY_REG, ERR_FORMAT, "'a' is not in the order"},
	{"a/b", "a", 0, ENTRY_DIR, ERR_FORMAT, "'a' is not in the order"},
	{"a-", "a/b", 0, ENTRY_REG, ERR_FORMAT, "'a/b' is not in the order"},
	{"a", "b", 1, ENTRY_DIR, ERR_FORMAT, "no regular file"},
	{"a", "b", LIMIT_LAYER_CONTENT, ENTRY_REG, ERR_LIMIT, "content"},
};

static int no_content(void *ctx, void *buf, size_t len, struct err *err)
{
	(void)ctx;
	(void)buf;
	(void)len;
	return err_set(err, ERR_BUSY, "the file shrank");
}

START_TEST(add_refuses)
{
	const struct layer_options opt = {COMPRESSION_DEFAULT, 0};
	const struct layer_source src = {no_content, NULL};
	struct entry en = {.kind = ENTRY_DIR, .mode = 0755};
	SCOPE_FD int fd = sample_file();
	SCOPE(layer_writer) struct layer_writer *w = layer_writer_new(fd, &opt, &e);

	en.path = refused[_i].before;
	en.path_len = strlen(en.path);
	ck_assert_int_eq(layer_writer_add(w, &en, NULL, &e), 0);
	en.path = refused[_i].path;
	en.path_len = strlen(en.path);
	en.kind = refused[_i].kind;
	en.size = refused[_i].size;
	ck_assert_int_eq(layer_writer_add(w, &en, &src, &e), -1);
	ck_assert_err(&e, refused[_i].code, refused[_i].word);
}
END_TEST

START_TEST(error_of_the_source_comes_through)
{
	const struct layer_options opt = {COMPRESSION_DEFAULT, 2};
	const struct layer_source src = {no_content, NULL};
	const struct entry en = {.path = "a", .path_len = 1, .mode = 0644, .size = 1};
	SCOPE_FD int fd = sample_file();
	SCOPE(layer_writer) struct layer_writer *w = layer_writer_new(fd, &opt, &e);

	ck_assert_int_eq(layer_writer_add(w, &en, &src, &e), -1);
	ck_assert_err(&e, ERR_BUSY, "shrank");
}
END_TEST

START_TEST(compression_must_be_known)
{
	static const struct compression wrong[] = {{FRAME_ZSTD, 0},  {FRAME_ZSTD, -1},
						   {FRAME_ZSTD, 20}, {FRAME_GZIP, 0},
						   {FRAME_GZIP, 10}, {FRAME_RAW, 1}};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		const struct layer_options opt = {wrong[i], 0};
		ck_assert_ptr_null(layer_writer_new(-1, &opt, &e));
		ck_assert_err(&e, ERR_USAGE, "compression");
	}
}
END_TEST

START_TEST(write_error_is_told)
{
	struct layer_result r;
	SCOPE_FD int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(sample_layer(fd, SOME, 0, &r, &e), -1);
	ck_assert_err(&e, ERR_SYS, "cannot write a layer");
	/* In the middle, with frames in flight. */
	ck_assert_int_eq(sample_layer(fd, ARRAY_LEN(samples), 2, &r, &e), -1);
	ck_assert_err(&e, ERR_SYS, "cannot write a layer");
}
END_TEST

static int write_sample(void *arg, struct err *err)
{
	const struct layer_options *opt = arg;
	struct layer_result r;
	SCOPE(str) struct str index = STR_INIT;
	SCOPE_FD int fd = memfd_create("layer", MFD_CLOEXEC);

	return sample_layer_as(fd, SOME, opt, &r, &index, err);
}

START_TEST(memory_runs_out)
{
	struct layer_options opt[] = {{COMPRESSION_DEFAULT, 0}, {{FRAME_GZIP, 6}, 0}};

	failalloc_each(write_sample, &opt[_i]);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/layer_write");
	TCase *blob = tcase_create("blob");
	TCase *refuses = tcase_create("refuses");

	tcase_add_checked_fixture(blob, setup, NULL);
	tcase_set_timeout(blob, 60);
	tcase_add_test(blob, blob_decompresses_to_the_tar);
	tcase_add_test(blob, bytes_do_not_depend_on_the_number_of_workers);
	tcase_add_test(blob, seek_table_lists_every_frame);
	tcase_add_test(blob, index_has_the_entries_and_their_places);
	tcase_add_test(blob, big_files_are_cut_at_even_places);
	tcase_add_test(blob, empty_layer_is_a_layer);
	tcase_add_test(blob, descriptor_names_the_index);
	tcase_add_test(blob, gzip_blob_is_one_member_a_frame);
	tcase_add_test(blob, gzip_is_cut_where_zstd_is);
	tcase_add_test(blob, gzip_bytes_do_not_depend_on_the_number_of_workers);
	tcase_add_test(blob, gzip_levels_make_a_difference);
	tcase_add_test(blob, gzip_descriptor_has_no_annotations);
	suite_add_tcase(s, blob);
	tcase_add_checked_fixture(refuses, setup, NULL);
	tcase_set_timeout(refuses, 60);
	tcase_add_loop_test(refuses, add_refuses, 0, ARRAY_LEN(refused));
	tcase_add_test(refuses, error_of_the_source_comes_through);
	tcase_add_test(refuses, compression_must_be_known);
	tcase_add_test(refuses, write_error_is_told);
	tcase_add_loop_test(refuses, memory_runs_out, 0, 2);
	suite_add_tcase(s, refuses);
	return s;
}

UNIT_MAIN(suite_new)
