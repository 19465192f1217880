/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/main.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/hasher.h"
#include "base/io.h"
#include "image/frame_cut.h"
#include "image/inflate.h"
#include "image/layer_recode.h"
#include "image/layer_scan.h"
#include "image/tar_frames.h"
#include "tests/support/failalloc.h"
#include "tests/unit/image/sample_layer.h"
#include "tests/unit/image/tar_make.h"

enum { SOME = 3 /* samples without the big ones */, WHOLE = 128 << 20 };

static struct err e;

static void setup(void)
{
	e = (struct err)ERR_INIT;
}

static const struct layer_options zstd = {COMPRESSION_DEFAULT, 2};
static const struct layer_options gzip = {{FRAME_GZIP, 6}, 2};

static const struct layer_options *const encodings[] = {&zstd, &gzip};

static enum layer_encoding encoding_of(const struct layer_options *opt)
{
	return opt->compression.encoding == FRAME_GZIP ? LAYER_GZIP : LAYER_ZSTD;
}

/* `step` bytes at a time; 0: as many as are asked for. */
static int recode_tar(const struct str *tar, size_t step, int fd, const struct layer_options *opt,
		      struct layer_result *out)
{
	struct make_input from = {.bytes = tar->data, .len = tar->len, .step = step};
	const struct tar_input in = {make_read, &from, NULL};

	return layer_recode(&in, fd, opt, out, &e);
}

/* A blob that is there already. */
static void recode_blob(int from, uint64_t size, const struct layer_options *was, int fd,
			const struct layer_options *opt, struct layer_result *out)
{
	SCOPE(inflate)
	struct inflate *inflate = inflate_new(from, size, encoding_of(was), NULL, &e);
	const struct tar_input in = {inflate_read, inflate, NULL};

	ck_assert_ptr_nonnull(inflate);
	ck_assert_msg(layer_recode(&in, fd, opt, out, &e) == 0, "%s", e.msg);
}

static void assert_same_result(const struct layer_result *a, const struct layer_result *b)
{
	ck_assert(digest_equal(&a->blob, &b->blob));
	ck_assert_uint_eq(a->blob_size, b->blob_size);
	ck_assert(digest_equal(&a->diff_id, &b->diff_id));
	ck_assert_uint_eq(a->tar_size, b->tar_size);
	ck_assert_int_eq(a->encoding, b->encoding);
	ck_assert(digest_equal(&a->index, &b->index));
	ck_assert_uint_eq(a->index_offset, b->index_offset);
	ck_assert_uint_eq(a->index_size, b->index_size);
	ck_assert_uint_eq(a->entry_count, b->entry_count);
}

/* What the result says of the file is so: `size` bytes from `offset` on. */
static void assert_blob_is(int fd, uint64_t offset, const struct layer_result *r)
{
	SCOPE_FREE uint8_t *bytes = malloc(r->blob_size);

	ck_assert_ptr_nonnull(bytes);
	ck_assert_int_eq(io_pread_full(fd, bytes, r->blob_size, offset), (ssize_t)r->blob_size);
	const struct digest got = hasher_sha256(bytes, r->blob_size);
	ck_assert(digest_equal(&got, &r->blob));
}

/* Any decoder gives the tar back. */
static void assert_inflates_to(int fd, const struct layer_result *r,
			       const struct layer_options *opt, const struct str *tar)
{
	SCOPE(inflate)
	struct inflate *in = inflate_new(fd, r->blob_size, encoding_of(opt), NULL, &e);
	SCOPE_FREE char *got = malloc(tar->len + 1);
	size_t len = 0;
	ssize_t n;

	ck_assert(in && got);
	while ((n = inflate_read(in, got + len, tar->len + 1 - len, &e)) > 0)
		len += (size_t)n;
	ck_assert_no_err(&e);
	ck_assert_uint_eq(len, tar->len);
	ck_assert_mem_eq(got, tar->data, len);
}

