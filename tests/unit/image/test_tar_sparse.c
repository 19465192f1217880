/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "tests/unit/image/tar_fixture.h"

enum { RANGES = 4 };

static int read_first(const struct make *members, size_t count)
{
	make_archive(members, count);
	return tar_reader_next(reader, &en, &e);
}

#define V1  "GNU.sparse.major=1\nGNU.sparse.minor=0\nGNU.sparse.name=f\n"
#define V01 "GNU.sparse.name=f\n"
#define PAX(t)                        \
	{                             \
		.type = 'x', .pax = t \
	}
#define FILE_(text, len)                                                   \
	{                                                                  \
		.name = "GNUSparseFile.1/f", .data = text, .data_len = len \
	}
#define Z8  "\0\0\0\0\0\0\0\0"
#define Z64 Z8 Z8 Z8 Z8 Z8 Z8 Z8 Z8
/* A block that starts with 8 bytes of text. */
#define BLOCK(t8) t8 Z8 Z8 Z8 Z8 Z8 Z8 Z8 Z64 Z64 Z64 Z64 Z64 Z64 Z64

static const struct {
	struct make members[MAKE_MEMBERS];
	uint64_t size;
	uint64_t data_size;
	uint64_t ranges[2 * RANGES]; /* offset, length, ... */
} accepted[] = {
	{{PAX(V1 "GNU.sparse.realsize=100\n"), FILE_(BLOCK("1\n10\n3\n\0") "abc", 515)},
	 100,
	 3,
	 {10, 3}},
	/* Ranges that touch are one; empty ones are none. */
	{{PAX(V1 "GNU.sparse.realsize=9\n"),
	  FILE_("3\n1\n1\n2\n2\n9\n0\n" Z8 Z8 BLOCK(Z8) "abc", 515)},
	 9,
	 3,
	 {1, 3}},
	{{PAX(V1 "GNU.sparse.realsize=5\n"), FILE_(BLOCK("0\n\0\0\0\0\0\0"), 512)}, 5, 0, {0}},
	{{PAX(V1 "GNU.sparse.realsize=0\n"), FILE_(BLOCK("0\n\0\0\0\0\0\0"), 512)}, 0, 0, {0}},
	{{PAX(V1 "GNU.sparse.realsize=9223372036854775807\n"),
	  FILE_(BLOCK("0\n\0\0\0\0\0\0"), 512)},
	 INT64_MAX,
	 0,
	 {0}},
	{{PAX(V01 "GNU.sparse.size=50\nGNU.sparse.numblocks=2\nGNU.sparse.map=0,1,40,2\n"),
	  FILE_("abc", 3)},
	 50,
	 3,
	 {0, 1, 40, 2}},
	{{PAX("GNU.sparse.size=50\nGNU.sparse.numblocks=2\nGNU.sparse.offset=0\n"
	      "GNU.sparse.numbytes=1\nGNU.sparse.offset=40\nGNU.sparse.numbytes=2\n"),
	  {.name = "f", .data = "abc", .data_len = 3}},
	 50,
	 3,
	 {0, 1, 40, 2}},
	{{PAX("GNU.sparse.size=50\nGNU.sparse.numblocks=0\n"), {.name = "f"}}, 50, 0, {0}},
	/* All of the file: nothing sparse about it. */
	{{PAX(V01 "GNU.sparse.size=3\nGNU.sparse.numblocks=1\nGNU.sparse.map=0,3\n"),
	  FILE_("abc", 3)},
	 3,
	 3,
	 {0, 3}},
};

START_TEST(accepts)
{
	size_t count = 0;

	ck_assert_msg(read_first(accepted[_i].members, MAKE_MEMBERS) == 1, "%s",
		      e.msg ? e.msg : "");
	ck_assert_uint_eq(en.path_len, 1);
	ck_assert_int_eq(en.path[0], 'f');
	ck_assert_uint_eq(en.size, accepted[_i].size);
	ck_assert_uint_eq(en.data_size, accepted[_i].data_size);
	ck_assert_uint_eq(en.data_offset, tar_reader_offset(reader));
	while (count < RANGES && accepted[_i].ranges[2 * count + 1] > 0)
		count++;
	ck_assert_uint_eq(en.extent_count, count);
	uint64_t stored = 0;
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(en.extents[i].file_offset, accepted[_i].ranges[2 * i]);
		ck_assert_uint_eq(en.extents[i].length, accepted[_i].ranges[2 * i + 1]);
		ck_assert_uint_eq(en.extents[i].tar_offset, en.data_offset + stored);
		stored += en.extents[i].length;
	}
	ck_assert_int_eq(tar_reader_next(reader, &en, &e), 0);
}
END_TEST

