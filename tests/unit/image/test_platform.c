/* SPDX-License-Identifier: Apache-2.0 */
#include "image/platform.h"

#include <sys/utsname.h>

#include "tests/unit/main.h"

#define LONGEST "abcdefghijklmnopqrstuvwxyz01234"

static const struct {
	const char *text;
	const char *shown;
} accepted[] = {
	{"linux/amd64", "linux/amd64"},
	{"linux/x86_64", "linux/amd64"},
	{"Linux/AMD64", "linux/amd64"},
	{"linux/amd64/v3", "linux/amd64/v3"},
	{"linux/i686", "linux/386"},
	{"linux/aarch64", "linux/arm64"},
	{"linux/arm64/v8", "linux/arm64/v8"},
	{"linux/arm64/8", "linux/arm64/v8"},
	{"linux/arm", "linux/arm/v7"},
	{"linux/armhf", "linux/arm/v7"},
	{"linux/armel", "linux/arm/v6"},
	{"linux/arm/v6", "linux/arm/v6"},
	{"linux/arm/5", "linux/arm/v5"},
	{"linux/riscv64", "linux/riscv64"},
	{"AZ/az/9", "az/az/v9"},
	/* No room for the "v". */
	{"linux/arm/1234567890123456789012345678901", "linux/arm/1234567890123456789012345678901"},
	{"macos/arm64", "darwin/arm64"},
	{LONGEST "/" LONGEST "/" LONGEST, LONGEST "/" LONGEST "/" LONGEST},
};

static const char *const refused[] = {
	"",
	"linux",
	"linux/",
	"/amd64",
	"linux//v7",
	"linux/arm/",
	"linux/arm/v7/x",
	"linux/am d64",
	"linux/../amd64",
	"l\xc3\xafnux/amd64",
	"linux/a\n",
	"linux/" LONGEST "5",
	LONGEST "5/amd64",
	"linux/arm/" LONGEST "5",
};

START_TEST(parse_accepts)
{
	char shown[PLATFORM_STR_MAX];
	struct err e = ERR_INIT;
	struct platform p;

	ck_assert_int_eq(platform_parse(&p, accepted[_i].text, &e), 0);
	ck_assert_no_err(&e);
	ck_assert_str_eq(platform_format(&p, shown), accepted[_i].shown);
}
END_TEST

START_TEST(parse_refuses)
{
	struct err e = ERR_INIT;
	struct platform before, p;

	memset(&p, 0xa5, sizeof(p));
	before = p;
	ck_assert_int_eq(platform_parse(&p, refused[_i], &e), -1);
	ck_assert_mem_eq(&p, &before, sizeof(p));
	ck_assert_err(&e, ERR_SYNTAX, "platform");
}
END_TEST

START_TEST(fields_are_kept_but_for_their_spelling)
{
	char shown[PLATFORM_STR_MAX];
	struct err e = ERR_INIT;
	struct platform p;

	ck_assert_int_eq(platform_from_fields(&p, "linux", "arm", NULL, &e), 0);
	ck_assert_str_eq(platform_format(&p, shown), "linux/arm");
	ck_assert_int_eq(platform_from_fields(&p, "linux", "arm64", "v8", &e), 0);
	ck_assert_str_eq(platform_format(&p, shown), "linux/arm64/v8");
	ck_assert_int_eq(platform_from_fields(&p, "linux", "x86_64", "", &e), 0);
	ck_assert_str_eq(platform_format(&p, shown), "linux/amd64");
	ck_assert_int_eq(platform_from_fields(&p, "unknown", "unknown", NULL, &e), 0);
	ck_assert_str_eq(platform_format(&p, shown), "unknown/unknown");
	ck_assert_no_err(&e);
}
END_TEST

static const struct {
	const char *os, *architecture, *variant;
	const char *word;
} bad_fields[] = {
	{"", "amd64", NULL, "os is empty"},
	{"linux", "", NULL, "architecture is empty"},
	{"li/nux", "amd64", NULL, "os 'li/nux'"},
	{"linux", "amd\x1b[2J", NULL, "architecture 'amd\\x1b"},
	{"linux", "arm", "v/7", "variant"},
	{"linux", "arm", LONGEST "5", "variant"},
};

START_TEST(fields_are_checked)
{
	struct err e = ERR_INIT;
	struct platform before, p;

	memset(&p, 0xa5, sizeof(p));
	before = p;
	ck_assert_int_eq(platform_from_fields(&p, bad_fields[_i].os, bad_fields[_i].architecture,
					      bad_fields[_i].variant, &e),
			 -1);
	ck_assert_mem_eq(&p, &before, sizeof(p));
	ck_assert_err(&e, ERR_FORMAT, bad_fields[_i].word);
}
END_TEST

