/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strlist.h"

#include "main.h"
#include "tests/support/failalloc.h"

START_TEST(keeps_the_order)
{
	struct err e = ERR_INIT;
	SCOPE(strlist) struct strlist l = STRLIST_INIT;

	ck_assert(!l.is_set);
	ck_assert_int_eq(strlist_add(&l, "b", &e), 0);
	ck_assert_int_eq(strlist_add(&l, "a", &e), 0);
	ck_assert_int_eq(strlist_add(&l, "", &e), 0);
	ck_assert(l.is_set);
	ck_assert_uint_eq(l.count, 3);
	ck_assert_str_eq(l.items[0], "b");
	ck_assert_str_eq(l.items[1], "a");
	ck_assert_str_eq(l.items[2], "");
	strlist_clear(&l);
	ck_assert_uint_eq(l.count, 0);
	ck_assert(!l.is_set);
}
END_TEST

START_TEST(copy_replaces)
{
	struct err e = ERR_INIT;
	SCOPE(strlist) struct strlist from = STRLIST_INIT, to = STRLIST_INIT;

	ck_assert_int_eq(strlist_add(&from, "a", &e), 0);
	ck_assert_int_eq(strlist_add(&to, "old", &e), 0);
	ck_assert_int_eq(strlist_copy(&to, &from, &e), 0);
	ck_assert_uint_eq(to.count, 1);
	ck_assert_str_eq(to.items[0], "a");
	ck_assert_ptr_ne(to.items[0], from.items[0]);
	strlist_clear(&from);
	from.is_set = true;
	ck_assert_int_eq(strlist_copy(&to, &from, &e), 0);
	ck_assert_uint_eq(to.count, 0);
	ck_assert(to.is_set);
}
END_TEST

static int fill_and_copy(void *arg, struct err *e)
{
	SCOPE(strlist) struct strlist l = STRLIST_INIT, copy = STRLIST_INIT;

	(void)arg;
	for (int i = 0; i < 20; i++) {
		if (strlist_add(&l, "item", e) < 0)
			return -1;
	}
	return strlist_copy(&copy, &l, e);
}

START_TEST(without_memory)
{
	failalloc_each(fill_and_copy, NULL);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("base/strlist");
	TCase *tc = tcase_create("list");

	tcase_add_test(tc, keeps_the_order);
	tcase_add_test(tc, copy_replaces);
	tcase_add_test(tc, without_memory);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
