/* SPDX-License-Identifier: Apache-2.0 */
/* Frames are made here by libzstd and zlib themselves. */
#include "tests/unit/main.h"

#include <stdio.h>
#include <sys/mman.h>
#include <zlib.h>
#include <zstd.h>

#include "base/hasher.h"
#include "base/io.h"
#include "base/limits.h"
#include "image/frame.h"

enum { CONTENT = 5000, PACKED_MAX = 6000, BEFORE = 11 /* bytes in front of the frame */ };

static uint8_t content[CONTENT], out[LIMIT_FRAME];
static struct frame_decoder *decoder;
static struct err e;

static void setup(void)
{
	uint32_t x = 1;

	for (size_t i = 0; i < CONTENT; i++) {
		x = x * 1664525 + 1013904223;
		content[i] = (uint8_t)('a' + (x >> 24) % 7);
	}
	e = (struct err)ERR_INIT;
	decoder = frame_decoder_new(&e);
	ck_assert_ptr_nonnull(decoder);
}

static void teardown(void)
{
	frame_decoder_free(decoder);
}

static int file_with(const void *bytes, size_t len)
{
	const int fd = memfd_create("frame", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(io_write_all(fd, "0123456789\n", BEFORE), 0);
	ck_assert_int_eq(io_write_all(fd, bytes, len), 0);
	return fd;
}

static struct frame frame_of(const void *packed, size_t len, uint32_t length)
{
	struct frame f = {0, BEFORE, (uint32_t)len, length, {0}};
	const struct digest d = hasher_sha256(packed, len);

	memcpy(f.sha256, d.raw, sizeof(f.sha256));
	return f;
}

static size_t pack(uint8_t packed[static PACKED_MAX])
{
	const size_t n = ZSTD_compress(packed, PACKED_MAX, content, CONTENT, 3);

	ck_assert(!ZSTD_isError(n));
	return n;
}

/* Reads what the bytes say of themselves, with the right digest. */
static int read_encoded(enum frame_encoding encoding, const void *packed, size_t len,
			uint32_t length)
{
	SCOPE_FD int fd = file_with(packed, len);
	const struct frame f = frame_of(packed, len, length);

	return frame_read(decoder, fd, encoding, &f, out, &e);
}

static int read_as(const void *packed, size_t len, uint32_t length)
{
	return read_encoded(FRAME_ZSTD, packed, len, length);
}

/* A gzip member of `len` bytes of the content from `from` on. */
static size_t pack_gzip(size_t from, size_t len, uint8_t packed[static PACKED_MAX])
{
	enum { GZIP_WINDOW_BITS = 15 + 16 /* zlib.h: 16 asks for gzip's header */ };
	z_stream z = {.next_in = content + from, .avail_in = (uInt)len};

	ck_assert_int_eq(deflateInit2(&z, 6, Z_DEFLATED, GZIP_WINDOW_BITS, 8, Z_DEFAULT_STRATEGY),
			 Z_OK);
	z.next_out = packed;
	z.avail_out = PACKED_MAX;
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

START_TEST(reads_what_was_packed)
{
	uint8_t packed[PACKED_MAX];
	const size_t len = pack(packed);

	ck_assert_int_eq(read_as(packed, len, CONTENT), 0);
	ck_assert_mem_eq(out, content, CONTENT);
	ck_assert_int_eq(read_as(packed, len, CONTENT), 0); /* the decoder again */
}
END_TEST

START_TEST(reads_raw_bytes)
{
	SCOPE_FD int fd = file_with(content, CONTENT);
	struct frame f = frame_of(content, CONTENT, CONTENT);

	ck_assert_int_eq(frame_read(decoder, fd, FRAME_RAW, &f, out, &e), 0);
	ck_assert_mem_eq(out, content, CONTENT);

	f.sha256[31] ^= 1;
	ck_assert_int_eq(frame_read(decoder, fd, FRAME_RAW, &f, out, &e), -1);
	ck_assert_err(&e, ERR_DIGEST, "does not match");
}
END_TEST

START_TEST(every_flipped_byte_is_a_digest_error)
{
	uint8_t packed[PACKED_MAX];
	const size_t len = pack(packed);
	const struct frame f = frame_of(packed, len, CONTENT);
	SCOPE_FD int fd = file_with(packed, len);

	for (size_t i = 0; i < len; i++) {
		const uint8_t wrong = packed[i] ^ 0x10;
		ck_assert_int_eq(io_pwrite_all(fd, &wrong, 1, BEFORE + i), 0);
		ck_assert_int_eq(frame_read(decoder, fd, FRAME_ZSTD, &f, out, &e), -1);
		ck_assert_err(&e, ERR_DIGEST, "does not match");
		ck_assert_int_eq(io_pwrite_all(fd, &packed[i], 1, BEFORE + i), 0);
	}
	ck_assert_int_eq(frame_read(decoder, fd, FRAME_ZSTD, &f, out, &e), 0);
}
END_TEST

START_TEST(file_cut_short_is_a_digest_error)
{
	uint8_t packed[PACKED_MAX];
	const size_t len = pack(packed);
	const struct frame f = frame_of(packed, len, CONTENT);
	SCOPE_FD int fd = file_with(packed, len - 1);

	ck_assert_int_eq(frame_read(decoder, fd, FRAME_ZSTD, &f, out, &e), -1);
	ck_assert_err(&e, ERR_DIGEST, "cut short");
}
END_TEST

/* The digest is right in all of these: it is the index that lies. */
START_TEST(refuses_another_length_of_content)
{
	uint8_t packed[PACKED_MAX];
	const size_t len = pack(packed);

	ck_assert_int_eq(read_as(packed, len, CONTENT - 1), -1);
	ck_assert_err(&e, ERR_DIGEST, "decode");
	ck_assert_int_eq(read_as(packed, len, CONTENT + 1), -1);
	ck_assert_err(&e, ERR_DIGEST, "decode");
	ck_assert_int_eq(read_as(packed, len - 1, CONTENT), -1);
	ck_assert_err(&e, ERR_DIGEST, "decode");
	ck_assert_int_eq(read_as(packed, 3, CONTENT), -1);
	ck_assert_err(&e, ERR_DIGEST, "decode");
}
END_TEST

START_TEST(refuses_more_than_one_frame)
{
	static const uint8_t skippable[] = {0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 'x'};
	uint8_t packed[2 * PACKED_MAX];
	size_t len = ZSTD_compress(packed, PACKED_MAX, content, 2000, 3);

	len += ZSTD_compress(packed + len, PACKED_MAX, content + 2000, CONTENT - 2000, 3);
	ck_assert_int_eq(read_as(packed, len, CONTENT), -1);
	ck_assert_err(&e, ERR_DIGEST, "decode");

	len = pack(packed);
	memcpy(packed + len, skippable, sizeof(skippable));
	ck_assert_int_eq(read_as(packed, len + sizeof(skippable), CONTENT), -1);
	ck_assert_err(&e, ERR_DIGEST, "decode");

	memcpy(packed, skippable, sizeof(skippable));
	len = sizeof(skippable) + pack(packed + sizeof(skippable));
	ck_assert_int_eq(read_as(packed, len, CONTENT), -1);
	ck_assert_err(&e, ERR_DIGEST, "decode");
}
END_TEST

/* A frame that reaches back into what came before it. */
START_TEST(refuses_a_frame_that_needs_another)
{
	uint8_t packed[PACKED_MAX], before[CONTENT];
	ZSTD_CCtx *cctx = ZSTD_createCCtx();

	memcpy(before, content, CONTENT);
	ck_assert_uint_eq(ZSTD_CCtx_refPrefix(cctx, before, CONTENT), 0);
	const size_t len = ZSTD_compress2(cctx, packed, sizeof(packed), content, CONTENT);
	ZSTD_freeCCtx(cctx);
	ck_assert(!ZSTD_isError(len));
	ck_assert_uint_lt(len, CONTENT / 20);
	ck_assert_int_eq(read_as(packed, len, CONTENT), -1);
	ck_assert_err(&e, ERR_DIGEST, "decode");
}
END_TEST

START_TEST(refuses_other_magic_numbers)
{
	/* zstd 0.7, which libzstd may still decode; zstd's magicless; gzip. */
	static const uint8_t magics[][4] = {
		{0x27, 0xb5, 0x2f, 0xfd}, {0, 0, 0, 0}, {0x1f, 0x8b, 8, 0}};
	uint8_t packed[PACKED_MAX];
	const size_t len = pack(packed);

	for (size_t i = 0; i < ARRAY_LEN(magics); i++) {
		memcpy(packed, magics[i], sizeof(magics[i]));
		ck_assert_int_eq(read_as(packed, len, CONTENT), -1);
		ck_assert_err(&e, ERR_DIGEST, "decode");
	}
}
END_TEST

START_TEST(reads_a_gzip_member)
{
	uint8_t packed[PACKED_MAX];
	const size_t len = pack_gzip(0, CONTENT, packed);

	ck_assert_int_eq(read_encoded(FRAME_GZIP, packed, len, CONTENT), 0);
	ck_assert_mem_eq(out, content, CONTENT);
	ck_assert_int_eq(read_encoded(FRAME_GZIP, packed, len, CONTENT), 0);
}
END_TEST

START_TEST(every_flipped_byte_of_a_gzip_member_is_a_digest_error)
{
	uint8_t packed[PACKED_MAX];
	const size_t len = pack_gzip(0, CONTENT, packed);
	const struct frame f = frame_of(packed, len, CONTENT);
	SCOPE_FD int fd = file_with(packed, len);

	for (size_t i = 0; i < len; i++) {
		const uint8_t wrong = packed[i] ^ 0x10;
		ck_assert_int_eq(io_pwrite_all(fd, &wrong, 1, BEFORE + i), 0);
		ck_assert_int_eq(frame_read(decoder, fd, FRAME_GZIP, &f, out, &e), -1);
		ck_assert_err(&e, ERR_DIGEST, "does not match");
		ck_assert_int_eq(io_pwrite_all(fd, &packed[i], 1, BEFORE + i), 0);
	}
	ck_assert_int_eq(frame_read(decoder, fd, FRAME_GZIP, &f, out, &e), 0);
}
END_TEST

/* The digest is right in all of these: it is the index that lies. */
START_TEST(refuses_what_is_not_exactly_one_gzip_member)
{
	uint8_t packed[2 * PACKED_MAX];
	const size_t len = pack_gzip(0, CONTENT, packed);

	for (uint32_t length = CONTENT - 1; length <= CONTENT + 1; length += 2) {
		ck_assert_int_eq(read_encoded(FRAME_GZIP, packed, len, length), -1);
		ck_assert_err(&e, ERR_DIGEST, "decode");
	}
	for (size_t cut = 1; cut < len; cut += 7) {
		ck_assert_int_eq(read_encoded(FRAME_GZIP, packed, cut, CONTENT), -1);
		ck_assert_err(&e, ERR_DIGEST, "decode");
	}
	packed[len] = 0;
	ck_assert_int_eq(read_encoded(FRAME_GZIP, packed, len + 1, CONTENT), -1);
	ck_assert_err(&e, ERR_DIGEST, "decode");
	/* Two members of that content together, one of nothing behind, and one of nothing before.
	 */
	size_t two = pack_gzip(0, 2000, packed);
	two += pack_gzip(2000, CONTENT - 2000, packed + two);
	ck_assert_int_eq(read_encoded(FRAME_GZIP, packed, two, CONTENT), -1);
	ck_assert_err(&e, ERR_DIGEST, "decode");
	two = pack_gzip(0, CONTENT, packed);
	two += pack_gzip(0, 0, packed + two);
	ck_assert_int_eq(read_encoded(FRAME_GZIP, packed, two, CONTENT), -1);
	ck_assert_err(&e, ERR_DIGEST, "decode");
	two = pack_gzip(0, 0, packed);
	two += pack_gzip(0, CONTENT, packed + two);
	ck_assert_int_eq(read_encoded(FRAME_GZIP, packed, two, CONTENT), -1);
	ck_assert_err(&e, ERR_DIGEST, "decode");
}
END_TEST

START_TEST(refuses_the_bytes_of_another_encoding)
{
	uint8_t packed[PACKED_MAX];
	size_t len = pack_gzip(0, CONTENT, packed);

	ck_assert_int_eq(read_encoded(FRAME_ZSTD, packed, len, CONTENT), -1);
	ck_assert_err(&e, ERR_DIGEST, "decode");
	len = pack(packed);
	ck_assert_int_eq(read_encoded(FRAME_GZIP, packed, len, CONTENT), -1);
	ck_assert_err(&e, ERR_DIGEST, "decode");
}
END_TEST

START_TEST(refuses_a_wrong_trailer)
{
	uint8_t packed[PACKED_MAX];
	const size_t len = pack_gzip(0, CONTENT, packed);

	for (size_t at = len - 8; at < len; at++) {
		packed[at] ^= 1;
		ck_assert_int_eq(read_encoded(FRAME_GZIP, packed, len, CONTENT), -1);
		ck_assert_err(&e, ERR_DIGEST, "decode");
		packed[at] ^= 1;
	}
}
END_TEST

static const struct {
	struct frame frame;
	enum frame_encoding encoding;
	enum err_code code;
	const char *word;
} refused[] = {
	{{0, 0, 0, 10, {0}}, FRAME_ZSTD, ERR_FORMAT, "no content"},
	{{0, 0, 10, 0, {0}}, FRAME_ZSTD, ERR_FORMAT, "no content"},
	{{0, 0, 10, LIMIT_FRAME + 1, {0}}, FRAME_ZSTD, ERR_LIMIT, "limit"},
	{{0, 0, 2 * LIMIT_FRAME, 10, {0}}, FRAME_ZSTD, ERR_LIMIT, "limit"},
	{{0, 0, UINT32_MAX, UINT32_MAX, {0}}, FRAME_RAW, ERR_LIMIT, "limit"},
	{{0, 0, 2 * LIMIT_FRAME, 10, {0}}, FRAME_GZIP, ERR_LIMIT, "limit"},
	{{0, 0, 10, 0, {0}}, FRAME_GZIP, ERR_FORMAT, "no content"},
	{{0, 91, 10, 10, {0}}, FRAME_GZIP, ERR_FORMAT, "outside of its file"},
	{{0, 0, 10, 11, {0}}, FRAME_RAW, ERR_FORMAT, "two lengths"},
	{{0, 91, 10, 10, {0}}, FRAME_ZSTD, ERR_FORMAT, "outside of its file"},
	{{0, 101, 10, 10, {0}}, FRAME_ZSTD, ERR_FORMAT, "outside of its file"},
	{{0, UINT64_MAX - 5, 10, 10, {0}}, FRAME_ZSTD, ERR_FORMAT, "outside of its file"},
	{{UINT64_MAX - 5, 0, 10, 10, {0}}, FRAME_ZSTD, ERR_FORMAT, "tar stream"},
};

START_TEST(check_refuses)
{
	ck_assert_int_eq(frame_check(&refused[_i].frame, refused[_i].encoding, 100, &e), -1);
	ck_assert_err(&e, refused[_i].code, refused[_i].word);
}
END_TEST

START_TEST(check_takes_what_touches_the_end)
{
	const struct frame f = {1000, 90, 10, LIMIT_FRAME, {0}};

	ck_assert_int_eq(frame_check(&f, FRAME_ZSTD, 100, &e), 0);
	ck_assert_no_err(&e);
}
END_TEST

START_TEST(read_takes_no_memory_for_a_lie)
{
	const struct frame f = {0, 0, UINT32_MAX, 10, {0}};

	ck_assert_int_eq(frame_read(decoder, -1, FRAME_ZSTD, &f, out, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "limit");
}
END_TEST

START_TEST(read_says_why_the_file_cannot_be_read)
{
	const struct frame f = {0, 0, 10, 10, {0}};

	ck_assert_int_eq(frame_read(decoder, -1, FRAME_ZSTD, &f, out, &e), -1);
	ck_assert_err(&e, ERR_SYS, "cannot read");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/frame");
	TCase *read = tcase_create("read");
	TCase *check = tcase_create("check");

	tcase_add_checked_fixture(read, setup, teardown);
	tcase_set_timeout(read, 60);
	tcase_add_test(read, reads_what_was_packed);
	tcase_add_test(read, reads_raw_bytes);
	tcase_add_test(read, every_flipped_byte_is_a_digest_error);
	tcase_add_test(read, file_cut_short_is_a_digest_error);
	tcase_add_test(read, refuses_another_length_of_content);
	tcase_add_test(read, refuses_more_than_one_frame);
	tcase_add_test(read, refuses_a_frame_that_needs_another);
	tcase_add_test(read, refuses_other_magic_numbers);
	tcase_add_test(read, reads_a_gzip_member);
	tcase_add_test(read, every_flipped_byte_of_a_gzip_member_is_a_digest_error);
	tcase_add_test(read, refuses_what_is_not_exactly_one_gzip_member);
	tcase_add_test(read, refuses_the_bytes_of_another_encoding);
	tcase_add_test(read, refuses_a_wrong_trailer);
	tcase_add_test(read, read_takes_no_memory_for_a_lie);
	tcase_add_test(read, read_says_why_the_file_cannot_be_read);
	suite_add_tcase(s, read);
	tcase_add_checked_fixture(check, setup, teardown);
	tcase_add_loop_test(check, check_refuses, 0, ARRAY_LEN(refused));
	tcase_add_test(check, check_takes_what_touches_the_end);
	suite_add_tcase(s, check);
	return s;
}

UNIT_MAIN(suite_new)
