/* SPDX-License-Identifier: Apache-2.0 */
/* The blobs of tests/data/blobs are one tar in the forms that gzip, pigz, zstd and pzstd give
 * it. */
#include "tests/unit/main.h"

#include <stdio.h>
#include <sys/mman.h>
#include <zlib.h>
#include <zstd.h>

#include "base/io.h"
#include "base/limits.h"
#include "image/inflate.h"

#define BYTES(text) text, sizeof(text) - 1

enum { WHOLE = 1 << 20 /* more than any fixture */ };

static struct err e;
static struct str plain;

static void slurp(const char *name, struct str *out)
{
	char path[512];

	snprintf(path, sizeof(path), TEST_DATA "/blobs/%s", name);
	ck_assert_msg(io_slurp_path(path, WHOLE, out, &e) == 0, "%s", e.msg);
}

static void setup(void)
{
	e = (struct err)ERR_INIT;
	plain = (struct str)STR_INIT;
	slurp("plain.tar", &plain);
}

static void teardown(void)
{
	str_fini(&plain);
}

static int file_with(const void *bytes, size_t len)
{
	const int fd = memfd_create("blob", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(io_write_all(fd, bytes, len), 0);
	return fd;
}

/* Everything, `step` bytes at a time; -1 with the error set. */
static int inflate_fd(int fd, uint64_t size, enum layer_encoding encoding, size_t step,
		      struct str *out)
{
	SCOPE(inflate) struct inflate *in = inflate_new(fd, size, encoding, NULL, &e);
	SCOPE_FREE uint8_t *buf = malloc(step);

	ck_assert_ptr_nonnull(in);
	ck_assert_ptr_nonnull(buf);
	for (;;) {
		const ssize_t n = inflate_read(in, buf, step, &e);
		if (n <= 0)
			return (int)n;
		/* ck_assert takes long, a hundred thousand times. */
		if ((size_t)n > step || (out && str_append(out, buf, (size_t)n, &e) < 0))
			ck_abort_msg("%zd bytes for %zu", n, step);
	}
}

static int inflate_bytes(const void *bytes, size_t len, enum layer_encoding encoding,
			 struct str *out)
{
	SCOPE_FD int fd = file_with(bytes, len);

	return inflate_fd(fd, len, encoding, 4096, out);
}

static const struct {
	const char *name;
	enum layer_encoding encoding;
} good[] = {
	{"plain.tar", LAYER_TAR},        {"gzip.gz", LAYER_GZIP},
	{"gzip-header.gz", LAYER_GZIP},  {"gzip-members.gz", LAYER_GZIP},
	{"pigz.gz", LAYER_GZIP},         {"pigz-independent.gz", LAYER_GZIP},
	{"zstd-ultra.zst", LAYER_ZSTD},  {"zstd-stream.zst", LAYER_ZSTD},
	{"zstd-frames.zst", LAYER_ZSTD}, {"pzstd.zst", LAYER_ZSTD},
	{"zstd-long27.zst", LAYER_ZSTD},
};

START_TEST(gives_the_tar)
{
	static const size_t steps[] = {1, 777, WHOLE};
	SCOPE(str) struct str blob = STR_INIT;

	slurp(good[_i].name, &blob);
	SCOPE_FD int fd = file_with(blob.data, blob.len);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		SCOPE(str) struct str out = STR_INIT;
		ck_assert_msg(inflate_fd(fd, blob.len, good[_i].encoding, steps[i], &out) == 0,
			      "%s", e.msg);
		ck_assert_uint_eq(out.len, plain.len);
		ck_assert_mem_eq(out.data, plain.data, plain.len);
	}
}
END_TEST

static const struct {
	const char *name;
	enum layer_encoding encoding;
} single[] = {
	{"gzip-header.gz", LAYER_GZIP},
	{"zstd-stream.zst", LAYER_ZSTD},
};

START_TEST(content_has_a_limit)
{
	ck_assert_int_eq(inflate_check_expansion(LIMIT_LAYER_CONTENT, LIMIT_LAYER_CONTENT, &e), 0);
	ck_assert_int_eq(inflate_check_expansion(LIMIT_LAYER_CONTENT + 1, LIMIT_LAYER_CONTENT, &e),
			 -1);
	ck_assert_err(&e, ERR_LIMIT, "bytes of content");
}
END_TEST

