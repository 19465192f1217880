/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/main.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <zlib.h>

#include "base/hasher.h"
#include "base/io.h"
#include "image/entry_check.h"
#include "image/layer_scan.h"
#include "tests/support/failalloc.h"
#include "tests/unit/image/sample_layer.h"

enum { SOME = 3 /* samples without the big ones */, WHOLE = 32 << 20 };

static struct err e;

static void setup(void)
{
	e = (struct err)ERR_INIT;
}

static int file_with(const void *bytes, size_t len)
{
	const int fd = sample_file();

	ck_assert_int_eq(io_write_all(fd, bytes, len), 0);
	return fd;
}

static uint64_t size_of(int fd)
{
	const off_t end = lseek(fd, 0, SEEK_END);

	ck_assert_int_ge(end, 0);
	return (uint64_t)end;
}

static void slurp(const char *name, struct str *out)
{
	char path[512];

	snprintf(path, sizeof(path), TEST_DATA "/blobs/%s", name);
	ck_assert_msg(io_slurp_path(path, WHOLE, out, &e) == 0, "%s", e.msg);
}

static struct layer_index *decode(const struct str *bytes)
{
	struct layer_index *ix = NULL;

	ck_assert_msg(layer_index_decode(bytes->data, bytes->len, &ix, &e) == 0, "%s", e.msg);
	return ix;
}

static int derive(int fd, enum layer_encoding encoding, unsigned workers, int reframe_fd,
		  struct derive_result *out, struct err *err)
{
	const struct derive_options opt = {workers, NULL, NULL};

	return layer_derive(fd, size_of(fd), encoding, reframe_fd, &opt, out, err);
}

/* The index that a layer of shale carries. */
static struct layer_index *embedded(int fd, const struct layer_result *r)
{
	SCOPE(str) struct str bytes = STR_INIT;

	ck_assert_int_eq(str_reserve(&bytes, r->index_size, &e), 0);
	bytes.len = r->index_size;
	ck_assert_int_eq(io_pread_full(fd, bytes.data, bytes.len, r->index_offset),
			 (ssize_t)bytes.len);
	return decode(&bytes);
}

static const struct {
	const char *name;
	enum layer_encoding encoding;
	enum frame_encoding frames;
} foreign[] = {
	{"plain.tar", LAYER_TAR, FRAME_RAW},
	{"gzip.gz", LAYER_GZIP, FRAME_GZIP},
	{"gzip-header.gz", LAYER_GZIP, FRAME_GZIP},
	{"gzip-members.gz", LAYER_GZIP, FRAME_GZIP},
	{"pigz-independent.gz", LAYER_GZIP, FRAME_GZIP},
	{"zstd-ultra.zst", LAYER_ZSTD, FRAME_ZSTD},
	{"zstd-frames.zst", LAYER_ZSTD, FRAME_ZSTD},
	{"pzstd.zst", LAYER_ZSTD, FRAME_ZSTD},
};

START_TEST(derives_from_the_blobs_of_other_tools)
{
	struct derive_result r;
	SCOPE(str) struct str blob = STR_INIT;
	SCOPE(str) struct str plain = STR_INIT;
	SCOPE(entry_scratch) struct entry_scratch scratch = ENTRY_SCRATCH_INIT;
	struct entry en;
	SCOPE_FD int reframe_fd = sample_file();

	slurp("plain.tar", &plain);
	slurp(foreign[_i].name, &blob);
	SCOPE_FD int fd = file_with(blob.data, blob.len);
	ck_assert_msg(derive(fd, foreign[_i].encoding, 2, reframe_fd, &r, &e) == 0, "%s", e.msg);
	const struct digest diff_id = hasher_sha256(plain.data, plain.len);
	ck_assert(digest_equal(&r.diff_id, &diff_id));
	ck_assert_uint_eq(r.tar_size, plain.len);
	ck_assert_int_eq(r.is_reframed, foreign[_i].encoding == LAYER_ZSTD);

	SCOPE(layer_index) struct layer_index *ix = decode(&r.index);
	str_fini(&r.index);
	ck_assert_int_eq(layer_index_encoding(ix), foreign[_i].frames);
	const int frames_fd = r.is_reframed ? reframe_fd : fd;
	if (!r.is_reframed)
		ck_assert_uint_eq(size_of(reframe_fd), 0);
	ck_assert_int_eq(layer_prove(frames_fd, ix, NULL, &e), 0);
	ck_assert_uint_eq(layer_index_entry_count(ix), 9);
	ck_assert_int_eq(layer_index_entry(ix, 8, &scratch, &en, &e), 0);
	ck_assert_uint_eq(en.path_len, strlen("usr/share/zeros"));
	ck_assert_uint_eq(en.size, 80005);
	ck_assert_uint_eq(en.extent_count, 1);
	ck_assert_uint_eq(en.extents[0].file_offset, 77824);

	SCOPE_FREE char *all = malloc(plain.len);
	ck_assert_ptr_nonnull(all);
	ck_assert_int_eq(layer_read(frames_fd, ix, 0, all, plain.len, &e), 0);
	ck_assert_mem_eq(all, plain.data, plain.len);
}
END_TEST