static const struct {
	struct make members[MAKE_MEMBERS];
	enum err_code code;
	const char *word;
} refused[] = {
	/* 1.0 */
	{{PAX(V1 "GNU.sparse.realsize=100\n"), FILE_(BLOCK("1\n10\n3\n\0") "abcd", 516)},
	 ERR_FORMAT,
	 "fit the data"},
	{{PAX(V1 "GNU.sparse.realsize=100\n"), FILE_(BLOCK("1\n10\n3\n\0") "ab", 514)},
	 ERR_FORMAT,
	 "fit the data"},
	{{PAX(V1 "GNU.sparse.realsize=12\n"), FILE_(BLOCK("1\n10\n3\n\0") "abc", 515)},
	 ERR_FORMAT,
	 "beyond the end"},
	{{PAX(V1 "GNU.sparse.realsize=9\n"), FILE_("2\n5\n1\n4\n1\n" BLOCK(Z8) "ab", 514)},
	 ERR_FORMAT,
	 "out of order"},
	{{PAX(V1 "GNU.sparse.realsize=9\n"), FILE_("2\n1\n3\n2\n1\n" BLOCK(Z8) "abcd", 516)},
	 ERR_FORMAT,
	 "out of order"},
	{{PAX(V1 "GNU.sparse.realsize=9\n"), FILE_(BLOCK("1\n1\n1\0\0\0"), 512)},
	 ERR_FORMAT,
	 "malformed sparse map"},
	{{PAX(V1 "GNU.sparse.realsize=9\n"), FILE_(BLOCK("1\nx\n1\n\0\0"), 512)},
	 ERR_FORMAT,
	 "malformed sparse map"},
	{{PAX(V1 "GNU.sparse.realsize=9\n"), FILE_(BLOCK("\n1\n1\n\0\0\0"), 512)},
	 ERR_FORMAT,
	 "malformed sparse map"},
	{{PAX(V1 "GNU.sparse.realsize=9\n"), FILE_(BLOCK("1\n\n3\n\0\0\0") "abc", 515)},
	 ERR_FORMAT,
	 "malformed sparse map"},
	{{PAX(V1 "GNU.sparse.realsize=9\n"), FILE_(BLOCK("0\n\0\0\0\0x\0"), 512)},
	 ERR_FORMAT,
	 "malformed sparse map"},
	{{PAX(V1 "GNU.sparse.realsize=9\n"), FILE_(BLOCK("1\n99999999999999999999999\n1\n"), 512)},
	 ERR_FORMAT,
	 "malformed sparse map"},
	{{PAX(V1 "GNU.sparse.realsize=9\n"),
	  FILE_("1\n9223372036854775807\n9223372036854775807\n" BLOCK(Z8), 512)},
	 ERR_FORMAT,
	 "beyond the end"},
	{{PAX(V1 "GNU.sparse.realsize=9\n"), FILE_(BLOCK("999999\n\0"), 512)},
	 ERR_LIMIT,
	 "65536 ranges"},
	{{PAX(V1 "GNU.sparse.realsize=9\n"), FILE_("0\n", 2)}, ERR_FORMAT, "fit the data"},
	{{PAX(V1 "GNU.sparse.realsize=9\n"), FILE_("", 0)}, ERR_FORMAT, "fit the data"},
	{{PAX(V1), FILE_("", 0)}, ERR_FORMAT, "unknown version"},
	{{PAX("GNU.sparse.major=1\nGNU.sparse.realsize=9\n"), FILE_("", 0)},
	 ERR_FORMAT,
	 "unknown version"},
	{{PAX("GNU.sparse.major=2\nGNU.sparse.minor=0\nGNU.sparse.realsize=9\n"), FILE_("", 0)},
	 ERR_FORMAT,
	 "unknown version"},
	{{PAX("GNU.sparse.major=1\nGNU.sparse.minor=1\nGNU.sparse.realsize=9\n"), FILE_("", 0)},
	 ERR_FORMAT,
	 "unknown version"},
	{{PAX(V1 "GNU.sparse.realsize=3\nGNU.sparse.map=0,3\n"), FILE_("abc", 3)},
	 ERR_FORMAT,
	 "unknown version"},
	{{PAX("GNU.sparse.name=f\n"), FILE_("", 0)}, ERR_FORMAT, "unknown version"},
	{{PAX(V1 "GNU.sparse.realsize=100\n"), {.name = "f", .type = '5'}},
	 ERR_FORMAT,
	 "no regular file"},
	{{PAX(V1 "GNU.sparse.realsize=100\n"), {.name = "f", .type = '2', .link = "x"}},
	 ERR_FORMAT,
	 "no regular file"},
	{{PAX(V1 "GNU.sparse.realsize=100\n"), {.name = "f", .type = 'S', .magic = "ustar  "}},
	 ERR_FORMAT,
	 "no regular file"},
	{{PAX("GNU.sparse.name=../f\n"), FILE_("", 0)}, ERR_FORMAT, "'..' component"},
	/* 0.1 */
	{{PAX("GNU.sparse.size=9\nGNU.sparse.numblocks=2\nGNU.sparse.map=0,1\n"), FILE_("a", 1)},
	 ERR_FORMAT,
	 "unknown version"},
	{{PAX("GNU.sparse.numblocks=1\nGNU.sparse.map=0,1\n"), FILE_("a", 1)},
	 ERR_FORMAT,
	 "unknown version"},
	{{PAX("GNU.sparse.size=9\nGNU.sparse.map=0,1\n"), FILE_("a", 1)},
	 ERR_FORMAT,
	 "unknown version"},
	{{PAX("GNU.sparse.size=9\nGNU.sparse.numblocks=1\nGNU.sparse.map=0,1,2\n"), FILE_("a", 1)},
	 ERR_FORMAT,
	 "malformed sparse map"},
	{{PAX("GNU.sparse.size=9\nGNU.sparse.numblocks=1\nGNU.sparse.map=0,1,\n"), FILE_("a", 1)},
	 ERR_FORMAT,
	 "malformed sparse map"},
	{{PAX("GNU.sparse.size=9\nGNU.sparse.numblocks=1\nGNU.sparse.map=0;1\n"), FILE_("a", 1)},
	 ERR_FORMAT,
	 "malformed sparse map"},
	{{PAX("GNU.sparse.size=9\nGNU.sparse.numblocks=1\nGNU.sparse.map=-1,1\n"), FILE_("a", 1)},
	 ERR_FORMAT,
	 "malformed sparse map"},
	{{PAX("GNU.sparse.size=9\nGNU.sparse.numblocks=2\nGNU.sparse.map=0,2,1,1\n"),
	  FILE_("abc", 3)},
	 ERR_FORMAT,
	 "out of order"},
	/* 0.0 */
	{{PAX("GNU.sparse.size=9\nGNU.sparse.numblocks=1\nGNU.sparse.numbytes=1\n"), FILE_("a", 1)},
	 ERR_FORMAT,
	 "malformed sparse map"},
	{{PAX("GNU.sparse.size=9\nGNU.sparse.numblocks=1\nGNU.sparse.offset=1\nGNU.sparse.offset="
	      "1\n"),
	  FILE_("a", 1)},
	 ERR_FORMAT,
	 "malformed sparse map"},
	{{PAX("GNU.sparse.size=9\nGNU.sparse.numblocks=0\nGNU.sparse.offset=1\n"), {.name = "f"}},
	 ERR_FORMAT,
	 "malformed sparse map"},
	{{PAX("GNU.sparse.map=0,1\nGNU.sparse.offset=1\n"), FILE_("a", 1)},
	 ERR_FORMAT,
	 "another map"},
	{{PAX("GNU.sparse.offset=0\nGNU.sparse.numbytes=1\nGNU.sparse.map=0,1\n"), FILE_("a", 1)},
	 ERR_FORMAT,
	 "twice"},
	{{PAX("GNU.sparse.offset=x\n"), FILE_("a", 1)}, ERR_FORMAT, "bad number"},
};

