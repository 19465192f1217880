/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/link_table.h"

#include <stdio.h>

#include "base/scope.h"
#include "main.h"
#include "tests/support/failalloc.h"

enum { MANY = 5000 };

SCOPE_DEFINE(link_table, struct link_table *, link_table_free)

static int note(struct link_table *t, dev_t dev, ino_t ino, const char *path, const char **first,
		size_t *len)
{
	struct err e = ERR_INIT;
	const struct stat st = {.st_dev = dev, .st_ino = ino};
	const int r = link_table_note(t, &st, path, strlen(path), first, len, &e);

	ck_assert_no_err(&e);
	return r;
}

START_TEST(the_first_name_stays)
{
	struct err e = ERR_INIT;
	SCOPE(link_table) struct link_table *t = link_table_new(&e);
	const char *first = NULL;
	size_t len = 0;

	ck_assert_int_eq(note(t, 1, 2, "a/b", &first, &len), 0);
	ck_assert_int_eq(note(t, 1, 2, "c", &first, &len), 1);
	ck_assert_uint_eq(len, 3);
	ck_assert_mem_eq(first, "a/b", 3);
	ck_assert_int_eq(note(t, 1, 2, "d", &first, &len), 1);
	ck_assert_mem_eq(first, "a/b", 3);
}
END_TEST

START_TEST(devices_are_told_apart)
{
	struct err e = ERR_INIT;
	SCOPE(link_table) struct link_table *t = link_table_new(&e);
	const char *first;
	size_t len;

	ck_assert_int_eq(note(t, 1, 2, "a", &first, &len), 0);
	ck_assert_int_eq(note(t, 2, 2, "b", &first, &len), 0);
	ck_assert_int_eq(note(t, 2, 1, "c", &first, &len), 0);
	ck_assert_int_eq(note(t, 2, 2, "x", &first, &len), 1);
	ck_assert_mem_eq(first, "b", 1);
	/* So many that some must share their places. */
	for (dev_t dev = 3; dev < MANY; dev++)
		ck_assert_int_eq(note(t, dev, 2, "m", &first, &len), 0);
}
END_TEST

/* 0, or -1. */
static int fill(void *arg, struct err *e)
{
	SCOPE(link_table) struct link_table *t = link_table_new(e);
	const char *first;
	size_t len;
	char path[32];

	if (!t)
		return -1;
	for (ino_t i = 0; i < *(const ino_t *)arg; i++) {
		const int n = snprintf(path, sizeof(path), "p%lu", (unsigned long)i);
		if (link_table_note(t, &(struct stat){.st_dev = 7, .st_ino = i * 4096}, path,
				    (size_t)n, &first, &len, e) != 0)
			return -1;
	}
	for (ino_t i = 0; i < *(const ino_t *)arg; i++) {
		const int n = snprintf(path, sizeof(path), "p%lu", (unsigned long)i);
		if (link_table_note(t, &(struct stat){.st_dev = 7, .st_ino = i * 4096}, "x", 1,
				    &first, &len, e) != 1 ||
		    len != (size_t)n || memcmp(first, path, len) != 0)
			return err_set(e, ERR_FORMAT, "'%s' was lost", path);
	}
	return 0;
}

START_TEST(keeps_many)
{
	struct err e = ERR_INIT;
	ino_t count = MANY;

	fill(&count, &e);
	ck_assert_no_err(&e);
}
END_TEST

START_TEST(runs_out_of_memory_cleanly)
{
	ino_t count = 200;

	failalloc_each(fill, &count);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/link_table");
	TCase *tc = tcase_create("table");

	tcase_add_test(tc, the_first_name_stays);
	tcase_add_test(tc, devices_are_told_apart);
	tcase_add_test(tc, keeps_many);
	tcase_add_test(tc, runs_out_of_memory_cleanly);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
