/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/epoch.h"

#include "main.h"

static const char variable[] = "SOURCE_DATE_EPOCH";

START_TEST(without_the_variable_it_is_1980)
{
	struct err e = ERR_INIT;
	int64_t epoch = 0;

	unsetenv(variable);
	ck_assert_int_eq(epoch_get(&epoch, &e), 0);
	ck_assert_int_eq(epoch, 315532800);
	ck_assert_int_eq(epoch_find(&epoch, &e), 0);
}
END_TEST

static const struct {
	const char *text;
	int64_t epoch;
} taken[] = {{"0", 0}, {"1700000000", 1700000000}, {"253402300799", INT64_C(253402300799)}};

START_TEST(takes)
{
	struct err e = ERR_INIT;
	int64_t epoch = -1;

	setenv(variable, taken[_i].text, 1);
	ck_assert_int_eq(epoch_get(&epoch, &e), 0);
	ck_assert_int_eq(epoch, taken[_i].epoch);
	ck_assert_int_eq(epoch_find(&epoch, &e), 1);
	ck_assert_int_eq(epoch, taken[_i].epoch);
}
END_TEST

static const char *const refused[] = {
	"", " ", "-1", "1 ", "0x10", "yesterday", "1.5", "253402300800", "99999999999999999999999",
};

START_TEST(refuses)
{
	struct err e = ERR_INIT;
	int64_t epoch = 42;

	setenv(variable, refused[_i], 1);
	ck_assert_int_eq(epoch_get(&epoch, &e), -1);
	ck_assert_err(&e, ERR_USAGE, variable);
	ck_assert_int_eq(epoch, 42);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/epoch");
	TCase *tc = tcase_create("get");

	tcase_add_test(tc, without_the_variable_it_is_1980);
	tcase_add_loop_test(tc, takes, 0, ARRAY_LEN(taken));
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(refused));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