static const struct {
	struct platform have, want;
	bool matches;
} pairs[] = {
	{{"linux", "amd64", ""}, {"linux", "amd64", ""}, true},
	{{"linux", "amd64", ""}, {"windows", "amd64", ""}, false},
	{{"linux", "amd64", ""}, {"linux", "arm64", ""}, false},
	{{"linux", "arm64", ""}, {"linux", "arm64", "v8"}, true},
	{{"linux", "arm64", "v8"}, {"linux", "arm64", ""}, true},
	{{"linux", "arm64", "v9"}, {"linux", "arm64", ""}, true},
	{{"linux", "arm64", "v9"}, {"linux", "arm64", "v8"}, false},
	{{"linux", "arm", ""}, {"linux", "arm", "v7"}, true},
	{{"linux", "arm", ""}, {"linux", "arm", "v6"}, false},
	{{"linux", "arm", "v6"}, {"linux", "arm", "v7"}, true},
	{{"linux", "arm", "v7"}, {"linux", "arm", "v6"}, false},
	{{"linux", "amd64", ""}, {"linux", "amd64", "v3"}, true},
	{{"linux", "amd64", "v2"}, {"linux", "amd64", "v3"}, true},
	{{"linux", "amd64", "v3"}, {"linux", "amd64", "v1"}, false},
	{{"linux", "ppc64le", "power9"}, {"linux", "ppc64le", "power9"}, true},
	{{"linux", "ppc64le", "power8"}, {"linux", "ppc64le", "power9"}, false},
	{{"linux", "amd64", "vx"}, {"linux", "amd64", "vy"}, false},
	{{"linux", "amd64", "v2"}, {"linux", "amd64", "v02"}, true},
	{{"linux", "amd64", "v0"}, {"linux", "amd64", "v1"}, true},
	{{"linux", "mips", "v1"}, {"linux", "mips", "v2"}, false},
	{{"unknown", "unknown", ""}, {"linux", "amd64", ""}, false},
};

START_TEST(matching_is_by_what_runs)
{
	ck_assert_int_eq(platform_matches(&pairs[_i].have, &pairs[_i].want), pairs[_i].matches);
}
END_TEST

START_TEST(host_is_this_machine)
{
	const struct platform p = platform_host();
	struct utsname host;

	ck_assert_str_eq(p.os, "linux");
	ck_assert_int_eq(uname(&host), 0);
	if (strcmp(host.machine, "x86_64") == 0)
		ck_assert_str_eq(p.architecture, "amd64");
	else if (strcmp(host.machine, "aarch64") == 0)
		ck_assert_str_eq(p.architecture, "arm64");
	ck_assert(platform_matches(&p, &p));
}
END_TEST

static const struct {
	const char *text, *unified;
	bool is_baseline;
} variants[] = {
	{"linux/amd64", "linux/amd64", true},
	{"linux/amd64/v1", "linux/amd64", true},
	{"linux/amd64/v2", "linux/amd64/v2", false},
	{"linux/arm64/v8", "linux/arm64", true},
	{"linux/arm64/v9", "linux/arm64/v9", false},
	/* containerd says this one in full. */
	{"linux/arm", "linux/arm/v7", true},
	{"linux/arm/v7", "linux/arm/v7", true},
	{"linux/arm/v6", "linux/arm/v6", false},
	{"linux/ppc64le/power9", "linux/ppc64le/power9", false},
	{"linux/riscv64", "linux/riscv64", true},
};

START_TEST(a_variant_that_says_nothing_is_dropped)
{
	char shown[PLATFORM_STR_MAX];
	struct err e = ERR_INIT;
	struct platform p;

	ck_assert_int_eq(platform_parse(&p, variants[_i].text, &e), 0);
	ck_assert(platform_is_baseline(&p) == variants[_i].is_baseline);
	platform_unify(&p);
	ck_assert_str_eq(platform_format(&p, shown), variants[_i].unified);
}
END_TEST

START_TEST(equal_is_in_all_three)
{
	static const struct platform one = {"linux", "arm", "v7"};
	static const struct platform others[] = {{"linux", "arm", "v6"},
						 {"linux", "arm", ""},
						 {"linux", "arm64", "v7"},
						 {"windows", "arm", "v7"}};

	ck_assert(platform_equal(&one, &one));
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		ck_assert(!platform_equal(&one, &others[i]));
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/platform");
	TCase *tc = tcase_create("platform");

	tcase_add_loop_test(tc, parse_accepts, 0, ARRAY_LEN(accepted));
	tcase_add_loop_test(tc, parse_refuses, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, fields_are_kept_but_for_their_spelling);
	tcase_add_loop_test(tc, fields_are_checked, 0, ARRAY_LEN(bad_fields));
	tcase_add_loop_test(tc, matching_is_by_what_runs, 0, ARRAY_LEN(pairs));
	tcase_add_test(tc, host_is_this_machine);
	tcase_add_loop_test(tc, a_variant_that_says_nothing_is_dropped, 0, ARRAY_LEN(variants));
	tcase_add_test(tc, equal_is_in_all_three);
	suite_add_tcase(s, tc);
	return s;
}
UNIT_MAIN(suite_new)
