/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/der.h"

#include "main.h"

static const struct {
	const char *why;
	uint8_t bytes[8];
	size_t len;
} refused[] = {
	{"nothing", {0}, 0},
	{"a tag alone", {0x30}, 1},
	{"another tag", {0x31, 0}, 2},
	{"cut short", {0x30, 2, 1}, 3},
	{"indefinite length", {0x30, 0x80, 0, 0}, 4},
	{"long form of a short length", {0x30, 0x81, 1, 0}, 4},
	{"leading zero in the length", {0x30, 0x82, 0, 1, 0}, 5},
	{"length cut short", {0x30, 0x82, 1}, 3},
	{"length of three bytes", {0x30, 0x83, 1, 0, 0}, 5},
	{"length of 127 bytes", {0x30, 0xff, 1, 0, 0}, 5},
};

START_TEST(take_refuses)
{
	struct der in = {refused[_i].bytes, refused[_i].len};
	struct der out = {NULL, 77};

	ck_assert_msg(!der_take(&in, DER_SEQUENCE, &out), "%s", refused[_i].why);
	ck_assert_ptr_eq(in.data, refused[_i].bytes);
	ck_assert_uint_eq(in.len, refused[_i].len);
	ck_assert_uint_eq(out.len, 77);
}
END_TEST

START_TEST(takes_one_after_the_other)
{
	const uint8_t bytes[] = {0x02, 0x01, 0x05, 0x04, 0x00};
	struct der in = {bytes, sizeof(bytes)}, out;

	ck_assert(der_take(&in, DER_INTEGER, &out));
	ck_assert(der_equal(&out, "\x05", 1));
	ck_assert(!der_equal(&out, "\x06", 1));
	ck_assert(!der_equal(&out, "\x05", 0));
	ck_assert(der_take(&in, DER_OCTET_STRING, &out));
	ck_assert(der_equal(&out, "", 0));
	ck_assert_uint_eq(in.len, 0);
}
END_TEST

START_TEST(takes_long_lengths)
{
	uint8_t bytes[3 + 200] = {0x30, 0x81, 200}, big[4 + 256] = {0x30, 0x82, 1, 0};
	struct der in = {bytes, sizeof(bytes)}, out;

	ck_assert(der_take(&in, DER_SEQUENCE, &out));
	ck_assert_uint_eq(out.len, 200);
	in = (struct der){big, sizeof(big)};
	ck_assert(der_take(&in, DER_SEQUENCE, &out));
	ck_assert_uint_eq(out.len, 256);
}
END_TEST

START_TEST(knows_positive_integers)
{
	static const struct {
		const char *bytes;
		size_t len;
		bool ok;
	} table[] = {
		{"", 0, false},        {"\x00", 1, false},     {"\x01", 1, true},
		{"\x80", 1, false},    {"\x00\x80", 2, true},  {"\x00\x7f", 2, false},
		{"\x7f\x00", 2, true}, {"\x00\x00", 2, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct der d = {(const uint8_t *)table[i].bytes, table[i].len};
		ck_assert_msg(der_is_positive(&d) == table[i].ok, "row %zu", i);
	}
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("signer/der");
	TCase *tc = tcase_create("der");

	tcase_add_loop_test(tc, take_refuses, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, takes_one_after_the_other);
	tcase_add_test(tc, takes_long_lengths);
	tcase_add_test(tc, knows_positive_integers);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
