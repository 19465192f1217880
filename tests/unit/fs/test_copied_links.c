/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/copied_links.h"

#include <stdio.h>

#include "main.h"

enum { MANY = 10000 };

START_TEST(finds_what_was_added_and_nothing_else)
{
	struct copied_links t = {.slots = NULL};
	struct err e = ERR_INIT;
	char path[32];

	ck_assert_ptr_null(copied_links_get(&t, 0));
	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "path/%u", i);
		ck_assert_int_eq(copied_links_add(&t, i * 8, i, i + 1, path, &e), 0);
	}
	for (uint32_t i = 0; i < MANY; i++) {
		const struct copied_link *l = copied_links_get(&t, i * 8);
		snprintf(path, sizeof(path), "path/%u", i);
		ck_assert_ptr_nonnull(l);
		ck_assert_str_eq(l->path, path);
		ck_assert_uint_eq(l->dev, i);
		ck_assert_uint_eq(l->ino, i + 1);
		ck_assert_ptr_null(copied_links_get(&t, i * 8 + 1));
	}
	copied_links_fini(&t);
	ck_assert_ptr_null(copied_links_get(&t, 0));
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("fs/copied_links");
	TCase *tc = tcase_create("table");

	tcase_add_test(tc, finds_what_was_added_and_nothing_else);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
