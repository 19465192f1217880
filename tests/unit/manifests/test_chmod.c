/* SPDX-License-Identifier: Apache-2.0 */
#include "main.h"

#include <stdlib.h>

#include "base/str.h"
#include "manifests/chmod.h"

/* What GNU chmod 9.1 makes of regular files, umask 022; of directories where marked. */
static const struct {
	const char *text;
	mode_t before;
	bool is_dir;
	mode_t after;
} cases[] = {
	{"0", 0777, false, 0},
	{"644", 0777, false, 0644},
	{"0644", 0, false, 0644},
	{"4755", 0, false, 04755},
	{"07777", 0, false, 07777},
	{"+x", 0644, false, 0755},
	{"+w", 0444, false, 0644},
	{"-w", 0666, false, 0466},
	{"=rw", 0777, false, 0644},
	{"=", 0777, false, 0},
	{"a+w", 0444, false, 0666},
	{"a=rx", 0777, false, 0555},
	{"u=rwX,go=rX", 0600, false, 0644},
	{"u=rwX,go=rX", 0700, false, 0755},
	{"u=rwX,go=rX", 0600, true, 0755},
	{"go-rwx", 0777, false, 0700},
	{"go=", 0777, false, 0700},
	{"g=u", 0750, false, 0770},
	{"g=u-w", 0750, false, 0750},
	{"o=g", 0750, false, 0755},
	{"u+s", 0755, false, 04755},
	{"g+s", 0755, false, 02755},
	{"o+s", 0755, false, 0755},
	{"+s", 0755, false, 06755},
	{"u-s", 06755, false, 02755},
	{"+t", 0755, false, 01755},
	{"a-t", 01777, false, 0777},
	{"u+r-w+x", 0200, false, 0500},
	{"ug+rw,o-r", 0004, false, 0660},
	{"-x+X", 0755, false, 0644},
	{"+X", 0644, false, 0644},
	{"+X", 0744, false, 0755},
	{"+X", 0644, true, 0755},
	{"u=g=o", 0007, false, 0707},
	{"augo=r", 0777, false, 0444},
};

START_TEST(applies)
{
	struct err e = ERR_INIT;
	struct chmod_spec spec;

	ck_assert_int_eq(chmod_parse(&spec, cases[_i].text, &e), 0);
	const mode_t got = chmod_apply(&spec, cases[_i].before, cases[_i].is_dir);
	ck_assert_msg(got == cases[_i].after, "%s on %o: %o", cases[_i].text, cases[_i].before,
		      got);
}
END_TEST

static const struct {
	const char *text, *word;
} refused[] = {
	{"", "neither"},        {"8", "07777"},           {"0888", "07777"},
	{"10000", "07777"},     {"77777777777", "07777"}, {"0x1ff", "07777"},
	{"7 ", "07777"},        {"-1", "neither"},        {"u", "neither"},
	{"rwx", "neither"},     {"u=q", "neither"},       {"u=rw,", "neither"},
	{",u=r", "neither"},    {"u=r g=r", "neither"},   {"u=ug", "neither"},
	{"\x1b[2J", "neither"},
};

START_TEST(refuses)
{
	struct err e = ERR_INIT;
	struct chmod_spec spec = {.octal = 1234};

	ck_assert_msg(chmod_parse(&spec, refused[_i].text, &e) < 0, "accepted %s",
		      refused[_i].text);
	ck_assert_err(&e, ERR_SYNTAX, refused[_i].word);
	ck_assert_uint_eq(spec.octal, 1234);
}
END_TEST

START_TEST(limits_operators)
{
	struct err e = ERR_INIT;
	struct chmod_spec spec;
	SCOPE(str) struct str text = STR_INIT;

	for (size_t i = 0; i < CHMOD_ACTIONS_MAX; i++)
		ck_assert_int_eq(str_append_z(&text, "+x", &e), 0);
	ck_assert_int_eq(chmod_parse(&spec, text.data, &e), 0);
	ck_assert_int_eq(str_append_z(&text, "+x", &e), 0);
	ck_assert_int_eq(chmod_parse(&spec, text.data, &e), -1);
	ck_assert_err(&e, ERR_SYNTAX, "too many");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("manifests/chmod");
	TCase *tc = tcase_create("modes");
	tcase_add_loop_test(tc, applies, 0, ARRAY_LEN(cases));
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, limits_operators);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
