/* SPDX-License-Identifier: Apache-2.0 */
/* Members are made here by zlib. */
#include "tests/unit/main.h"

#include <endian.h>
#include <stdio.h>
#include <sys/mman.h>
#include <zlib.h>

#include "base/hasher.h"
#include "base/io.h"
#include "base/limits.h"
#include "image/gzip_frames.h"
#include "tests/support/failalloc.h"

#define BYTES(text) text, sizeof(text) - 1

enum { GZIP_WINDOW_BITS = 15 + 16 /* zlib.h: 16 asks for gzip's header */ };

static struct err e;
static struct str blob;

static void setup(void)
{
	e = (struct err)ERR_INIT;
	blob = (struct str)STR_INIT;
}

static void teardown(void)
{
	str_fini(&blob);
}

/* Appends a member of these bytes. */
static void add(const void *bytes, size_t len, int level)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)len};

	ck_assert_int_eq(
		deflateInit2(&z, level, Z_DEFLATED, GZIP_WINDOW_BITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	const size_t bound = deflateBound(&z, len);
	ck_assert_int_eq(str_reserve(&blob, bound, &e), 0);
	z.next_out = (Bytef *)blob.data + blob.len;
	z.avail_out = (uInt)bound;
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	blob.len += z.total_out;
	deflateEnd(&z);
}

/* The same of `len` times one byte. */
static void add_run(char byte, size_t len)
{
	SCOPE_FREE char *bytes = malloc(len);

	ck_assert_ptr_nonnull(bytes);
	memset(bytes, byte, len);
	add(bytes, len, 6);
}

static int blob_file(void)
{
	const int fd = memfd_create("blob", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(io_write_all(fd, str_text(&blob), blob.len), 0);
	return fd;
}

/* Reads all frames, each of which must be what frame_read makes of its place: how it ends. */
static int read_all(struct str *content, size_t *count)
{
	static uint8_t again[GZIP_FRAMES_CONTENT_MAX];
	SCOPE_FD int fd = blob_file();
	SCOPE(gzip_frames) struct gzip_frames *g = gzip_frames_new(fd, blob.len, NULL, &e);
	SCOPE(frame_decoder) struct frame_decoder *d = frame_decoder_new(&e);
	uint64_t tar_offset = 0, blob_offset = 0;

	ck_assert_ptr_nonnull(g);
	for (*count = 0;; ++*count) {
		struct frame f;
		const void *bytes;
		const int r = gzip_frames_next(g, &f, &bytes, &e);
		if (r != GZIP_FRAMES_ONE)
			return r;
		if (f.tar_offset != tar_offset || f.blob_offset < blob_offset)
			ck_abort_msg("a frame does not follow the one before");
		tar_offset += f.length;
		blob_offset = f.blob_offset + f.blob_length;
		if (frame_read(d, fd, FRAME_GZIP, &f, again, &e) < 0 ||
		    memcmp(again, bytes, f.length) != 0)
			ck_abort_msg("not the content of its frame: %s", e.msg ? e.msg : "");
		if (content)
			ck_assert_int_eq(str_append(content, bytes, f.length, &e), 0);
	}
}

START_TEST(members_are_frames)
{
	SCOPE(str) struct str content = STR_INIT;
	size_t count;

	add("one", 3, 6);
	add("two and three", 13, 9);
	add("4", 1, 0);
	ck_assert_int_eq(read_all(&content, &count), GZIP_FRAMES_END);
	ck_assert_uint_eq(count, 3);
	ck_assert_uint_eq(content.len, 17);
	ck_assert_mem_eq(content.data, "onetwo and three4", 17);
}
END_TEST

START_TEST(members_of_nothing_are_passed_over)
{
	SCOPE(str) struct str content = STR_INIT;
	size_t count;

	add("", 0, 6);
	add("", 0, 0);
	add("some", 4, 6);
	for (int i = 0; i < 5000; i++)
		add("", 0, 6);
	add("more", 4, 6);
	add("", 0, 6);
	ck_assert_int_eq(read_all(&content, &count), GZIP_FRAMES_END);
	ck_assert_uint_eq(count, 2);
	ck_assert_mem_eq(content.data, "somemore", 8);
}
END_TEST

/* The window is moved more than once, and ends in the middle of members and of headers. */
START_TEST(more_than_the_window_holds)
{
	enum { PIECE = 777777, PIECES = 15 };
	SCOPE(str) struct str want = STR_INIT;
	SCOPE(str) struct str content = STR_INIT;
	uint32_t x = 3;
	size_t count;

	ck_assert_int_eq(str_reserve(&want, (size_t)PIECE * PIECES, &e), 0);
	want.len = (size_t)PIECE * PIECES;
	for (size_t i = 0; i < want.len; i++) {
		x = x * 1664525 + 1013904223;
		want.data[i] = (char)(x >> 24);
	}
	for (size_t i = 0; i < PIECES; i++)
		add(want.data + i * PIECE, PIECE, 1);
	ck_assert_uint_gt(blob.len, 2 * GZIP_FRAMES_WINDOW);
	ck_assert_int_eq(read_all(&content, &count), GZIP_FRAMES_END);
	ck_assert_uint_eq(count, PIECES);
	ck_assert_uint_eq(content.len, want.len);
	ck_assert(memcmp(content.data, want.data, want.len) == 0);
}
END_TEST

/* Appends a member of `size` bytes in all: one stored block (RFC 1951, 3.2.4). */
static void add_stored(size_t size)
{
	enum { AROUND = 10 + 5 + 8 /* headers of member and block, trailer */ };
	static const char noise[1 << 15] = "noise";
	const size_t before = blob.len;

	add(noise, size - AROUND, 0);
	ck_assert_uint_eq(blob.len - before, size);
}

/* Bits that are not in the window yet count as zeros, and may look like more content than fits. */
START_TEST(the_longest_member_is_cut_by_the_window)
{
	enum { CUTS = 24, SMALL = 800, LEAST = 100 };
	SCOPE(str) struct str longest = STR_INIT;
	size_t count;

	add_run('x', GZIP_FRAMES_CONTENT_MAX);
	ck_assert_int_eq(str_append(&longest, blob.data, blob.len, &e), 0);
	for (size_t cut = 1; cut <= CUTS; cut++) {
		const size_t front = GZIP_FRAMES_WINDOW - (longest.len - cut);
		blob.len = 0;
		while (front - blob.len > SMALL + LEAST)
			add_stored(SMALL);
		add_stored(front - blob.len);
		ck_assert_int_eq(str_append(&blob, longest.data, longest.len, &e), 0);
		ck_assert_int_eq(read_all(NULL, &count), GZIP_FRAMES_END);
		ck_assert_uint_gt(count, 1000);
	}
}
END_TEST

START_TEST(the_longest_member_is_a_frame)
{
	size_t count;

	add_run('x', GZIP_FRAMES_CONTENT_MAX);
	ck_assert_int_eq(read_all(NULL, &count), GZIP_FRAMES_END);
	ck_assert_uint_eq(count, 1);
}
END_TEST

START_TEST(a_longer_member_is_none)
{
	size_t count;

	add("first", 5, 6);
	add_run('x', GZIP_FRAMES_CONTENT_MAX + 1);
	add("last", 4, 6);
	ck_assert_int_eq(read_all(NULL, &count), GZIP_FRAMES_UNFIT);
	ck_assert_uint_eq(count, 1);
}
END_TEST

/* Short content in long bytes: empty stored blocks (RFC 1951, 3.2.4). */
START_TEST(a_member_that_no_window_holds_is_none)
{
	static const char header[] = "\x1f\x8b\x08\0\0\0\0\0\0\xff";
	static const char empty[] = "\0\0\0\xff\xff", last[] = "\1\0\0\xff\xff";
	size_t count;

	add("first", 5, 6);
	ck_assert_int_eq(str_append(&blob, header, 10, &e), 0);
	while (blob.len < GZIP_FRAMES_WINDOW + 100)
		ck_assert(str_append(&blob, empty, 5, &e) == 0);
	ck_assert_int_eq(str_append(&blob, last, 5, &e), 0);
	ck_assert_int_eq(str_append_zeros(&blob, 8, &e), 0);
	ck_assert_int_eq(read_all(NULL, &count), GZIP_FRAMES_UNFIT);
	ck_assert_uint_eq(count, 1);
}
END_TEST

/* An index has a record for each. */
START_TEST(a_frame_for_every_byte_is_too_much)
{
	size_t count;

	for (int i = 0; i < 5000; i++)
		add("x", 1, 0);
	ck_assert_int_eq(read_all(NULL, &count), GZIP_FRAMES_UNFIT);
	ck_assert_uint_lt(count, 2000);
	/* But not where they hold something. */
	blob.len = 0;
	for (int i = 0; i < 5000; i++)
		add_run('x', 512);
	ck_assert_int_eq(read_all(NULL, &count), GZIP_FRAMES_END);
	ck_assert_uint_eq(count, 5000);
}
END_TEST

/*
 * Appends the member that expands most: zeros, as one block of deflate with codes of its own (RFC
 * 1951, 3.2.7).  A literal, then 4064 times length 258 at distance 1, for which the tree in HEAD
 * has a code of one bit each, "0" and "0"; the end is in the last byte.  zlib does not come so far:
 * what it makes of 1 MiB expands to 998 times its size.
 */
enum { BOMB_CONTENT = 1 + 4064 * 258, BOMB_DEFLATED = 1030 };

static void add_bomb(void)
{
	static const char header[] = "\x1f\x8b\x08\0\0\0\0\0\0\xff";
	static const char head[] = "\xed\xc0\x81\0\0\0\0\x80\xa0\xfd\xa9\x17\xa9";
	static const uint8_t zeros[BOMB_CONTENT];
	const uint32_t trailer[2] = {htole32((uint32_t)crc32(0, zeros, sizeof(zeros))),
				     htole32(BOMB_CONTENT)};

	ck_assert_int_eq(str_append(&blob, header, 10, &e), 0);
	ck_assert_int_eq(str_append(&blob, BYTES(head), &e), 0);
	ck_assert_int_eq(str_append_zeros(&blob, BOMB_DEFLATED - sizeof(head), &e), 0);
	ck_assert_int_eq(str_append_c(&blob, '\x06', &e), 0);
	ck_assert_int_eq(str_append(&blob, trailer, sizeof(trailer), &e), 0);
}

START_TEST(members_that_expand_beyond_the_limit)
{
	enum { FREE = LIMIT_EXPANSION_FREE / BOMB_CONTENT /* in whole members */ };
	size_t count;

	for (int i = 0; i < FREE; i++)
		add_bomb();
	/* Any ratio is fine up to there. */
	ck_assert_int_eq(read_all(NULL, &count), GZIP_FRAMES_END);
	ck_assert_uint_eq(count, FREE);
	add_bomb();
	ck_assert_int_eq(read_all(NULL, &count), -1);
	ck_assert_err(&e, ERR_LIMIT, "expands to more than 1000 times its size");
	ck_assert_uint_eq(count, FREE);
	/* The same behind a member that does not expand. */
	blob.len = 0;
	add_stored(LIMIT_EXPANSION_RATIO);
	for (int i = 0; i <= FREE; i++)
		add_bomb();
	ck_assert_int_eq(read_all(NULL, &count), GZIP_FRAMES_END);
	ck_assert_uint_eq(count, FREE + 2);
}
END_TEST

static const struct {
	const char *bytes;
	size_t len;
} others[] = {
	{BYTES("")},
	{BYTES("x")},
	{BYTES("\x1f\x8b")},
	{BYTES("\x28\xb5\x2f\xfd\x20\x01\x09\x00\x00x")},
	{BYTES("garbage, and a good deal of it, so that a header would fit")},
};

START_TEST(what_is_no_gzip_has_no_frames)
{
	size_t count;

	/* Alone, and behind a member. */
	ck_assert_int_eq(str_append(&blob, others[_i].bytes, others[_i].len, &e), 0);
	ck_assert_int_eq(read_all(NULL, &count), GZIP_FRAMES_UNFIT);
	blob.len = 0;
	add("good", 4, 6);
	ck_assert_int_eq(str_append(&blob, others[_i].bytes, others[_i].len, &e), 0);
	ck_assert_int_eq(read_all(NULL, &count),
			 others[_i].len > 0 ? GZIP_FRAMES_UNFIT : GZIP_FRAMES_END);
	ck_assert_uint_eq(count, 1);
}
END_TEST

START_TEST(a_file_cut_under_us_is_told)
{
	struct frame f;
	const void *bytes;

	add("good", 4, 6);
	SCOPE_FD int fd = blob_file();
	SCOPE(gzip_frames) struct gzip_frames *g = gzip_frames_new(fd, blob.len + 1, NULL, &e);
	ck_assert_int_eq(gzip_frames_next(g, &f, &bytes, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "fewer than");
	SCOPE(gzip_frames) struct gzip_frames *closed = gzip_frames_new(-1, 10, NULL, &e);
	ck_assert_int_eq(gzip_frames_next(closed, &f, &bytes, &e), -1);
	ck_assert_err(&e, ERR_SYS, "cannot read the blob");
}
END_TEST

static int make_one(void *arg, struct err *err)
{
	SCOPE(gzip_frames) struct gzip_frames *g = gzip_frames_new(-1, 100, NULL, err);

	(void)arg;
	return g ? 0 : -1;
}

START_TEST(memory_runs_out)
{
	failalloc_each(make_one, NULL);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/gzip_frames");
	TCase *tc = tcase_create("gzip_frames");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, members_are_frames);
	tcase_add_test(tc, members_of_nothing_are_passed_over);
	tcase_add_test(tc, more_than_the_window_holds);
	tcase_add_test(tc, the_longest_member_is_cut_by_the_window);
	tcase_add_test(tc, the_longest_member_is_a_frame);
	tcase_add_test(tc, a_longer_member_is_none);
	tcase_add_test(tc, a_member_that_no_window_holds_is_none);
	tcase_add_test(tc, a_frame_for_every_byte_is_too_much);
	tcase_add_test(tc, members_that_expand_beyond_the_limit);
	tcase_add_loop_test(tc, what_is_no_gzip_has_no_frames, 0, ARRAY_LEN(others));
	tcase_add_test(tc, a_file_cut_under_us_is_told);
	tcase_add_test(tc, memory_runs_out);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
