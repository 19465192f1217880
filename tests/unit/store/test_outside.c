/* SPDX-License-Identifier: Apache-2.0 */
#include "store/outside.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/store/fixture.h"

static void check(const char *name, bool is_refused)
{
	struct err e = ERR_INIT;
	const int r = outside_check(fixture_store(), scratch_file(name), &e);

	ck_assert_int_eq(r, is_refused ? -1 : 0);
	if (is_refused)
		ck_assert_err(&e, ERR_USAGE, "is in the store '");
	ck_assert_no_err(&e);
}

static const char *const refused[] = {
	"store",
	"store/",
	"store/index.json",
	"store/new",
	"store/new//",
	"store/blobs",
	"store/blobs/x",
	"store/shale/catalogs/x",
	"./store/../store/shale/version",
	"link",
	"link/index.json",
	"link-to-file",
};

static const char *const allowed[] = {"file", "store-2", "", "nowhere/x", "dangling"};

static void make(void)
{
	char target[500];

	fixture_make();
	snprintf(target, sizeof(target), "%s", scratch_file("store"));
	ck_assert_int_eq(symlink(target, scratch_file("link")), 0);
	ck_assert_int_eq(symlink("store/index.json", scratch_file("link-to-file")), 0);
	ck_assert_int_eq(symlink("nowhere", scratch_file("dangling")), 0);
	ck_assert_int_eq(mkdir(scratch_file("store-2"), 0700), 0);
}

START_TEST(what_is_in_the_store_is_refused)
{
	check(refused[_i], true);
}
END_TEST

START_TEST(what_is_beside_it_passes)
{
	check(allowed[_i], false);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("store/outside");
	TCase *tc = tcase_create("outside");

	tcase_add_checked_fixture(tc, make, fixture_remove);
	tcase_add_loop_test(tc, what_is_in_the_store_is_refused, 0, ARRAY_LEN(refused));
	tcase_add_loop_test(tc, what_is_beside_it_passes, 0, ARRAY_LEN(allowed));
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