/* The index is right, and any other reader of the blob would derive the same. */
static void assert_proven(int fd, const struct layer_result *r)
{
	SCOPE(layer_index) struct layer_index *ix = NULL;
	SCOPE(str) struct str bytes = STR_INIT;

	if (r->index_offset > 0) {
		ck_assert_int_eq(str_reserve(&bytes, r->index_size, &e), 0);
		bytes.len = r->index_size;
		ck_assert_int_eq(io_pread_full(fd, bytes.data, bytes.len, r->index_offset),
				 (ssize_t)bytes.len);
	} else {
		const struct derive_options opt = {0, NULL, NULL};
		struct derive_result derived;
		ck_assert_msg(layer_derive(fd, r->blob_size, LAYER_GZIP, -1, &opt, &derived, &e) ==
				      0,
			      "%s", e.msg);
		ck_assert(!derived.is_reframed);
		bytes = derived.index;
	}
	const struct digest index = hasher_sha256(bytes.data, bytes.len);
	ck_assert(digest_equal(&index, &r->index));
	ck_assert_int_eq(layer_index_decode(bytes.data, bytes.len, &ix, &e), 0);
	ck_assert_msg(layer_prove(fd, ix, NULL, &e) == 0, "%s", e.msg);
}

/* Each encoding to each, at any level: what the writer makes of the same entries. */
START_TEST(a_layer_of_ours_becomes_what_its_writer_would_have_made)
{
	static const struct layer_options options[] = {
		{{FRAME_ZSTD, 3}, 0},
		{{FRAME_ZSTD, 7}, 2},
		{{FRAME_GZIP, 6}, 0},
		{{FRAME_GZIP, 1}, 5},
	};
	SCOPE(str) struct str index = STR_INIT;

	for (size_t from = 0; from < ARRAY_LEN(options); from++) {
		struct layer_result was;
		SCOPE_FD int fd = sample_file();
		ck_assert_int_eq(
			sample_layer_as(fd, ARRAY_LEN(samples), &options[from], &was, &index, &e),
			0);
		for (size_t to = 0; to < ARRAY_LEN(options); to++) {
			struct layer_result want, got;
			SCOPE_FD int want_fd = sample_file();
			SCOPE_FD int got_fd = sample_file();
			ck_assert_int_eq(sample_layer_as(want_fd, ARRAY_LEN(samples), &options[to],
							 &want, &index, &e),
					 0);
			recode_blob(fd, was.blob_size, &options[from], got_fd, &options[to], &got);
			assert_same_result(&got, &want);
			assert_blob_is(got_fd, 0, &got);
		}
	}
}
END_TEST

/* gzip, zstd, gzip again: nothing of the tar is lost on the way. */
static void assert_round_trip(const struct str *tar, const char *what)
{
	struct layer_result first, second, third;
	const struct digest diff_id = hasher_sha256(tar->data, tar->len);
	SCOPE_FD int gzip_fd = sample_file();
	SCOPE_FD int zstd_fd = sample_file();
	SCOPE_FD int again_fd = sample_file();

	ck_assert_msg(recode_tar(tar, 0, gzip_fd, &gzip, &first) == 0, "%s: %s", what, e.msg);
	recode_blob(gzip_fd, first.blob_size, &gzip, zstd_fd, &zstd, &second);
	recode_blob(zstd_fd, second.blob_size, &zstd, again_fd, &gzip, &third);
	assert_same_result(&third, &first);
	ck_assert(digest_equal(&first.diff_id, &diff_id));
	ck_assert(digest_equal(&second.diff_id, &diff_id));
	ck_assert_uint_eq(second.tar_size, tar->len);
	ck_assert_uint_eq(second.entry_count, first.entry_count);
	assert_inflates_to(gzip_fd, &first, &gzip, tar);
	assert_inflates_to(zstd_fd, &second, &zstd, tar);
	assert_proven(gzip_fd, &first);
	assert_proven(zstd_fd, &second);
}