/* Appends a gzip member of these bytes. */
static void gzip(const void *bytes, size_t len, int level, struct str *out)
{
	enum { GZIP_WINDOW_BITS = 15 + 16 /* zlib.h: 16 asks for gzip's header */ };
	z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)len};

	ck_assert_int_eq(
		deflateInit2(&z, level, Z_DEFLATED, GZIP_WINDOW_BITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	const size_t bound = deflateBound(&z, len);
	ck_assert_int_eq(str_reserve(out, bound, &e), 0);
	z.next_out = (Bytef *)out->data + out->len;
	z.avail_out = (uInt)bound;
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	out->len += z.total_out;
	deflateEnd(&z);
}

/* A tar of samples that is too long for a frame: there are more zeros at its end. */
static void long_tar(struct str *out, size_t count)
{
	sample_tar(out, count);
	ck_assert_int_eq(str_append_zeros(out, LIMIT_FRAME, &e), 0);
}

START_TEST(reframing_does_not_depend_on_the_number_of_workers)
{
	static const unsigned workers[] = {0, 1, 2, 5};
	SCOPE(str) struct str tar = STR_INIT;
	SCOPE(str) struct str blob = STR_INIT;
	struct digest first_index, first_frames;

	long_tar(&tar, ARRAY_LEN(samples));
	gzip(tar.data, tar.len, 1, &blob);
	SCOPE_FD int fd = file_with(blob.data, blob.len);
	for (size_t i = 0; i < ARRAY_LEN(workers); i++) {
		struct derive_result r;
		struct digest frames;
		SCOPE_FD int reframe_fd = sample_file();
		ck_assert_msg(derive(fd, LAYER_GZIP, workers[i], reframe_fd, &r, &e) == 0, "%s",
			      e.msg);
		ck_assert(r.is_reframed);
		const struct digest index = hasher_sha256(r.index.data, r.index.len);
		str_fini(&r.index);
		ck_assert_int_eq(
			hasher_fd(reframe_fd, DIGEST_SHA256, "frames", &frames, NULL, NULL, &e), 0);
		if (i == 0) {
			first_index = index;
			first_frames = frames;
		}
		ck_assert(digest_equal(&index, &first_index));
		ck_assert(digest_equal(&frames, &first_frames));
	}
}
END_TEST

/* What the writer keeps can be made again, to the byte. */
START_TEST(members_of_a_layer_of_ours_give_the_index_of_its_writer)
{
	const struct layer_options opt = {{FRAME_GZIP, 6}, 2};
	struct layer_result written;
	struct derive_result r;
	SCOPE(str) struct str index = STR_INIT;
	SCOPE_FD int fd = sample_file();

	ck_assert_int_eq(sample_layer_as(fd, ARRAY_LEN(samples), &opt, &written, &index, &e), 0);
	ck_assert_msg(derive(fd, LAYER_GZIP, 0, -1, &r, &e) == 0, "%s", e.msg);
	ck_assert(!r.is_reframed);
	ck_assert(digest_equal(&r.diff_id, &written.diff_id));
	ck_assert_uint_eq(r.tar_size, written.tar_size);
	ck_assert_uint_eq(r.index.len, index.len);
	ck_assert_mem_eq(r.index.data, index.data, index.len);
	SCOPE(layer_index) struct layer_index *ix = decode(&r.index);
	str_fini(&r.index);
	ck_assert_int_eq(layer_prove(fd, ix, NULL, &e), 0);
}
END_TEST

/* One member that is too long: the frames are what they would be without the others. */
START_TEST(a_long_member_among_short_ones_is_reframed)
{
	enum { FRONT = 700 };
	struct derive_result r, whole;
	struct digest frames, whole_frames;
	SCOPE(str) struct str tar = STR_INIT;
	SCOPE(str) struct str one = STR_INIT;
	SCOPE(str) struct str several = STR_INIT;
	SCOPE_FD int reframe_fd = sample_file();
	SCOPE_FD int whole_fd = sample_file();

	long_tar(&tar, SOME);
	gzip(tar.data, tar.len, 1, &one);
	gzip(tar.data, FRONT, 6, &several);
	gzip("", 0, 6, &several);
	gzip(tar.data + FRONT, tar.len - FRONT, 6, &several);
	gzip("", 0, 6, &several);
	SCOPE_FD int fd = file_with(several.data, several.len);
	ck_assert_msg(derive(fd, LAYER_GZIP, 2, reframe_fd, &r, &e) == 0, "%s", e.msg);
	SCOPE_FD int one_fd = file_with(one.data, one.len);
	ck_assert_msg(derive(one_fd, LAYER_GZIP, 2, whole_fd, &whole, &e) == 0, "%s", e.msg);
	ck_assert(r.is_reframed && whole.is_reframed);
	ck_assert_uint_eq(r.index.len, whole.index.len);
	ck_assert_mem_eq(r.index.data, whole.index.data, whole.index.len);
	str_fini(&r.index);
	str_fini(&whole.index);
	ck_assert_int_eq(hasher_fd(reframe_fd, DIGEST_SHA256, "frames", &frames, NULL, NULL, &e),
			 0);
	ck_assert_int_eq(
		hasher_fd(whole_fd, DIGEST_SHA256, "frames", &whole_frames, NULL, NULL, &e), 0);
	ck_assert(digest_equal(&frames, &whole_frames));
}
END_TEST

START_TEST(members_of_nothing_are_between_frames)
{
	struct derive_result r;
	SCOPE(str) struct str tar = STR_INIT;
	SCOPE(str) struct str blob = STR_INIT;

	sample_tar(&tar, SOME);
	gzip("", 0, 6, &blob);
	const size_t start = blob.len;
	gzip(tar.data, 1000, 6, &blob);
	const size_t end = blob.len;
	gzip("", 0, 6, &blob);
	const size_t second = blob.len;
	gzip(tar.data + 1000, tar.len - 1000, 6, &blob);
	gzip("", 0, 6, &blob);
	SCOPE_FD int fd = file_with(blob.data, blob.len);
	ck_assert_msg(derive(fd, LAYER_GZIP, 0, -1, &r, &e) == 0, "%s", e.msg);
	SCOPE(layer_index) struct layer_index *ix = decode(&r.index);
	str_fini(&r.index);
	ck_assert_uint_eq(layer_index_frame_count(ix), 2);
	const struct frame first = layer_index_frame(ix, 0);
	ck_assert_uint_eq(first.blob_offset, start);
	ck_assert_uint_eq(first.blob_length, end - start);
	ck_assert_uint_eq(layer_index_frame(ix, 1).blob_offset, second);
	ck_assert_int_eq(layer_prove(fd, ix, NULL, &e), 0);
}
END_TEST

/* A byte that is damaged, in whatever part of whatever member: an error, and that of the reader of
 * streams, which says what is wrong. */
START_TEST(damaged_members_are_refused)
{
	struct derive_result r;
	SCOPE(str) struct str tar = STR_INIT;
	SCOPE(str) struct str blob = STR_INIT;
	SCOPE_FD int reframe_fd = sample_file();

	sample_tar(&tar, SOME);
	gzip(tar.data, 1000, 6, &blob);
	gzip(tar.data + 1000, tar.len - 1000, 6, &blob);
	SCOPE_FD int fd = file_with(blob.data, blob.len);
	for (size_t at = 0; at < blob.len; at++) {
		const uint8_t right = (uint8_t)blob.data[at], wrong = right ^ 0x40;
		ck_assert_int_eq(io_pwrite_all(fd, &wrong, 1, at), 0);
		if (derive(fd, LAYER_GZIP, 0, reframe_fd, &r, &e) == 0) {
			/* Nothing depends on the time, the extra flags and the system. */
			const struct digest diff_id = hasher_sha256(tar.data, tar.len);
			ck_assert(digest_equal(&r.diff_id, &diff_id));
			str_fini(&r.index);
		} else {
			ck_assert_int_eq(e.code, ERR_FORMAT);
			ck_assert_ptr_null(strstr(e.msg, "is no frame"));
			err_clear(&e);
		}
		ck_assert_int_eq(io_pwrite_all(fd, &right, 1, at), 0);
	}
}
END_TEST

/* Where a member turns out to be too long, what was read is read again, and lost once. */
START_TEST(losses_are_counted_once)
{
	SCOPE(str) struct str tar = STR_INIT;
	SCOPE(str) struct str shorter = STR_INIT;
	SCOPE(str) struct str longer = STR_INIT;
	SCOPE_FD int reframe_fd = sample_file();
	struct entry en = {.path = "late", .path_len = 4, .kind = ENTRY_REG, .mode = 0644};

	/* A reader takes this for a time that was clamped. */
	en.mtime = ENTRY_TIME_MAX;
	ck_assert_int_eq(tar_header_append(&tar, &en, &e), 0);
	ck_assert_int_eq(str_append_zeros(&tar, TAR_END_SIZE, &e), 0);
	gzip(tar.data, tar.len, 6, &shorter);
	gzip(tar.data, tar.len, 6, &longer);
	ck_assert_int_eq(str_append_zeros(&tar, LIMIT_FRAME + 1, &e), 0);
	gzip(tar.data + tar.len - LIMIT_FRAME - 1, LIMIT_FRAME + 1, 6, &longer);
	for (int is_long = 0; is_long < 2; is_long++) {
		const struct str *blob = is_long ? &longer : &shorter;
		struct tar_losses losses = {.times = {.count = 5}};
		const struct derive_options opt = {0, NULL, &losses};
		struct derive_result r;
		SCOPE_FD int fd = file_with(blob->data, blob->len);
		ck_assert_msg(layer_derive(fd, blob->len, LAYER_GZIP, reframe_fd, &opt, &r, &e) ==
				      0,
			      "%s", e.msg);
		str_fini(&r.index);
		ck_assert_int_eq(r.is_reframed, is_long);
		ck_assert_uint_eq(losses.times.count, 6);
		ck_assert_uint_eq(losses.acls.count, 0);
	}
}
END_TEST

/* The reader of tar reads ahead, and still the cuts are those of the writer. */
START_TEST(reframing_cuts_where_the_writer_does)
{
	struct layer_result written;
	struct derive_result r;
	SCOPE_FD int fd = sample_file();
	SCOPE_FD int reframe_fd = sample_file();

	ck_assert_int_eq(sample_layer(fd, ARRAY_LEN(samples), 2, &written, &e), 0);
	ck_assert_msg(derive(fd, LAYER_ZSTD, 2, reframe_fd, &r, &e) == 0, "%s", e.msg);
	ck_assert(digest_equal(&r.diff_id, &written.diff_id));
	SCOPE(layer_index) struct layer_index *derived = decode(&r.index);
	SCOPE(layer_index) struct layer_index *own = embedded(fd, &written);
	ck_assert_msg(layer_index_same_tree(own, derived, &e) == 0, "%s", e.msg);
	/* Same cuts, same level: the same index to the byte. */
	const struct digest index = hasher_sha256(r.index.data, r.index.len);
	ck_assert(digest_equal(&index, &written.index));
	str_fini(&r.index);
}
END_TEST

START_TEST(raw_frames_are_ranges_of_the_blob)
{
	struct derive_result r;
	SCOPE(str) struct str tar = STR_INIT;

	sample_tar(&tar, ARRAY_LEN(samples));
	SCOPE_FD int fd = file_with(tar.data, tar.len);
	ck_assert_int_eq(derive(fd, LAYER_TAR, 2, -1, &r, &e), 0);
	SCOPE(layer_index) struct layer_index *ix = decode(&r.index);
	str_fini(&r.index);
	ck_assert_int_eq(layer_index_encoding(ix), FRAME_RAW);
	for (size_t i = 0; i < layer_index_frame_count(ix); i++) {
		const struct frame f = layer_index_frame(ix, i);
		ck_assert_uint_eq(f.tar_offset, i * 512 * LIMIT_KIB);
		ck_assert_uint_eq(f.blob_offset, f.tar_offset);
		ck_assert_uint_eq(f.blob_length, f.length);
	}
	ck_assert_int_eq(layer_prove(fd, ix, NULL, &e), 0);
}
END_TEST

/* A member after so much that nothing of it can wait for its header. */
START_TEST(long_stretch_of_zeros_after_the_end_is_framed)
{
	struct derive_result r;
	SCOPE(str) struct str tar = STR_INIT;

	SCOPE(str) struct str blob = STR_INIT;

	long_tar(&tar, SOME);
	gzip(tar.data, tar.len, 9, &blob);
	SCOPE_FD int fd = file_with(blob.data, blob.len);
	SCOPE_FD int reframe_fd = sample_file();
	ck_assert_msg(derive(fd, LAYER_GZIP, 0, reframe_fd, &r, &e) == 0, "%s", e.msg);
	ck_assert_uint_eq(r.tar_size, tar.len);
	SCOPE(layer_index) struct layer_index *ix = decode(&r.index);
	str_fini(&r.index);
	ck_assert_int_eq(layer_prove(reframe_fd, ix, NULL, &e), 0);
}
END_TEST

START_TEST(derive_refuses_what_is_no_layer)
{
	struct derive_result r;
	SCOPE(str) struct str blob = STR_INIT;
	SCOPE_FD int reframe_fd = sample_file();

	slurp("plain.tar", &blob);
	SCOPE_FD int whole = file_with(blob.data, blob.len);
	ck_assert_int_eq(derive(whole, LAYER_GZIP, 0, reframe_fd, &r, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "the bytes are tar");

	SCOPE_FD int cut = file_with(blob.data, 2000);
	ck_assert_int_eq(derive(cut, LAYER_TAR, 2, -1, &r, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "tar header");

	SCOPE_FD int empty = sample_file();
	ck_assert_int_eq(derive(empty, LAYER_ZSTD, 0, reframe_fd, &r, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "empty");
}
END_TEST

START_TEST(derive_says_that_frames_cannot_be_written)
{
	struct derive_result r;
	SCOPE(str) struct str blob = STR_INIT;
	SCOPE_FD int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	slurp("zstd-frames.zst", &blob);
	SCOPE_FD int fd = file_with(blob.data, blob.len);
	ck_assert_int_eq(derive(fd, LAYER_ZSTD, 2, full, &r, &e), -1);
	ck_assert_err(&e, ERR_SYS, "cannot write the frames");
	ck_assert_int_eq(derive(fd, LAYER_ZSTD, 2, -1, &r, &e), -1);
	ck_assert_int_eq(e.sys, ENOSPC);
	ck_assert_err(&e, ERR_SYS, "cannot write the frames");
}
END_TEST

START_TEST(proves_what_was_written)
{
	struct layer_result r;
	SCOPE_FD int fd = sample_file();

	ck_assert_int_eq(sample_layer(fd, ARRAY_LEN(samples), 0, &r, &e), 0);
	SCOPE(layer_index) struct layer_index *ix = embedded(fd, &r);
	ck_assert_msg(layer_prove(fd, ix, NULL, &e) == 0, "%s", e.msg);
}
END_TEST

START_TEST(every_flipped_byte_of_a_frame_is_found)
{
	const struct layer_options opt[] = {{COMPRESSION_DEFAULT, 0}, {{FRAME_GZIP, 6}, 0}};
	struct layer_result r;
	SCOPE(str) struct str index = STR_INIT;
	SCOPE_FD int fd = sample_file();

	ck_assert_int_eq(sample_layer_as(fd, SOME, &opt[_i], &r, &index, &e), 0);
	SCOPE(layer_index)
	struct layer_index *ix = index.len > 0 ? decode(&index) : embedded(fd, &r);
	const struct frame last = layer_index_frame(ix, layer_index_frame_count(ix) - 1);
	for (uint64_t at = 0; at < last.blob_offset + last.blob_length; at++) {
		uint8_t right, wrong;
		ck_assert_int_eq(io_pread_full(fd, &right, 1, at), 1);
		wrong = right ^ 1;
		ck_assert_int_eq(io_pwrite_all(fd, &wrong, 1, at), 0);
		ck_assert_int_eq(layer_prove(fd, ix, NULL, &e), -1);
		ck_assert_err(&e, ERR_DIGEST, "does not match its digest");
		ck_assert_int_eq(io_pwrite_all(fd, &right, 1, at), 0);
	}
	ck_assert_int_eq(layer_prove(fd, ix, NULL, &e), 0);
}
END_TEST

enum lie { LIE_NONE, LIE_MODE, LIE_EXTRA, LIE_MISSING, LIE_DIFF_ID };

/* An index that is right in its frames, and not in what it says of the tree. */
static struct layer_index *forged(const struct layer_index *ix, enum lie lie)
{
	SCOPE(layer_index_builder) struct layer_index_builder *b = layer_index_builder_new(&e);
	SCOPE(entry_scratch) struct entry_scratch scratch = ENTRY_SCRATCH_INIT;
	SCOPE(str) struct str bytes = STR_INIT;
	struct digest diff_id = layer_index_diff_id(ix);
	struct entry en;

	for (size_t i = 0; i < layer_index_frame_count(ix); i++) {
		const struct frame f = layer_index_frame(ix, i);
		ck_assert_int_eq(layer_index_builder_add_frame(b, &f, &e), 0);
	}
	for (size_t i = 0; i < layer_index_entry_count(ix); i++) {
		ck_assert_int_eq(layer_index_entry(ix, i, &scratch, &en, &e), 0);
		if (lie == LIE_MODE && i == 1)
			en.mode ^= 04000;
		if (lie == LIE_MISSING && i == 1)
			continue;
		ck_assert_int_eq(layer_index_builder_add(b, &en, &e), 0);
	}
	if (lie == LIE_EXTRA) {
		en = (struct entry){.path = "z", .path_len = 1, .kind = ENTRY_DIR, .mode = 0755};
		ck_assert_int_eq(layer_index_builder_add(b, &en, &e), 0);
	}
	if (lie == LIE_DIFF_ID)
		diff_id.raw[0] ^= 1;
	ck_assert_int_eq(layer_index_builder_encode(b, layer_index_encoding(ix), &diff_id,
						    layer_index_tar_size(ix), &bytes, &e),
			 0);
	return decode(&bytes);
}

START_TEST(prove_finds_an_index_that_lies)
{
	struct layer_result r;
	SCOPE_FD int fd = sample_file();

	ck_assert_int_eq(sample_layer(fd, SOME, 0, &r, &e), 0);
	SCOPE(layer_index) struct layer_index *ix = embedded(fd, &r);
	for (int lie = LIE_NONE; lie <= LIE_DIFF_ID; lie++) {
		SCOPE(layer_index) struct layer_index *other = forged(ix, lie);
		ck_assert_int_eq(layer_prove(fd, other, NULL, &e), lie == LIE_NONE ? 0 : -1);
		if (lie == LIE_DIFF_ID)
			ck_assert_err(&e, ERR_DIGEST, "diff_id");
		else if (lie != LIE_NONE)
			ck_assert_err(&e, ERR_FORMAT, "the layer index has");
	}
}
END_TEST

START_TEST(reads_any_range)
{
	static const struct {
		uint64_t offset;
		size_t len;
	} ranges[] = {{0, 1}, {0, 512}, {1234567, 1}, {511 * 1024, 2000000}, {4096, 0}};
	struct layer_result r;
	SCOPE(str) struct str tar = STR_INIT;
	SCOPE_FREE uint8_t *buf = NULL;
	SCOPE_FD int fd = sample_file();

	ck_assert_int_eq(sample_layer(fd, ARRAY_LEN(samples), 2, &r, &e), 0);
	sample_tar(&tar, ARRAY_LEN(samples));
	buf = malloc(tar.len);
	ck_assert_ptr_nonnull(buf);
	SCOPE(layer_index) struct layer_index *ix = embedded(fd, &r);
	for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
		ck_assert_int_eq(layer_read(fd, ix, ranges[i].offset, buf, ranges[i].len, &e), 0);
		ck_assert_int_eq(memcmp(buf, tar.data + ranges[i].offset, ranges[i].len), 0);
	}
	ck_assert_int_eq(layer_read(fd, ix, 0, buf, tar.len, &e), 0);
	ck_assert_mem_eq(buf, tar.data, tar.len);
	ck_assert_int_eq(layer_read(fd, ix, tar.len, buf, 0, &e), 0);
	ck_assert_int_eq(layer_read(fd, ix, tar.len, buf, 1, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "outside");
	ck_assert_int_eq(layer_read(fd, ix, UINT64_MAX, buf, 2, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "outside");
}
END_TEST

struct derive_args {
	int fd;
	uint64_t size;
	enum layer_encoding encoding;
};

static int derive_sample(void *arg, struct err *err)
{
	const struct derive_args *args = arg;
	const struct derive_options opt = {0, NULL, NULL};
	struct derive_result r;
	SCOPE_FD int reframe_fd = memfd_create("frames", MFD_CLOEXEC);

	if (layer_derive(args->fd, args->size, args->encoding, reframe_fd, &opt, &r, err) < 0)
		return -1;
	str_fini(&r.index);
	return 0;
}

START_TEST(memory_runs_out_in_derive)
{
	SCOPE(str) struct str blob = STR_INIT;

	slurp(_i == 0 ? "gzip-members.gz" : "zstd-frames.zst", &blob);
	SCOPE_FD int fd = file_with(blob.data, blob.len);
	struct derive_args args = {fd, blob.len, _i == 0 ? LAYER_GZIP : LAYER_ZSTD};
	failalloc_each(derive_sample, &args);
}
END_TEST

struct proof_args {
	int fd;
	const struct layer_index *ix;
};

static int prove_sample(void *arg, struct err *err)
{
	const struct proof_args *args = arg;

	return layer_prove(args->fd, args->ix, NULL, err);
}

START_TEST(memory_runs_out_in_prove)
{
	struct layer_result r;
	SCOPE_FD int fd = sample_file();

	ck_assert_int_eq(sample_layer(fd, SOME, 0, &r, &e), 0);
	SCOPE(layer_index) struct layer_index *ix = embedded(fd, &r);
	struct proof_args args = {fd, ix};
	failalloc_each(prove_sample, &args);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/layer_scan");
	TCase *derives = tcase_create("derive");
	TCase *proves = tcase_create("prove");
	TCase *reads = tcase_create("read");

	tcase_add_checked_fixture(derives, setup, NULL);
	tcase_set_timeout(derives, 60);
	tcase_add_loop_test(derives, derives_from_the_blobs_of_other_tools, 0, ARRAY_LEN(foreign));
	tcase_add_test(derives, reframing_does_not_depend_on_the_number_of_workers);
	tcase_add_test(derives, reframing_cuts_where_the_writer_does);
	tcase_add_test(derives, raw_frames_are_ranges_of_the_blob);
	tcase_add_test(derives, long_stretch_of_zeros_after_the_end_is_framed);
	tcase_add_test(derives, derive_refuses_what_is_no_layer);
	tcase_add_test(derives, derive_says_that_frames_cannot_be_written);
	tcase_add_test(derives, members_of_a_layer_of_ours_give_the_index_of_its_writer);
	tcase_add_test(derives, a_long_member_among_short_ones_is_reframed);
	tcase_add_test(derives, members_of_nothing_are_between_frames);
	tcase_add_test(derives, damaged_members_are_refused);
	tcase_add_test(derives, losses_are_counted_once);
	tcase_add_loop_test(derives, memory_runs_out_in_derive, 0, 2);
	suite_add_tcase(s, derives);
	tcase_add_checked_fixture(proves, setup, NULL);
	tcase_set_timeout(proves, 60);
	tcase_add_test(proves, proves_what_was_written);
	tcase_add_loop_test(proves, every_flipped_byte_of_a_frame_is_found, 0, 2);
	tcase_add_test(proves, prove_finds_an_index_that_lies);
	tcase_add_test(proves, memory_runs_out_in_prove);
	suite_add_tcase(s, proves);
	tcase_add_checked_fixture(reads, setup, NULL);
	tcase_set_timeout(reads, 60);
	tcase_add_test(reads, reads_any_range);
	suite_add_tcase(s, reads);
	return s;
}

UNIT_MAIN(suite_new)
