/* SPDX-License-Identifier: Apache-2.0 */
/* What is written is read by zlib, and what is read was written by zlib or by hand (RFC 1952). */
#include "tests/unit/main.h"

#include <libdeflate.h>
#include <zlib.h>

#include "base/le.h"
#include "image/gzip_member.h"

enum {
	CONTENT = 50000,
	PACKED_MAX = 60000,
	GZIP_WINDOW_BITS = 15 + 16, /* zlib.h: 16 asks for gzip's header */
	FTEXT = 1,
	FHCRC = 2,
	FEXTRA = 4,
	FNAME = 8,
	FCOMMENT = 16,
};

static uint8_t content[CONTENT], out[CONTENT];
static struct libdeflate_decompressor *decoder;

static void setup(void)
{
	uint32_t x = 1;

	for (size_t i = 0; i < CONTENT; i++) {
		x = x * 1664525 + 1013904223;
		content[i] = (uint8_t)('a' + (x >> 24) % 7);
	}
	decoder = libdeflate_alloc_decompressor();
	ck_assert_ptr_nonnull(decoder);
}

static void teardown(void)
{
	libdeflate_free_decompressor(decoder);
}

static size_t write_at(int level, const void *from, size_t len, uint8_t packed[static PACKED_MAX])
{
	struct libdeflate_compressor *c = libdeflate_alloc_compressor(level);

	ck_assert_ptr_nonnull(c);
	ck_assert_uint_le(gzip_member_bound(len), PACKED_MAX);
	const size_t n = gzip_member_write(c, from, len, packed);
	libdeflate_free_compressor(c);
	ck_assert_uint_le(n, gzip_member_bound(len));
	return n;
}

START_TEST(zlib_reads_what_is_written)
{
	static const uint8_t header[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff};
	uint8_t packed[PACKED_MAX];
	const size_t len = write_at(_i, content, CONTENT, packed);
	z_stream z = {.next_in = packed, .avail_in = (uInt)len, .next_out = out};

	/* The same header at every level: no name, no time, no system. */
	ck_assert_mem_eq(packed, header, sizeof(header));
	z.avail_out = CONTENT;
	ck_assert_int_eq(inflateInit2(&z, GZIP_WINDOW_BITS), Z_OK);
	ck_assert_int_eq(inflate(&z, Z_FINISH), Z_STREAM_END);
	ck_assert_uint_eq(z.avail_in, 0);
	ck_assert_uint_eq(z.avail_out, 0);
	inflateEnd(&z);
	ck_assert_mem_eq(out, content, CONTENT);
}
END_TEST

START_TEST(noise_stays_within_the_bound)
{
	static uint8_t noise[CONTENT];
	uint8_t packed[PACKED_MAX];
	struct gzip_member m;
	uint32_t x = 7;

	for (size_t i = 0; i < CONTENT; i++) {
		x = x * 1664525 + 1013904223;
		noise[i] = (uint8_t)(x >> 24);
	}
	for (size_t len = 1; len <= CONTENT; len += 9999) {
		const size_t n = write_at(6, noise, len, packed);
		ck_assert_int_eq(gzip_member_read(decoder, packed, n, out, CONTENT, &m),
				 GZIP_MEMBER_WHOLE);
		ck_assert_uint_eq(m.size, n);
		ck_assert_uint_eq(m.length, len);
		ck_assert_mem_eq(out, noise, len);
	}
}
END_TEST