/* PAX and GNU headers, sparse files, hard links, long names: of seven programs. */
START_TEST(tars_of_other_tools_stay_as_they_are)
{
	DIR *dir = opendir(TEST_DATA "/tars");
	const struct dirent *de;
	unsigned count = 0;

	ck_assert_ptr_nonnull(dir);
	while ((de = readdir(dir))) {
		char path[512];
		SCOPE(str) struct str tar = STR_INIT;
		/* That of umoci insert has no end, and is refused. */
		if (de->d_name[0] == '.' || strcmp(de->d_name, "umoci-insert.tar") == 0)
			continue;
		snprintf(path, sizeof(path), TEST_DATA "/tars/%s", de->d_name);
		ck_assert_int_eq(io_slurp_path(path, WHOLE, &tar, &e), 0);
		assert_round_trip(&tar, de->d_name);
		count++;
	}
	closedir(dir);
	ck_assert_uint_ge(count, 20);
}
END_TEST

/* Zeros at the end, more than can wait for a header; and nothing but an end. */
static const size_t end_sizes[] = {TAR_END_SIZE, 10240, TAR_FRAMES_PENDING + 512, 5 * LIMIT_MIB};

START_TEST(the_end_of_an_archive_stays_as_long_as_it_is)
{
	SCOPE(str) struct str empty = STR_INIT;
	SCOPE(str) struct str tar = STR_INIT;

	ck_assert_int_eq(str_append_zeros(&empty, end_sizes[_i], &e), 0);
	assert_round_trip(&empty, "an empty layer");
	sample_tar(&tar, ARRAY_LEN(samples));
	ck_assert_int_eq(str_append_zeros(&tar, end_sizes[_i], &e), 0);
	assert_round_trip(&tar, "zeros at the end");
}
END_TEST

/* Headers that are as long as they may be, one after the other, before a file that is cut. */
static void long_headers(struct str *out)
{
	enum { COMMENT = LIMIT_PAX - 100 };
	SCOPE(str) struct str pax = STR_INIT;

	ck_assert_int_eq(str_append(&pax, "comment=", 8, &e), 0);
	while (pax.len < COMMENT)
		ck_assert_int_eq(str_appendf(&pax, &e, "%zu ", pax.len), 0);
	ck_assert_int_eq(str_append(&pax, "\n", 1, &e), 0);
	const struct make members[] = {
		{.type = 'g', .pax = str_text(&pax)},
		{.type = 'x', .pax = str_text(&pax)},
		{.type = 'L', .name = "././@LongLink", .data = "name", .data_len = 5},
		{.name = "file", .data = "content", .data_len = 7},
	};
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		make_member(out, &members[i]);
}

