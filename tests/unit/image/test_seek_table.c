/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/main.h"

#include "base/limits.h"
#include "image/seek_table.h"

START_TEST(table_has_the_bytes_of_the_format)
{
	/* Written by hand from zstd_seekable_compression_format.md. */
	/* clang-format off */
	static const uint8_t want[] = {
		0x5e, 0x2a, 0x4d, 0x18, 8 * 2 + 9, 0, 0, 0,
		0x01, 0x02, 0, 0, 0x00, 0x00, 0x08, 0x00,
		0xff, 0, 0, 0, 0, 0, 0, 0,
		2, 0, 0, 0, 0, 0xb1, 0xea, 0x92, 0x8f,
	};
	/* clang-format on */
	struct err e = ERR_INIT;
	SCOPE(seek_table) struct seek_table t = SEEK_TABLE_INIT;
	SCOPE(str) struct str out = STR_INIT;

	ck_assert_int_eq(seek_table_add(&t, 0x201, 0x80000, &e), 0);
	ck_assert_int_eq(seek_table_add(&t, 0xff, 0, &e), 0);
	ck_assert_int_eq(seek_table_append(&t, &out, &e), 0);
	ck_assert_uint_eq(out.len, sizeof(want));
	ck_assert_mem_eq(out.data, want, sizeof(want));
}
END_TEST

START_TEST(table_may_be_empty)
{
	struct err e = ERR_INIT;
	SCOPE(seek_table) struct seek_table t = SEEK_TABLE_INIT;
	SCOPE(str) struct str out = STR_INIT;

	ck_assert_int_eq(seek_table_append(&t, &out, &e), 0);
	ck_assert_uint_eq(out.len, SKIPPABLE_HEADER_SIZE + 9);
}
END_TEST

START_TEST(skippable_header_is_little_endian)
{
	static const uint8_t want[] = {0x53, 0x2a, 0x4d, 0x18, 0x04, 0x03, 0x02, 0x01};
	struct err e = ERR_INIT;
	SCOPE(str) struct str out = STR_INIT;

	ck_assert_int_eq(skippable_header_append(&out, SKIPPABLE_MAGIC_LAYER_INDEX, 0x01020304, &e),
			 0);
	ck_assert_uint_eq(out.len, sizeof(want));
	ck_assert_mem_eq(out.data, want, sizeof(want));
}
END_TEST

START_TEST(too_many_frames_are_refused)
{
	struct err e = ERR_INIT;
	SCOPE(seek_table) struct seek_table t = SEEK_TABLE_INIT;

	t.count = LIMIT_FRAMES;
	ck_assert_int_eq(seek_table_add(&t, 1, 1, &e), 0);
	ck_assert_int_eq(seek_table_add(&t, 1, 1, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "frames");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/seek_table");
	TCase *tc = tcase_create("format");

	tcase_add_test(tc, table_has_the_bytes_of_the_format);
	tcase_add_test(tc, table_may_be_empty);
	tcase_add_test(tc, skippable_header_is_little_endian);
	tcase_add_test(tc, too_many_frames_are_refused);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
