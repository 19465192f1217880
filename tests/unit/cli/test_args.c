/* SPDX-License-Identifier: Apache-2.0 */
#include "main.h"

#include "cli/command.h"

static const struct option options[] = {
	{'t', "tag", "NAME", "a name"},
	{0, "quiet", NULL, "say nothing"},
	{0, NULL, NULL, NULL},
};

static const struct command with_options = {.name = "with", .synopsis = "", .options = options};
static const struct command without_options = {.name = "without", .synopsis = ""};

/* The names of all options, with commas between. */
static void collect(const struct command *c, struct str *out)
{
	struct err e = ERR_INIT;
	const struct option *o;

	for (size_t at = 0; (o = option_next(c, &at));)
		ck_assert_int_eq(str_appendf(out, &e, "%s,", o->name), 0);
}

START_TEST(options_come_own_first)
{
	SCOPE(str) struct str with = STR_INIT;
	SCOPE(str) struct str without = STR_INIT;

	collect(&with_options, &with);
	ck_assert_str_eq(str_text(&with), "tag,quiet,store,help,");
	collect(&without_options, &without);
	ck_assert_str_eq(str_text(&without), "store,help,");
}
END_TEST

START_TEST(options_are_found_by_letter_or_name)
{
	ck_assert_ptr_eq(option_find(&with_options, 't', NULL, 0), &options[0]);
	ck_assert_ptr_eq(option_find(&with_options, 0, "quiet=", 5), &options[1]);
	ck_assert_ptr_eq(option_find(&with_options, 0, "store", 5), &common_options[0]);
	ck_assert_ptr_eq(option_find(&without_options, 'h', NULL, 0), &common_options[1]);
	ck_assert_ptr_null(option_find(&without_options, 't', NULL, 0));
	ck_assert_ptr_null(option_find(&with_options, 0, "quie", 4));
	ck_assert_ptr_null(option_find(&with_options, 0, "quieter", 7));
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("cli/args");
	TCase *tc = tcase_create("options");

	tcase_add_test(tc, options_come_own_first);
	tcase_add_test(tc, options_are_found_by_letter_or_name);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