START_TEST(the_pieces_of_the_stream_make_no_difference)
{
	static const size_t steps[] = {0, 1, 511, 65537, 100000};
	SCOPE(str) struct str tar = STR_INIT;
	struct layer_result first, r;

	long_headers(&tar);
	sample_tar(&tar, ARRAY_LEN(samples));
	ck_assert_int_eq(str_append_zeros(&tar, 3 * LIMIT_MIB, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		SCOPE_FD int fd = sample_file();
		ck_assert_msg(recode_tar(&tar, steps[i], fd, encodings[_i], &r) == 0, "%s", e.msg);
		if (i == 0)
			first = r;
		assert_same_result(&r, &first);
	}
}
END_TEST

START_TEST(the_number_of_workers_makes_no_difference)
{
	static const unsigned workers[] = {0, 1, 2, 5, 1000};
	SCOPE(str) struct str tar = STR_INIT;
	struct layer_result first, r;

	sample_tar(&tar, ARRAY_LEN(samples));
	for (size_t i = 0; i < ARRAY_LEN(workers); i++) {
		const struct layer_options opt = {encodings[_i]->compression, workers[i]};
		SCOPE_FD int fd = sample_file();
		ck_assert_int_eq(recode_tar(&tar, 0, fd, &opt, &r), 0);
		if (i == 0)
			first = r;
		assert_same_result(&r, &first);
	}
}
END_TEST

/* Enough that differs for a blob that is no bomb. */
static int read_numbers(void *ctx, void *buf, size_t len, struct err *err)
{
	uint32_t *next = ctx;

	(void)err;
	memset(buf, 'z', len);
	for (size_t at = 0; at + sizeof(*next) <= len; at += 512) {
		*next = *next * UINT32_C(1664525) + 1;
		memcpy((uint8_t *)buf + at, next, sizeof(*next));
	}
	return 0;
}

/* Cut by 64 KiB, and where the writer cuts it. */
START_TEST(a_huge_file_is_cut_into_small_pieces)
{
	const struct entry en = {
		.path = "huge",
		.path_len = 4,
		.kind = ENTRY_REG,
		.mode = 0644,
		.size = FRAME_CUT_HUGE,
	};
	uint32_t seed = 1;
	const struct layer_source src = {read_numbers, &seed};
	SCOPE(layer_index) struct layer_index *ix = NULL;
	SCOPE(str) struct str bytes = STR_INIT;
	struct layer_result want, got;
	SCOPE_FD int want_fd = sample_file();
	SCOPE_FD int got_fd = sample_file();

	SCOPE(layer_writer) struct layer_writer *w = layer_writer_new(want_fd, &zstd, &e);
	ck_assert_ptr_nonnull(w);
	ck_assert_int_eq(layer_writer_add(w, &en, &src, &e), 0);
	ck_assert_int_eq(layer_writer_finish(w, &want, &e), 0);
	recode_blob(want_fd, want.blob_size, &zstd, got_fd, &zstd, &got);
	assert_same_result(&got, &want);

	ck_assert_int_eq(str_reserve(&bytes, got.index_size, &e), 0);
	ck_assert_int_eq(io_pread_full(got_fd, bytes.data, got.index_size, got.index_offset),
			 (ssize_t)got.index_size);
	ck_assert_int_eq(layer_index_decode(bytes.data, got.index_size, &ix, &e), 0);
	const size_t count = layer_index_frame_count(ix);
	ck_assert_uint_eq(count, FRAME_CUT_HUGE / FRAME_CUT_HUGE_PIECE);
	ck_assert_uint_eq(layer_index_frame(ix, count / 2).length, FRAME_CUT_HUGE_PIECE);
}
END_TEST

/* One file holds several blobs. */
START_TEST(a_blob_begins_at_the_offset_of_its_file)
{
	SCOPE(str) struct str tar = STR_INIT;
	struct layer_result first, second;
	SCOPE_FD int fd = sample_file();

	sample_tar(&tar, ARRAY_LEN(samples));
	ck_assert_int_eq(recode_tar(&tar, 0, fd, encodings[_i], &first), 0);
	ck_assert_int_eq(recode_tar(&tar, 0, fd, encodings[_i], &second), 0);
	assert_same_result(&second, &first);
	assert_blob_is(fd, 0, &first);
	assert_blob_is(fd, first.blob_size, &second);
}
END_TEST

static const struct {
	const char *what;
	size_t keep; /* bytes of the tar */
	const char *more;
	enum err_code code;
	const char *word;
} refused[] = {
	{"no tar", 0, "this is no tar, and of no use", ERR_FORMAT, "tar"},
	{"nothing", 0, "", ERR_FORMAT, "tar"},
	{"cut in a header", 700, "", ERR_FORMAT, "tar"},
	{"cut after a member", 1024, "", ERR_FORMAT, "end"},
	{"garbage after the end", SIZE_MAX, "garbage", ERR_FORMAT, "after"},
};

START_TEST(what_is_no_tar_is_refused)
{
	SCOPE(str) struct str tar = STR_INIT;
	struct layer_result r, before;
	SCOPE_FD int fd = sample_file();

	memset(&r, 0xa5, sizeof(r));
	memcpy(&before, &r, sizeof(r));
	sample_tar(&tar, SOME);
	if (refused[_i].keep < tar.len)
		str_truncate(&tar, refused[_i].keep);
	ck_assert_int_eq(str_append(&tar, refused[_i].more, strlen(refused[_i].more), &e), 0);
	ck_assert_int_eq(recode_tar(&tar, 0, fd, &zstd, &r), -1);
	ck_assert_err(&e, refused[_i].code, refused[_i].word);
	ck_assert_mem_eq(&r, &before, sizeof(r));
}
END_TEST

START_TEST(a_level_that_there_is_not_is_refused)
{
	static const struct layer_options none[] = {{{FRAME_RAW, 0}, 0}, {{FRAME_GZIP, 10}, 0}};
	SCOPE(str) struct str tar = STR_INIT;
	struct layer_result r;
	SCOPE_FD int fd = sample_file();

	sample_tar(&tar, SOME);
	ck_assert_int_eq(recode_tar(&tar, 0, fd, &none[_i], &r), -1);
	ck_assert_int_eq(e.code, ERR_USAGE);
	err_clear(&e);
}
END_TEST

START_TEST(errors_of_both_sides_are_passed_on)
{
	SCOPE(str) struct str tar = STR_INIT;
	struct layer_result r;
	struct make_input from = {.step = 512, .fails_at = 2048};
	const struct tar_input in = {make_read, &from, NULL};
	SCOPE_FD int fd = sample_file();
	SCOPE_FD int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	sample_tar(&tar, ARRAY_LEN(samples));
	from.bytes = tar.data;
	from.len = tar.len;
	ck_assert_int_eq(layer_recode(&in, fd, &zstd, &r, &e), -1);
	ck_assert_err(&e, ERR_NET, "the wire broke");
	ck_assert_int_eq(recode_tar(&tar, 0, full, &zstd, &r), -1);
	ck_assert_int_eq(e.sys, ENOSPC);
	ck_assert_err(&e, ERR_SYS, "cannot write a layer");
}
END_TEST

static int recode_once(void *arg, struct err *err)
{
	const struct str *tar = arg;
	struct make_input from = {.bytes = tar->data, .len = tar->len};
	const struct tar_input in = {make_read, &from, NULL};
	const struct layer_options opt = {COMPRESSION_DEFAULT, 0};
	struct layer_result r;
	SCOPE_FD int fd = memfd_create("layer", MFD_CLOEXEC);

	return fd < 0 ? err_sys(err, errno, "memfd") : layer_recode(&in, fd, &opt, &r, err);
}

START_TEST(survives_without_memory)
{
	SCOPE(str) struct str tar = STR_INIT;

	sample_tar(&tar, SOME);
	failalloc_each(recode_once, &tar);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/layer_recode");
	TCase *tc = tcase_create("layer_recode");
	const int both = (int)ARRAY_LEN(encodings);

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_layer_of_ours_becomes_what_its_writer_would_have_made);
	tcase_add_test(tc, tars_of_other_tools_stay_as_they_are);
	tcase_add_loop_test(tc, the_end_of_an_archive_stays_as_long_as_it_is, 0,
			    (int)ARRAY_LEN(end_sizes));
	tcase_add_loop_test(tc, the_pieces_of_the_stream_make_no_difference, 0, both);
	tcase_add_loop_test(tc, the_number_of_workers_makes_no_difference, 0, both);
	tcase_add_test(tc, a_huge_file_is_cut_into_small_pieces);
	tcase_add_loop_test(tc, a_blob_begins_at_the_offset_of_its_file, 0, both);
	tcase_add_loop_test(tc, what_is_no_tar_is_refused, 0, (int)ARRAY_LEN(refused));
	tcase_add_loop_test(tc, a_level_that_there_is_not_is_refused, 0, 2);
	tcase_add_test(tc, errors_of_both_sides_are_passed_on);
	tcase_add_test(tc, survives_without_memory);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