START_TEST(any_blob_cut_short_is_refused)
{
	SCOPE(str) struct str blob = STR_INIT;

	slurp(single[_i].name, &blob);
	SCOPE_FD int fd = file_with(blob.data, blob.len);
	/* All of the headers and the trailer; the middle now and then. */
	for (size_t len = 1; len < blob.len; len += len < 64 || len + 64 > blob.len ? 1 : 61) {
		ck_assert_int_eq(inflate_fd(fd, len, single[_i].encoding, 65536, NULL), -1);
		ck_assert_err(&e, ERR_FORMAT, len < 4 ? "" : "cut short");
	}
}
END_TEST

START_TEST(file_shorter_than_its_size_is_refused)
{
	SCOPE_FD int fd = file_with(plain.data, plain.len);

	ck_assert_int_eq(inflate_fd(fd, plain.len + 1, LAYER_TAR, 65536, NULL), -1);
	ck_assert_err(&e, ERR_FORMAT, "fewer than");
}
END_TEST

static const struct {
	const char *name;
	enum layer_encoding encoding;
	const char *tail;
	size_t len;
} tails[] = {
	{"gzip.gz", LAYER_GZIP, "x", 1},
	{"gzip.gz", LAYER_GZIP, "\0\0\0\0\0\0\0\0", 8},
	{"gzip.gz", LAYER_GZIP, "\x1f\x8b", 2},
	{"gzip.gz", LAYER_GZIP, "\x28\xb5\x2f\xfd\x00\x00", 6},
	{"zstd-ultra.zst", LAYER_ZSTD, "x", 1},
	{"zstd-ultra.zst", LAYER_ZSTD, "\0\0\0\0\0\0\0\0", 8},
	{"pzstd.zst", LAYER_ZSTD, "\x1f\x8b\x08\x00\x00", 5},
};

START_TEST(trailing_bytes_are_refused)
{
	SCOPE(str) struct str blob = STR_INIT;

	slurp(tails[_i].name, &blob);
	ck_assert_int_eq(str_append(&blob, tails[_i].tail, tails[_i].len, &e), 0);
	ck_assert_int_eq(inflate_bytes(blob.data, blob.len, tails[_i].encoding, NULL), -1);
	ck_assert_err(&e, ERR_FORMAT, "trailing garbage");
}
END_TEST

static const struct {
	const char *name;
	enum layer_encoding encoding;
	const char *word;
} wrong[] = {
	{"gzip.gz", LAYER_ZSTD, "says zstd, but the bytes are gzip"},
	{"gzip.gz", LAYER_TAR, "says tar, but the bytes are gzip"},
	{"zstd-ultra.zst", LAYER_GZIP, "says gzip, but the bytes are zstd"},
	{"pzstd.zst", LAYER_GZIP, "says gzip, but the bytes are zstd"},
	{"pzstd.zst", LAYER_TAR, "says tar, but the bytes are zstd"},
	{"plain.tar", LAYER_GZIP, "says gzip, but the bytes are tar"},
	{"plain.tar", LAYER_ZSTD, "says zstd, but the bytes are tar"},
};

START_TEST(other_bytes_than_the_media_type_says_are_refused)
{
	SCOPE(str) struct str blob = STR_INIT;

	slurp(wrong[_i].name, &blob);
	ck_assert_int_eq(inflate_bytes(blob.data, blob.len, wrong[_i].encoding, NULL), -1);
	ck_assert_err(&e, ERR_FORMAT, wrong[_i].word);
}
END_TEST

