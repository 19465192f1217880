/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/base64.h"

#include "main.h"

/* RFC 4648, section 10. */
static const struct {
	const char *plain, *text;
} vectors[] = {
	{"", ""},
	{"f", "Zg=="},
	{"fo", "Zm8="},
	{"foo", "Zm9v"},
	{"foob", "Zm9vYg=="},
	{"fooba", "Zm9vYmE="},
	{"foobar", "Zm9vYmFy"},
	{"\xfb\xff\xbf", "+/+/"},
};

START_TEST(both_ways_as_the_rfc)
{
	SCOPE(str) struct str out = STR_INIT;
	struct err e = ERR_INIT;
	uint8_t plain[16];
	size_t len = 99;

	const char *text = vectors[_i].text;
	ck_assert_int_eq(base64_decode(text, strlen(text), plain, sizeof(plain), &len), 0);
	ck_assert_uint_eq(len, strlen(vectors[_i].plain));
	ck_assert_mem_eq(plain, vectors[_i].plain, len);

	ck_assert_int_eq(base64_append(&out, (const uint8_t *)vectors[_i].plain,
				       strlen(vectors[_i].plain), &e),
			 0);
	ck_assert_str_eq(str_text(&out), text);
}
END_TEST

static const char *const refused[] = {
	"Zg",     "Zg=",       "Zg===",     "Zh==",       "Zm9=",       "Z",
	"=",      "Zm9v Yg==", "Zm9v\n",    " Zm9v",      "Zm9v\r\n",   "-_-_",
	"Zm9v!A", "Zg==Zg==",  "Zm9vYg==A", "Zm9v\tYg==", "\xc3\xa9==",
};

START_TEST(refuses_every_other_spelling)
{
	uint8_t plain[16];
	size_t len = 99;

	ck_assert_int_eq(
		base64_decode(refused[_i], strlen(refused[_i]), plain, sizeof(plain), &len), -1);
	ck_assert_uint_eq(len, 99);
}
END_TEST

START_TEST(refuses_more_than_fits)
{
	uint8_t plain[2];
	size_t len = 99;

	ck_assert_int_eq(base64_decode("Zm9v", 4, plain, sizeof(plain), &len), -1);
	ck_assert_int_eq(base64_decode("Zm8=", 4, plain, sizeof(plain), &len), 0);
	ck_assert_uint_eq(len, 2);
}
END_TEST

START_TEST(refuses_a_nul_inside)
{
	uint8_t plain[16];
	size_t len = 99;

	ck_assert_int_eq(base64_decode("Zm9v\0Zm9", 8, plain, sizeof(plain), &len), -1);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("signer/base64");
	TCase *tc = tcase_create("base64");

	tcase_add_loop_test(tc, both_ways_as_the_rfc, 0, ARRAY_LEN(vectors));
	tcase_add_loop_test(tc, refuses_every_other_spelling, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, refuses_more_than_fits);
	tcase_add_test(tc, refuses_a_nul_inside);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