START_TEST(refuses)
{
	ck_assert_int_eq(read_first(refused[_i].members, MAKE_MEMBERS), -1);
	ck_assert_err(&e, refused[_i].code, refused[_i].word);
}
END_TEST

/* The old form has its map in fields of the header, and in blocks of 21 more. */
enum { OLD_FIRST = 4, OLD_MORE = 21, OLD_RANGE = 24, OLD_MAX = 60 };

static void put_range(char *at, uint64_t offset, uint64_t length)
{
	char text[13];

	snprintf(text, sizeof(text), "%011llo", (unsigned long long)offset);
	memcpy(at, text, 12);
	snprintf(text, sizeof(text), "%011llo", (unsigned long long)length);
	memcpy(at + 12, text, 12);
}

/* A header with the first of `count` ranges of one byte, two apart. */
static void make_old_header(size_t count, const char *real_size, bool is_extended)
{
	char tail[167] = {0};
	char size[13];

	for (size_t i = 0; i < count && i < OLD_FIRST; i++)
		put_range(tail + 41 + i * OLD_RANGE, 2 * i, 1);
	tail[137] = is_extended;
	memcpy(tail + 138, real_size, strlen(real_size));
	snprintf(size, sizeof(size), "%011zo", count);
	const struct make header = {.name = "f",
				    .type = 'S',
				    .magic = "ustar  ",
				    .tail = tail,
				    .tail_len = sizeof(tail),
				    .size = size};
	make_member(&bytes, &header);
}