static const struct {
	const char *bytes;
	size_t len;
	enum layer_encoding encoding;
	const char *word;
} bad[] = {
	{BYTES(""), LAYER_TAR, "empty"},
	{BYTES(""), LAYER_GZIP, "empty"},
	{BYTES(""), LAYER_ZSTD, "empty"},
	{BYTES("\xfd\x37zXZ\0\0\0"), LAYER_TAR, "bytes are xz"},
	{BYTES("hello, world"), LAYER_GZIP, "something else"},
	/* Method 9; reserved flags. */
	{BYTES("\x1f\x8b\x09\0\0\0\0\0\0\3\3\0"), LAYER_GZIP, "gzip"},
	{BYTES("\x1f\x8b\x08\xe0\0\0\0\0\0\3\3\0"), LAYER_GZIP, "malformed"},
	/* Block type 3. */
	{BYTES("\x1f\x8b\x08\0\0\0\0\0\0\3\7\0"), LAYER_GZIP, "malformed"},
	/* zstd 0.7; skippable frames that promise more than there is. */
	{BYTES("\x27\xb5\x2f\xfd\0\0\0\0\0"), LAYER_ZSTD, "something else"},
	{BYTES("\x50\x2a\x4d\x18\xff\xff\xff\xffx"), LAYER_ZSTD, "cut short"},
	{BYTES("\x5f\x2a\x4d\x18\1\0"), LAYER_ZSTD, "cut short"},
	/* A reserved bit of the frame header; a block of the reserved type. */
	{BYTES("\x28\xb5\x2f\xfd\x28\x01\0\0\0"), LAYER_ZSTD, "malformed"},
	{BYTES("\x28\xb5\x2f\xfd\x20\x01\x07\0\0"), LAYER_ZSTD, "malformed"},
	/* Content size 2, content "x". */
	{BYTES("\x28\xb5\x2f\xfd\x20\x02\x09\0\0x"), LAYER_ZSTD, "malformed"},
};

START_TEST(malformed_blobs_are_refused)
{
	ck_assert_int_eq(inflate_bytes(bad[_i].bytes, bad[_i].len, bad[_i].encoding, NULL), -1);
	ck_assert_err(&e, ERR_FORMAT, bad[_i].word);
}
END_TEST

START_TEST(zstd_limits)
{
	SCOPE(str) struct str window = STR_INIT;
	SCOPE(str) struct str dictionary = STR_INIT;

	slurp("zstd-window28.zst", &window);
	ck_assert_int_eq(inflate_bytes(window.data, window.len, LAYER_ZSTD, NULL), -1);
	ck_assert_err(&e, ERR_LIMIT, "window");
	slurp("zstd-dictionary.zst", &dictionary);
	ck_assert_int_eq(inflate_bytes(dictionary.data, dictionary.len, LAYER_ZSTD, NULL), -1);
	ck_assert_err(&e, ERR_FORMAT, "dictionary");
}
END_TEST

/* 96 MiB of zeros in one frame: zstd needs four bytes for 128 KiB of them. */
static size_t zstd_zeros(uint8_t *out, size_t out_size, size_t size)
{
	void *zeros = calloc(1, size);

	ck_assert_ptr_nonnull(zeros);
	const size_t n = ZSTD_compress(out, out_size, zeros, size, 1);
	free(zeros);
	ck_assert(!ZSTD_isError(n));
	return n;
}

START_TEST(zstd_bomb_is_refused)
{
	uint8_t blob[64 * 1024];
	size_t len = zstd_zeros(blob, sizeof(blob), LIMIT_EXPANSION_FREE);

	ck_assert_int_eq(inflate_bytes(blob, len, LAYER_ZSTD, NULL), 0);
	len += zstd_zeros(blob + len, sizeof(blob) - len, LIMIT_EXPANSION_FREE);
	ck_assert_int_eq(inflate_bytes(blob, len, LAYER_ZSTD, NULL), -1);
	ck_assert_err(&e, ERR_LIMIT, "expands");
}
END_TEST

START_TEST(gzip_bomb_is_refused)
{
	const size_t size = LIMIT_EXPANSION_FREE + 8 * LIMIT_MIB;
	uint8_t *blob = malloc(size / 500);
	void *zeros = calloc(1, size);
	z_stream z = {.next_in = zeros, .avail_in = (uInt)size};

	ck_assert(blob && zeros);
	ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_out = blob;
	z.avail_out = (uInt)(size / 500);
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	ck_assert_int_eq(inflate_bytes(blob, z.total_out, LAYER_GZIP, NULL), -1);
	ck_assert_err(&e, ERR_LIMIT, "expands");
	deflateEnd(&z);
	free(zeros);
	free(blob);
}
END_TEST

