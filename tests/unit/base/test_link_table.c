/* SPDX-License-Identifier: Apache-2.0 */
#include "base/link_table.h"

#include <stdio.h>

#include "main.h"
#include "tests/support/failalloc.h"

enum { MANY = 5000 };

static int add(struct link_table *t, struct file_id id, const char *path, struct err *e)
{
	return link_table_add(t, id, (struct file_id){id.ino, id.dev}, path, strlen(path), e);
}

START_TEST(an_empty_table_has_nothing)
{
	struct link_table t = LINK_TABLE_INIT;

	ck_assert_ptr_null(link_table_get(&t, (struct file_id){0, 0}));
	link_table_fini(&t);
	link_table_fini(&t);
	ck_assert_ptr_null(link_table_get(&t, (struct file_id){0, 0}));
}
END_TEST

START_TEST(keeps_a_copy_of_the_path)
{
	struct err e = ERR_INIT;
	SCOPE(link_table) struct link_table t = LINK_TABLE_INIT;
	char path[] = "a/b and more";

	ck_assert_int_eq(
		link_table_add(&t, (struct file_id){1, 2}, (struct file_id){3, 4}, path, 3, &e), 0);
	memset(path, 'x', sizeof(path));
	const struct link_name *found = link_table_get(&t, (struct file_id){1, 2});
	ck_assert_ptr_nonnull(found);
	ck_assert_str_eq(found->path, "a/b");
	ck_assert_uint_eq(found->path_len, 3);
	ck_assert_uint_eq(found->copy.dev, 3);
	ck_assert_uint_eq(found->copy.ino, 4);
}
END_TEST

START_TEST(tells_devices_apart)
{
	struct err e = ERR_INIT;
	SCOPE(link_table) struct link_table t = LINK_TABLE_INIT;

	ck_assert_int_eq(add(&t, (struct file_id){1, 2}, "a", &e), 0);
	ck_assert_ptr_null(link_table_get(&t, (struct file_id){2, 2}));
	ck_assert_ptr_null(link_table_get(&t, (struct file_id){2, 1}));
	ck_assert_int_eq(add(&t, (struct file_id){2, 2}, "b", &e), 0);
	ck_assert_str_eq(link_table_get(&t, (struct file_id){1, 2})->path, "a");
	ck_assert_str_eq(link_table_get(&t, (struct file_id){2, 2})->path, "b");
	/* So many that some must share their places. */
	for (uint64_t dev = 3; dev < MANY; dev++)
		ck_assert_int_eq(add(&t, (struct file_id){dev, 2}, "m", &e), 0);
	ck_assert_str_eq(link_table_get(&t, (struct file_id){2, 2})->path, "b");
}
END_TEST

/* 0, or -1. */
static int fill(void *arg, struct err *e)
{
	SCOPE(link_table) struct link_table t = LINK_TABLE_INIT;
	const uint64_t count = *(const uint64_t *)arg;
	char path[32];

	for (uint64_t i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "p%lu", (unsigned long)i);
		if (add(&t, (struct file_id){7, i * 4096}, path, e) < 0)
			return -1;
	}
	for (uint64_t i = 0; i < count; i++) {
		const struct link_name *l = link_table_get(&t, (struct file_id){7, i * 4096});
		snprintf(path, sizeof(path), "p%lu", (unsigned long)i);
		if (!l || strcmp(l->path, path) != 0 || l->copy.dev != i * 4096 ||
		    link_table_get(&t, (struct file_id){7, i * 4096 + 1}))
			return err_set(e, ERR_FORMAT, "'%s' was lost", path);
	}
	return 0;
}

START_TEST(finds_what_was_added_and_nothing_else)
{
	struct err e = ERR_INIT;
	uint64_t count = MANY;

	fill(&count, &e);
	ck_assert_no_err(&e);
}
END_TEST

START_TEST(runs_out_of_memory_cleanly)
{
	uint64_t count = 200;

	failalloc_each(fill, &count);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("base/link_table");
	TCase *tc = tcase_create("table");

	tcase_add_test(tc, an_empty_table_has_nothing);
	tcase_add_test(tc, keeps_a_copy_of_the_path);
	tcase_add_test(tc, tells_devices_apart);
	tcase_add_test(tc, finds_what_was_added_and_nothing_else);
	tcase_add_test(tc, runs_out_of_memory_cleanly);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