/* A member with the fields that `flags` announce. */
static size_t by_hand(uint8_t flags, uint8_t packed[static PACKED_MAX])
{
	const uint8_t header[] = {0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 2, 3};
	uint8_t *at = packed;
	z_stream z = {.next_in = content, .avail_in = CONTENT};

	memcpy(at, header, sizeof(header));
	at += sizeof(header);
	if (flags & FEXTRA) {
		le_put16(&at, 5);
		memcpy(at, "AB\1\0\0", 5);
		at += 5;
	}
	if (flags & FNAME) {
		memcpy(at, "a/name", sizeof("a/name"));
		at += sizeof("a/name");
	}
	if (flags & FCOMMENT) {
		memcpy(at, "", 1);
		at += 1;
	}
	if (flags & FHCRC)
		le_put16(&at, (uint16_t)crc32(0, packed, (uInt)(at - packed)));
	ck_assert_int_eq(deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_out = at;
	z.avail_out = PACKED_MAX - 100;
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	at = z.next_out;
	deflateEnd(&z);
	le_put32(&at, (uint32_t)crc32(0, content, CONTENT));
	le_put32(&at, CONTENT);
	return (size_t)(at - packed);
}

START_TEST(reads_every_header)
{
	uint8_t packed[PACKED_MAX];
	const size_t len = by_hand((uint8_t)_i, packed);
	struct gzip_member m;

	ck_assert_int_eq(gzip_member_read(decoder, packed, len, out, CONTENT, &m),
			 GZIP_MEMBER_WHOLE);
	ck_assert_uint_eq(m.size, len);
	ck_assert_uint_eq(m.length, CONTENT);
	ck_assert_mem_eq(out, content, CONTENT);
}
END_TEST

START_TEST(reads_the_first_of_several)
{
	uint8_t packed[2 * PACKED_MAX];
	const size_t first = write_at(6, content, 1000, packed);
	const size_t second = write_at(6, content, 2000, packed + first);
	struct gzip_member m;

	ck_assert_int_eq(gzip_member_read(decoder, packed, first + second, out, CONTENT, &m),
			 GZIP_MEMBER_WHOLE);
	ck_assert_uint_eq(m.size, first);
	ck_assert_uint_eq(m.length, 1000);
}
END_TEST

START_TEST(reads_a_member_of_nothing)
{
	uint8_t packed[PACKED_MAX];
	const size_t len = write_at(6, content, 0, packed);
	struct gzip_member m;

	ck_assert_int_eq(gzip_member_read(decoder, packed, len, out, CONTENT, &m),
			 GZIP_MEMBER_WHOLE);
	ck_assert_uint_eq(m.size, len);
	ck_assert_uint_eq(m.length, 0);
}
END_TEST

START_TEST(says_what_is_too_long)
{
	uint8_t packed[PACKED_MAX];
	const size_t len = write_at(6, content, CONTENT, packed);
	struct gzip_member m;

	ck_assert_int_eq(gzip_member_read(decoder, packed, len, out, CONTENT, &m),
			 GZIP_MEMBER_WHOLE);
	ck_assert_int_eq(gzip_member_read(decoder, packed, len, out, CONTENT - 1, &m),
			 GZIP_MEMBER_TOO_LONG);
	ck_assert_int_eq(gzip_member_read(decoder, packed, len, out, 1, &m), GZIP_MEMBER_TOO_LONG);
}
END_TEST

START_TEST(what_is_cut_anywhere_is_not_whole)
{
	static const uint8_t flags[] = {0, FEXTRA | FNAME | FCOMMENT | FHCRC};
	uint8_t packed[PACKED_MAX];
	struct gzip_member m;

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		const size_t len = by_hand(flags[i], packed);
		for (size_t cut = 0; cut < len; cut += cut < 100 || cut + 100 > len ? 1 : 97) {
			/* Of its own size, so that a read behind its end is seen. */
			uint8_t *bytes = malloc(cut + 1);
			ck_assert_ptr_nonnull(bytes);
			memcpy(bytes, packed, cut);
			ck_assert_int_ne(gzip_member_read(decoder, bytes, cut, out, CONTENT, &m),
					 GZIP_MEMBER_WHOLE);
			free(bytes);
			/* And with what would complete it behind. */
			ck_assert_int_ne(gzip_member_read(decoder, packed, cut, out, CONTENT, &m),
					 GZIP_MEMBER_WHOLE);
		}
	}
}
END_TEST

static const struct {
	const char *what;
	long at; /* from the end when negative */
	uint8_t flip;
} wrong[] = {
	{"first byte of the magic", 0, 1},
	{"second byte of the magic", 1, 1},
	{"method", 2, 0xf},
	{"reserved flag 5", 3, 0x20},
	{"reserved flag 6", 3, 0x40},
	{"reserved flag 7", 3, 0x80},
	{"time, which the CRC of the header covers", 4, 1},
	{"extra field, likewise", 12, 1},
	{"name, likewise", 20, 1},
	{"CRC of the header", 25, 1},
	{"block type 3", 27, 2},
	{"CRC", -8, 1},
	{"last byte of the CRC", -5, 1},
	{"length", -4, 1},
	{"last byte of the length", -1, 1},
};

START_TEST(what_is_flipped_is_wrong)
{
	uint8_t packed[PACKED_MAX];
	const size_t len = by_hand(FTEXT | FHCRC | FEXTRA | FNAME | FCOMMENT, packed);
	const size_t at = wrong[_i].at < 0 ? len - (size_t)-wrong[_i].at : (size_t)wrong[_i].at;
	struct gzip_member m;

	packed[at] ^= wrong[_i].flip;
	ck_assert_msg(gzip_member_read(decoder, packed, len, out, CONTENT, &m) == GZIP_MEMBER_WRONG,
		      "%s", wrong[_i].what);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/gzip_member");
	TCase *tc = tcase_create("gzip_member");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, zlib_reads_what_is_written, 1, 10);
	tcase_add_test(tc, noise_stays_within_the_bound);
	tcase_add_loop_test(tc, reads_every_header, 0, 32);
	tcase_add_test(tc, reads_the_first_of_several);
	tcase_add_test(tc, reads_a_member_of_nothing);
	tcase_add_test(tc, says_what_is_too_long);
	tcase_add_test(tc, what_is_cut_anywhere_is_not_whole);
	tcase_add_loop_test(tc, what_is_flipped_is_wrong, 0, ARRAY_LEN(wrong));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