START_TEST(stored_blob_over_the_limit_is_refused)
{
	SCOPE_FD int fd = file_with("x", 1);

	ck_assert_int_eq(inflate_fd(fd, LIMIT_LAYER_CONTENT + 1, LAYER_TAR, 10, NULL), -1);
	ck_assert_err(&e, ERR_LIMIT, "content");
}
END_TEST

START_TEST(skippable_frames_are_not_read)
{
	/* Two of them in a row, one of 1 GiB that the file has as a hole, and a frame. */
	static const uint8_t front[] = {0x50, 0x2a, 0x4d, 0x18, 2,    0, 0, 0, 'a',
					'b',  0x5e, 0x2a, 0x4d, 0x18, 0, 0, 0, 0x40};
	uint8_t frame[64];
	const size_t len = ZSTD_compress(frame, sizeof(frame), "content", 7, 1);
	const uint64_t place = sizeof(front) + LIMIT_GIB;
	SCOPE_FD int fd = file_with(front, sizeof(front));
	SCOPE(str) struct str out = STR_INIT;

	ck_assert_int_eq(io_pwrite_all(fd, frame, len, place), 0);
	ck_assert_int_eq(inflate_fd(fd, place + len, LAYER_ZSTD, 100, &out), 0);
	ck_assert_str_eq(str_text(&out), "content");
}
END_TEST

struct counter {
	struct progress progress;
	uint64_t done;
};

static void count(struct progress *p, bool at_once)
{
	struct counter *c = (struct counter *)p;

	ck_assert(!at_once);
	ck_assert_uint_ge(p->phase.done, c->done);
	c->done = p->phase.done;
}

START_TEST(progress_ends_at_the_size_of_the_blob)
{
	struct counter c = {.progress = {.show = count}};
	uint8_t buf[4096];
	ssize_t n;

	SCOPE_FD int fd = file_with(plain.data, plain.len);
	SCOPE(inflate)
	struct inflate *in = inflate_new(fd, plain.len, LAYER_TAR, &c.progress, &e);
	while ((n = inflate_read(in, buf, sizeof(buf), &e)) > 0)
		continue;
	ck_assert_int_eq(n, 0);
	ck_assert_uint_eq(c.done, plain.len);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/inflate");
	TCase *reads = tcase_create("reads");
	TCase *refuses = tcase_create("refuses");

	tcase_add_checked_fixture(reads, setup, teardown);
	tcase_set_timeout(reads, 60);
	tcase_add_loop_test(reads, gives_the_tar, 0, ARRAY_LEN(good));
	tcase_add_test(reads, skippable_frames_are_not_read);
	tcase_add_test(reads, progress_ends_at_the_size_of_the_blob);
	suite_add_tcase(s, reads);
	tcase_add_checked_fixture(refuses, setup, teardown);
	tcase_set_timeout(refuses, 60);
	tcase_add_loop_test(refuses, any_blob_cut_short_is_refused, 0, ARRAY_LEN(single));
	tcase_add_test(refuses, content_has_a_limit);
	tcase_add_test(refuses, file_shorter_than_its_size_is_refused);
	tcase_add_loop_test(refuses, trailing_bytes_are_refused, 0, ARRAY_LEN(tails));
	tcase_add_loop_test(refuses, other_bytes_than_the_media_type_says_are_refused, 0,
			    ARRAY_LEN(wrong));
	tcase_add_loop_test(refuses, malformed_blobs_are_refused, 0, ARRAY_LEN(bad));
	tcase_add_test(refuses, zstd_limits);
	tcase_add_test(refuses, zstd_bomb_is_refused);
	tcase_add_test(refuses, gzip_bomb_is_refused);
	tcase_add_test(refuses, stored_blob_over_the_limit_is_refused);
	suite_add_tcase(s, refuses);
	return s;
}

UNIT_MAIN(suite_new)
