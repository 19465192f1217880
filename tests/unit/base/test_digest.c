/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest.h"

#include "main.h"

/* Of no bytes; sha256sum(1) and sha512sum(1) of /dev/null. */
#define EMPTY256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define EMPTY512                                                           \
	"cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce" \
	"47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"

static const struct {
	const char *text;
	enum digest_alg alg;
	size_t raw_len;
	const char *hex;
} accepted[] = {
	{"sha256:" EMPTY256, DIGEST_SHA256, 32, EMPTY256},
	{"sha512:" EMPTY512, DIGEST_SHA512, 64, EMPTY512},
};

START_TEST(parse_and_format_agree)
{
	struct err e = ERR_INIT;
	struct digest d;
	char text[DIGEST_STR_MAX], hex[DIGEST_HEX_MAX];
	const char *in = accepted[_i].text;

	memset(&d, 0xa5, sizeof(d));
	ck_assert_int_eq(digest_parse(&d, in, strlen(in), &e), 0);
	ck_assert_no_err(&e);
	ck_assert_int_eq(d.alg, accepted[_i].alg);
	ck_assert_uint_eq(digest_raw_len(d.alg), accepted[_i].raw_len);
	ck_assert_uint_eq(d.raw[0], _i == 0 ? 0xe3 : 0xcf);
	for (size_t i = accepted[_i].raw_len; i < DIGEST_RAW_MAX; i++)
		ck_assert_uint_eq(d.raw[i], 0);
	ck_assert_str_eq(digest_format(&d, text), in);
	ck_assert_str_eq(digest_hex(&d, hex), accepted[_i].hex);
}
END_TEST

static const struct {
	const char *text;
	enum err_code code;
} refused[] = {
	{"", ERR_SYNTAX},
	{":", ERR_SYNTAX},
	{"sha256", ERR_SYNTAX},
	{"sha256:", ERR_SYNTAX},
	{":" EMPTY256, ERR_SYNTAX},
	{EMPTY256, ERR_SYNTAX},
	{"sha256:" EMPTY256 "0", ERR_SYNTAX},
	{"sha256:" EMPTY256 "\n", ERR_SYNTAX},
	{" sha256:" EMPTY256, ERR_SYNTAX},
	{"sha256::" EMPTY256, ERR_SYNTAX},
	{"sha256:e3b0", ERR_SYNTAX},
	{"sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", ERR_SYNTAX},
	{"sha256:g3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", ERR_SYNTAX},
	{"sha256:" EMPTY512, ERR_SYNTAX},
	{"sha512:" EMPTY256, ERR_SYNTAX},
	{"SHA256:" EMPTY256, ERR_SYNTAX},
	{"sha256+:" EMPTY256, ERR_SYNTAX},
	{"+sha256:" EMPTY256, ERR_SYNTAX},
	{"a++b:00", ERR_SYNTAX},
	{"md5:../../x", ERR_SYNTAX},
	{"md5:d41d8cd98f00b204e9800998ecf8427e", ERR_UNSUPPORTED},
	{"sha384:00", ERR_UNSUPPORTED},
	{"none:00", ERR_UNSUPPORTED},
	{"multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8", ERR_UNSUPPORTED},
	{"sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564", ERR_UNSUPPORTED},
};

START_TEST(parse_refuses)
{
	struct err e = ERR_INIT;
	struct digest before, d;

	memset(&d, 0xa5, sizeof(d));
	before = d;
	ck_assert_int_eq(digest_parse(&d, refused[_i].text, strlen(refused[_i].text), &e), -1);
	ck_assert_err(&e, refused[_i].code, "digest");
	ck_assert_mem_eq(&d, &before, sizeof(d));
}
END_TEST

START_TEST(parse_refuses_a_nul_inside)
{
	static const char text[] = "sha256:e3b0c44298fc1c149afbf4c8996fb924\0"
				   "7ae41e4649b934ca495991b7852b855";
	struct err e = ERR_INIT;
	struct digest d;

	ck_assert_uint_eq(sizeof(text) - 1, strlen("sha256:" EMPTY256));
	ck_assert_int_eq(digest_parse(&d, text, sizeof(text) - 1, &e), -1);
	ck_assert_err(&e, ERR_SYNTAX, "\\x00");
	ck_assert_int_eq(digest_parse(&d, "sha\000256:00", 10, &e), -1);
	ck_assert_err(&e, ERR_SYNTAX, "digest");
}
END_TEST

START_TEST(parse_reads_no_further_than_len)
{
	struct err e = ERR_INIT;
	struct digest d;
	static const char text[] = "sha256:" EMPTY256 "@tail";

	ck_assert_int_eq(digest_parse(&d, text, strlen("sha256:" EMPTY256), &e), 0);
	ck_assert_int_eq(digest_parse(&d, text, strlen("sha256:" EMPTY256) - 1, &e), -1);
	ck_assert_err(&e, ERR_SYNTAX, "64");
}
END_TEST

START_TEST(compare_is_a_total_order)
{
	uint8_t raw[DIGEST_SHA256_LEN] = {1};
	const struct digest one = digest_from_sha256(raw);
	raw[31] = 0x80;
	const struct digest two = digest_from_sha256(raw);
	struct digest other = one;
	other.alg = DIGEST_SHA512;
	const struct digest none = {DIGEST_NONE, {0}};

	ck_assert(digest_equal(&one, &one));
	ck_assert(!digest_equal(&one, &two));
	ck_assert(!digest_equal(&one, &other));
	ck_assert(!digest_equal(&one, &none));
	ck_assert_int_lt(digest_compare(&one, &two), 0);
	ck_assert_int_gt(digest_compare(&two, &one), 0);
	ck_assert_int_lt(digest_compare(&two, &other), 0);
	ck_assert_int_lt(digest_compare(&none, &one), 0);
	ck_assert_int_eq(digest_compare(&two, &two), 0);
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(digest_alg_name(DIGEST_SHA256), "sha256");
	ck_assert_str_eq(digest_alg_name(DIGEST_SHA512), "sha512");
	ck_assert_uint_eq(digest_raw_len(DIGEST_NONE), 0);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("base/digest");
	TCase *tc = tcase_create("text");

	tcase_add_loop_test(tc, parse_and_format_agree, 0, ARRAY_LEN(accepted));
	tcase_add_loop_test(tc, parse_refuses, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, parse_refuses_a_nul_inside);
	tcase_add_test(tc, parse_reads_no_further_than_len);
	tcase_add_test(tc, compare_is_a_total_order);
	tcase_add_test(tc, names);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
