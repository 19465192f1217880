/* SPDX-License-Identifier: Apache-2.0 */
#include "main.h"

#include <inttypes.h>

#include "manifests/duration.h"

#define S INT64_C(1000000000)

static const struct {
	const char *text;
	int64_t ns;
	const char *printed;
} cases[] = {
	{"0", 0, "0s"},
	{"0s", 0, "0s"},
	{"5s", 5 * S, "5s"},
	{"30s", 30 * S, "30s"},
	{"1m", 60 * S, "1m0s"},
	{"1h", 3600 * S, "1h0m0s"},
	{"90s", 90 * S, "1m30s"},
	{"1h30m", 5400 * S, "1h30m0s"},
	{"1h0.5s", 3600 * S + S / 2, "1h0m0.5s"},
	{"1.5h", 5400 * S, "1h30m0s"},
	{"1.5s", 3 * S / 2, "1.5s"},
	{".5s", S / 2, "500ms"},
	{"5.s", 5 * S, "5s"},
	{"100ms", S / 10, "100ms"},
	{"1.25ms", 1250000, "1.25ms"},
	{"15us", 15000, "15\xc2\xb5s"},
	{"15\xc2\xb5s", 15000, "15\xc2\xb5s"},
	{"15\xce\xbcs", 15000, "15\xc2\xb5s"},
	{"7ns", 7, "7ns"},
	{"+5s", 5 * S, "5s"},
	{"1m1ms", 60 * S + S / 1000, "1m0.001s"},
	{"0.000000001s", 1, "1ns"},
	{"0.0000000019s", 1, "1ns"},
	{"2562047h47m16.854775807s", INT64_MAX, "2562047h47m16.854775807s"},
};

START_TEST(parses_and_formats)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str printed = STR_INIT;
	int64_t ns = -1;

	ck_assert_int_eq(duration_parse(cases[_i].text, &ns, &e), 0);
	ck_assert_msg(ns == cases[_i].ns, "%s: %" PRId64, cases[_i].text, ns);
	ck_assert_int_eq(duration_format(ns, &printed, &e), 0);
	ck_assert_str_eq(str_text(&printed), cases[_i].printed);
}
END_TEST

START_TEST(parses_negative_ones)
{
	struct err e = ERR_INIT;
	int64_t ns = 0;

	ck_assert_int_eq(duration_parse("-1m30s", &ns, &e), 0);
	ck_assert_int_eq(ns, -90 * S);
}
END_TEST

static const char *const refused[] = {
	"",
	"5",
	"s",
	"5 s",
	" 5s",
	"5s ",
	"1d",
	"5S",
	".s",
	".",
	"1.2.3s",
	"--5s",
	"1e3s",
	"-",
	"5sm",
	"1m-5s",
	"\x1b",
	"9223372036854775808ns",
	"2562048h",
	"99999999999999999999999s",
	"2562047h47m16.854775808s",
};

START_TEST(refuses)
{
	struct err e = ERR_INIT;
	int64_t ns = 42;

	ck_assert_msg(duration_parse(refused[_i], &ns, &e) < 0, "accepted '%s'", refused[_i]);
	ck_assert_err(&e, ERR_SYNTAX, "duration");
	ck_assert_int_eq(ns, 42);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("manifests/duration");
	TCase *tc = tcase_create("durations");
	tcase_add_loop_test(tc, parses_and_formats, 0, ARRAY_LEN(cases));
	tcase_add_test(tc, parses_negative_ones);
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(refused));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
