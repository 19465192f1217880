/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include "main.h"

/* The ends of RFC 3629's ranges; code points by Python's str.encode. */
static const struct {
	const char *text;
	size_t len;
	uint32_t point;
} good[] = {
	{"", 1, 0},
	{"a", 1, 'a'},
	{"\x7f", 1, 0x7f},
	{"\xc2\x80", 2, 0x80},
	{"\xdf\xbf", 2, 0x7ff},
	{"\xe0\xa0\x80", 3, 0x800},
	{"\xed\x9f\xbf", 3, 0xd7ff},
	{"\xee\x80\x80", 3, 0xe000},
	{"\xef\xbf\xbf", 3, 0xffff},
	{"\xf0\x90\x80\x80", 4, 0x10000},
	{"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
};

static const struct {
	const char *text;
	size_t len;
} bad[] = {
	{"\x80", 1},             /* a byte that goes on, alone */
	{"\xc2", 1},             /* cut short */
	{"\xe2\x82", 2},         /* the same */
	{"\xf0\x90\x80", 3},     /* the same */
	{"\xc2\x41", 2},         /* does not go on */
	{"\xe2\x82\xc2", 3},     /* the same */
	{"\xc0\x80", 2},         /* overlong */
	{"\xc1\xbf", 2},         /* the same */
	{"\xe0\x9f\xbf", 3},     /* the same */
	{"\xf0\x8f\xbf\xbf", 4}, /* the same */
	{"\xed\xa0\x80", 3},     /* surrogates */
	{"\xed\xbf\xbf", 3},     /* the same */
	{"\xf4\x90\x80\x80", 4}, /* above U+10FFFF */
	{"\xf8\x88\x80\x80", 4}, /* no first byte */
	{"\xff", 1},             /* the same */
};

START_TEST(decodes)
{
	uint32_t point = UINT32_MAX;

	ck_assert_uint_eq(utf8_decode(good[_i].text, good[_i].len, &point), good[_i].len);
	ck_assert_uint_eq(point, good[_i].point);
	ck_assert(utf8_is_valid(good[_i].text, good[_i].len));
}
END_TEST

START_TEST(refuses)
{
	char behind[8] = "ab";
	uint32_t point = UINT32_MAX;

	ck_assert_uint_eq(utf8_decode(bad[_i].text, bad[_i].len, &point), 0);
	ck_assert_uint_eq(point, UINT32_MAX);
	memcpy(behind + 2, bad[_i].text, bad[_i].len);
	ck_assert(!utf8_is_valid(behind, 2 + bad[_i].len));
}
END_TEST

START_TEST(an_empty_text_is_valid)
{
	ck_assert(utf8_is_valid("", 0));
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("base/utf8");
	TCase *tc = tcase_create("sequences");

	tcase_add_loop_test(tc, decodes, 0, ARRAY_LEN(good));
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(bad));
	tcase_add_test(tc, an_empty_text_is_valid);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