/* The other ranges; `is_open`: the last block says that there is another one. */
static void make_old_blocks(size_t count, bool is_open)
{
	for (size_t done = OLD_FIRST; done < count;) {
		char block[MAKE_BLOCK] = {0};
		for (size_t i = 0; i < OLD_MORE && done < count; i++, done++)
			put_range(block + i * OLD_RANGE, 2 * done, 1);
		block[504] = is_open || done < count;
		make_bytes(&bytes, block, sizeof(block));
	}
}

static void make_old(size_t count, const char *real_size)
{
	str_truncate(&bytes, 0);
	make_old_header(count, real_size, count > OLD_FIRST);
	make_old_blocks(count, false);
	make_zeros(&bytes, count + -count % MAKE_BLOCK);
}

START_TEST(reads_old_maps_of_any_length)
{
	for (size_t count = 0; count <= OLD_MAX; count++) {
		make_old(count, "00000000200");
		ck_assert_int_eq(read_first(NULL, 0), 1);
		ck_assert_uint_eq(en.size, 128);
		ck_assert_uint_eq(en.data_size, count);
		ck_assert_uint_eq(en.extent_count, count);
		for (size_t i = 0; i < count; i++) {
			ck_assert_uint_eq(en.extents[i].file_offset, 2 * i);
			ck_assert_uint_eq(en.extents[i].tar_offset, en.data_offset + i);
		}
		ck_assert_uint_eq(en.data_offset, tar_reader_offset(reader));
		ck_assert_int_eq(tar_reader_next(reader, &en, &e), 0);
		tar_reader_free(reader);
		reader = NULL;
	}
}
END_TEST

static void ck_refused(enum err_code code, const char *word)
{
	ck_assert_int_eq(read_first(NULL, 0), -1);
	ck_assert_err(&e, code, word);
	tar_reader_free(reader);
	reader = NULL;
}

START_TEST(refuses_wrong_old_maps)
{
	const struct make plain = {.name = "f"};
	char *range;

	make_old(30, "00000000010");
	ck_refused(ERR_FORMAT, "beyond the end");
	make_old(3, "garbage");
	ck_refused(ERR_FORMAT, "bad size of a sparse file");

	/* A gap in the map. */
	make_old(3, "00000000200");
	range = bytes.data + 386 + OLD_RANGE;
	memset(range, 0, OLD_RANGE);
	make_checksum(bytes.data, &plain);
	ck_refused(ERR_FORMAT, "malformed sparse map");

	/* Negative, in base-256. */
	make_old(1, "00000000200");
	range = bytes.data + 386;
	memset(range, 0xff, OLD_RANGE / 2);
	make_checksum(bytes.data, &plain);
	ck_refused(ERR_FORMAT, "malformed sparse map");

	/* The map says that it goes on where the archive ends. */
	str_truncate(&bytes, 0);
	make_old_header(OLD_FIRST + 1, "00000000200", true);
	make_old_blocks(OLD_FIRST + 1, true);
	input = (struct make_input){.bytes = bytes.data, .len = bytes.len};
	reader = make_reader(&input, &e);
	ck_assert_int_eq(tar_reader_next(reader, &en, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "ends in a sparse map");
}
END_TEST

/* A map without end costs what was read of it. */
START_TEST(limits_the_number_of_ranges)
{
	SCOPE(str) struct str record = STR_INIT;

	ck_assert_int_eq(str_append_z(&record, "GNU.sparse.map=", &e), 0);
	for (size_t i = 0; i <= LIMIT_SPARSE_EXTENTS + 1; i++)
		ck_assert_int_eq(str_appendf(&record, &e, "%s%zu,1", i > 0 ? "," : "", 2 * i), 0);
	ck_assert_int_eq(str_append_c(&record, '\n', &e), 0);
	ck_assert_uint_lt(record.len, LIMIT_PAX);
	const struct make pax = {.type = 'x', .pax = record.data};
	make_member(&bytes, &pax);
	ck_refused(ERR_LIMIT, "65536 ranges");

	str_truncate(&bytes, 0);
	make_old_header(OLD_FIRST, "77777777777", true);
	make_old_blocks(2 * LIMIT_SPARSE_EXTENTS, true);
	ck_refused(ERR_LIMIT, "65536 ranges");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/tar_sparse");
	TCase *tc = tcase_create("sparse");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, accepts, 0, ARRAY_LEN(accepted));
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, reads_old_maps_of_any_length);
	tcase_add_test(tc, refuses_wrong_old_maps);
	tcase_add_test(tc, limits_the_number_of_ranges);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
