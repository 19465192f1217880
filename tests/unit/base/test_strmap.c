/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strmap.h"

#include <stdio.h>

#include "main.h"
#include "tests/support/failalloc.h"

START_TEST(keeps_keys_sorted_and_single)
{
	static const char *const keys[] = {"m", "a", "z", "", "\xc3\xa9", "ab", "B", "m"};
	static const char *const want[] = {"", "B", "a", "ab", "m", "z", "\xc3\xa9"};
	struct err e = ERR_INIT;
	SCOPE(strmap) struct strmap m = STRMAP_INIT;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		ck_assert_int_eq(strmap_set(&m, keys[i], i < 7 ? "old" : "new", &e), 0);
	ck_assert_uint_eq(m.count, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		ck_assert_str_eq(m.items[i].key, want[i]);
	ck_assert_str_eq(strmap_get(&m, "m"), "new");
	ck_assert_str_eq(strmap_get(&m, "a"), "old");
	ck_assert_ptr_null(strmap_get(&m, "b"));
}
END_TEST

START_TEST(remove_takes_one)
{
	struct err e = ERR_INIT;
	SCOPE(strmap) struct strmap m = STRMAP_INIT;

	ck_assert_int_eq(strmap_remove(&m, "a"), 0);
	ck_assert_int_eq(strmap_set(&m, "a", "1", &e), 0);
	ck_assert_int_eq(strmap_set(&m, "b", "2", &e), 0);
	ck_assert_int_eq(strmap_set(&m, "c", "3", &e), 0);
	ck_assert_int_eq(strmap_remove(&m, "b"), 1);
	ck_assert_int_eq(strmap_remove(&m, "b"), 0);
	ck_assert_uint_eq(m.count, 2);
	ck_assert_ptr_null(strmap_get(&m, "b"));
	ck_assert_str_eq(strmap_get(&m, "a"), "1");
	ck_assert_str_eq(strmap_get(&m, "c"), "3");
}
END_TEST

START_TEST(set_of_its_own_value_is_fine)
{
	struct err e = ERR_INIT;
	SCOPE(strmap) struct strmap m = STRMAP_INIT;

	ck_assert_int_eq(strmap_set(&m, "a", "1", &e), 0);
	ck_assert_int_eq(strmap_set(&m, m.items[0].key, m.items[0].value, &e), 0);
	ck_assert_str_eq(strmap_get(&m, "a"), "1");
}
END_TEST

START_TEST(copy_replaces)
{
	struct err e = ERR_INIT;
	SCOPE(strmap) struct strmap from = STRMAP_INIT, to = STRMAP_INIT;

	ck_assert_int_eq(strmap_set(&from, "a", "1", &e), 0);
	ck_assert_int_eq(strmap_set(&to, "old", "x", &e), 0);
	ck_assert_int_eq(strmap_copy(&to, &from, &e), 0);
	ck_assert_uint_eq(to.count, 1);
	ck_assert_int_eq(strmap_set(&from, "a", "2", &e), 0);
	ck_assert_str_eq(strmap_get(&to, "a"), "1");
	ck_assert_int_eq(strmap_copy(&to, &to, &e), 0);
	ck_assert_str_eq(strmap_get(&to, "a"), "1");
}
END_TEST

static int fill_and_copy(void *arg, struct err *e)
{
	SCOPE(strmap) struct strmap m = STRMAP_INIT, copy = STRMAP_INIT;

	(void)arg;
	for (int i = 0; i < 20; i++) {
		char key[16];
		snprintf(key, sizeof(key), "%d", i * 7 % 20);
		const size_t before = m.count;
		if (strmap_set(&m, key, "value", e) < 0) {
			if (m.count != before || strmap_get(&m, key))
				abort();
			return -1;
		}
	}
	if (strmap_set(&m, "3", "other", e) < 0) {
		if (strcmp(strmap_get(&m, "3"), "value") != 0)
			abort();
		return -1;
	}
	return strmap_copy(&copy, &m, e);
}

START_TEST(without_memory_nothing_changes)
{
	failalloc_each(fill_and_copy, NULL);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("base/strmap");
	TCase *tc = tcase_create("map");

	tcase_add_test(tc, keeps_keys_sorted_and_single);
	tcase_add_test(tc, remove_takes_one);
	tcase_add_test(tc, set_of_its_own_value_is_fine);
	tcase_add_test(tc, copy_replaces);
	tcase_add_test(tc, without_memory_nothing_changes);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
