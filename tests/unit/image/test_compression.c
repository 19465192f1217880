/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/main.h"

#include "image/compression.h"

static const struct {
	const char *text;
	struct compression want;
} taken[] = {
	{"zstd", {FRAME_ZSTD, 3}}, {"zstd:1", {FRAME_ZSTD, 1}}, {"zstd:19", {FRAME_ZSTD, 19}},
	{"gzip", {FRAME_GZIP, 6}}, {"gzip:1", {FRAME_GZIP, 1}}, {"gzip:9", {FRAME_GZIP, 9}},
};

START_TEST(parse_takes)
{
	struct err e = ERR_INIT;
	struct compression c = {FRAME_RAW, 0};

	ck_assert_int_eq(compression_parse(taken[_i].text, &c, &e), 0);
	ck_assert_no_err(&e);
	ck_assert_int_eq(c.encoding, taken[_i].want.encoding);
	ck_assert_int_eq(c.level, taken[_i].want.level);
	ck_assert_int_eq(compression_check(&c, &e), 0);
	ck_assert_no_err(&e);
}
END_TEST

static const struct {
	const char *text;
	const char *word;
} refused[] = {
	{"", "'' is not zstd[:1-19] or gzip[:1-9]"},
	{"xz", "'xz' is not zstd[:1-19] or gzip[:1-9]"},
	{"ZSTD", "'ZSTD' is not zstd"},
	{"zst", "'zst' is not zstd"},
	{"zstd3", "'zstd3' is not zstd"},
	{":3", "':3' is not zstd"},
	{"\033[2J", "'\\x1b[2J' is not zstd"},
	{"zstd:", "'zstd:': the levels of zstd are 1 to 19"},
	{"zstd:0", "'zstd:0': the levels of zstd are 1 to 19"},
	{"zstd:20", "'zstd:20': the levels of zstd are 1 to 19"},
	{"zstd:-1", "'zstd:-1': the levels of zstd are 1 to 19"},
	{"zstd:3 ", "'zstd:3 ': the levels of zstd are 1 to 19"},
	{"zstd:3:3", "the levels of zstd are 1 to 19"},
	{"zstd:18446744073709551617", "the levels of zstd are 1 to 19"},
	{"gz", "'gz' is not zstd"},
	{"gzip:", "'gzip:': the levels of gzip are 1 to 9"},
	{"gzip:0", "'gzip:0': the levels of gzip are 1 to 9"},
	{"gzip:10", "'gzip:10': the levels of gzip are 1 to 9"},
	{"gzip:19", "'gzip:19': the levels of gzip are 1 to 9"},
};

START_TEST(parse_refuses)
{
	struct err e = ERR_INIT;
	struct compression c = {FRAME_RAW, 4711};

	ck_assert_int_eq(compression_parse(refused[_i].text, &c, &e), -1);
	ck_assert_err(&e, ERR_USAGE, refused[_i].word);
	ck_assert_int_eq(c.encoding, FRAME_RAW);
	ck_assert_int_eq(c.level, 4711);
}
END_TEST

START_TEST(check_refuses_other_levels)
{
	static const struct {
		struct compression c;
		const char *word;
	} wrong[] = {
		{{FRAME_ZSTD, 0}, "the levels of zstd are 1 to 19"},
		{{FRAME_ZSTD, 20}, "the levels of zstd are 1 to 19"},
		{{FRAME_GZIP, 0}, "the levels of gzip are 1 to 9"},
		{{FRAME_GZIP, 10}, "the levels of gzip are 1 to 9"},
	};
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		ck_assert_int_eq(compression_check(&wrong[i].c, &e), -1);
		ck_assert_err(&e, ERR_USAGE, wrong[i].word);
	}
}
END_TEST

START_TEST(check_refuses_what_does_not_compress)
{
	const struct compression raw = {FRAME_RAW, 1};
	struct err e = ERR_INIT;

	ck_assert_int_eq(compression_check(&raw, &e), -1);
	ck_assert_err(&e, ERR_USAGE, "without compression");
}
END_TEST

START_TEST(default_is_what_its_name_says)
{
	const struct compression want = COMPRESSION_DEFAULT;
	struct compression c = {FRAME_RAW, 0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(compression_parse("zstd", &c, &e), 0);
	ck_assert_int_eq(c.encoding, want.encoding);
	ck_assert_int_eq(c.level, want.level);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/compression");
	TCase *tc = tcase_create("compression");

	tcase_add_loop_test(tc, parse_takes, 0, ARRAY_LEN(taken));
	tcase_add_loop_test(tc, parse_refuses, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, check_refuses_other_levels);
	tcase_add_test(tc, check_refuses_what_does_not_compress);
	tcase_add_test(tc, default_is_what_its_name_says);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
