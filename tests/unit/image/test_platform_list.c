/* SPDX-License-Identifier: Apache-2.0 */
#include "image/platform_list.h"

#include "base/limits.h"
#include "base/str.h"
#include "tests/support/failalloc.h"
#include "tests/unit/main.h"

/* "linux/amd64 linux/arm64" */
static void check_list(const struct platform_list *l, const char *want)
{
	SCOPE(str) struct str got = STR_INIT;
	char text[PLATFORM_STR_MAX];
	struct err e = ERR_INIT;

	for (size_t i = 0; i < l->count; i++)
		str_appendf(&got, &e, "%s%s", i ? " " : "", platform_format(&l->items[i], text));
	ck_assert_no_err(&e);
	ck_assert_str_eq(str_text(&got), want);
}

static const struct {
	const char *text, *more; /* NULL: once */
	const char *list;
} accepted[] = {
	{"linux/amd64", NULL, "linux/amd64"},
	{"linux/arm64,linux/amd64", NULL, "linux/arm64 linux/amd64"},
	{"linux/arm64", "linux/amd64", "linux/arm64 linux/amd64"},
	/* One platform in several spellings is one. */
	{"linux/amd64,linux/x86_64,Linux/AMD64/v1", "linux/amd64", "linux/amd64"},
	{"linux/arm64/v8,linux/arm64,linux/aarch64", NULL, "linux/arm64"},
	{"linux/arm,linux/arm/v7,linux/armhf", NULL, "linux/arm/v7"},
	/* These are others. */
	{"linux/amd64,linux/amd64/v3", NULL, "linux/amd64 linux/amd64/v3"},
	{"linux/arm/v6,linux/arm/v7", NULL, "linux/arm/v6 linux/arm/v7"},
	{"linux/arm64,linux/arm64/v9", NULL, "linux/arm64 linux/arm64/v9"},
	{"linux/amd64,freebsd/amd64", NULL, "linux/amd64 freebsd/amd64"},
};

START_TEST(lists_are_unified)
{
	SCOPE(platform_list) struct platform_list l = PLATFORM_LIST_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(platform_list_parse(&l, accepted[_i].text, &e), 0);
	if (accepted[_i].more)
		ck_assert_int_eq(platform_list_parse(&l, accepted[_i].more, &e), 0);
	ck_assert_no_err(&e);
	check_list(&l, accepted[_i].list);
}
END_TEST

static const char *const refused[] = {
	"",
	",",
	"linux/amd64,",
	",linux/amd64",
	"linux/amd64,,linux/arm64",
	"linux",
	"LOCAL,",
	"linux/amd64 ",
	"linux/amd64, linux/arm64",
};

START_TEST(refuses_what_is_no_platform)
{
	SCOPE(platform_list) struct platform_list l = PLATFORM_LIST_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(platform_list_parse(&l, refused[_i], &e), -1);
	ck_assert_err(&e, ERR_SYNTAX, "platform '");
}
END_TEST

START_TEST(local_is_this_machine)
{
	SCOPE(platform_list) struct platform_list l = PLATFORM_LIST_INIT;
	struct platform host = platform_host();
	char text[PLATFORM_STR_MAX];
	struct err e = ERR_INIT;

	platform_unify(&host);
	ck_assert_int_eq(platform_list_parse(&l, "local,local", &e), 0);
	ck_assert_int_eq(platform_list_parse(&l, platform_format(&host, text), &e), 0);
	ck_assert_no_err(&e);
	ck_assert_uint_eq(l.count, 1);
	ck_assert(platform_equal(&l.items[0], &host));
}
END_TEST

START_TEST(a_list_has_a_limit)
{
	SCOPE(platform_list) struct platform_list l = PLATFORM_LIST_INIT;
	SCOPE(str) struct str text = STR_INIT;
	struct err e = ERR_INIT;

	for (unsigned i = 0; i < LIMIT_PLATFORMS; i++)
		str_appendf(&text, &e, "%slinux/a%u", i ? "," : "", i);
	ck_assert_int_eq(platform_list_parse(&l, text.data, &e), 0);
	ck_assert_uint_eq(l.count, LIMIT_PLATFORMS);
	/* One that is there needs no room. */
	ck_assert_int_eq(platform_list_parse(&l, "linux/a0", &e), 0);
	ck_assert_no_err(&e);
	ck_assert_int_eq(platform_list_parse(&l, "linux/more", &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "more than 64 platforms");
}
END_TEST

static int parse(void *arg, struct err *e)
{
	SCOPE(platform_list) struct platform_list l = PLATFORM_LIST_INIT;

	return platform_list_parse(&l, arg, e);
}

START_TEST(survives_want_of_memory)
{
	char text[] = "linux/amd64,linux/arm64,linux/arm/v7";

	failalloc_each(parse, text);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/platform_list");
	TCase *tc = tcase_create("lists");

	tcase_add_loop_test(tc, lists_are_unified, 0, ARRAY_LEN(accepted));
	tcase_add_loop_test(tc, refuses_what_is_no_platform, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, local_is_this_machine);
	tcase_add_test(tc, a_list_has_a_limit);
	tcase_add_test(tc, survives_want_of_memory);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
