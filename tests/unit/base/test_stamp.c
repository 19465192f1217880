/* SPDX-License-Identifier: Apache-2.0 */
#include "base/stamp.h"

#include "base/array.h"
#include "main.h"

static const struct stat file = {
	.st_dev = 1,
	.st_ino = 2,
	.st_size = 3,
	.st_mtim = {4, 5},
	.st_ctim = {6, 7},
};

/* One field after the other is another. */
static const struct stat others[] = {
	{.st_dev = 9, .st_ino = 2, .st_size = 3, .st_mtim = {4, 5}, .st_ctim = {6, 7}},
	{.st_dev = 1, .st_ino = 9, .st_size = 3, .st_mtim = {4, 5}, .st_ctim = {6, 7}},
	{.st_dev = 1, .st_ino = 2, .st_size = 9, .st_mtim = {4, 5}, .st_ctim = {6, 7}},
	{.st_dev = 1, .st_ino = 2, .st_size = 3, .st_mtim = {9, 5}, .st_ctim = {6, 7}},
	{.st_dev = 1, .st_ino = 2, .st_size = 3, .st_mtim = {4, 9}, .st_ctim = {6, 7}},
	{.st_dev = 1, .st_ino = 2, .st_size = 3, .st_mtim = {4, 5}, .st_ctim = {9, 7}},
	{.st_dev = 1, .st_ino = 2, .st_size = 3, .st_mtim = {4, 5}, .st_ctim = {6, 9}},
};

START_TEST(every_field_counts)
{
	const struct stamp a = stamp_of(&file), b = stamp_of(&others[_i]);

	ck_assert(!stamp_equal(&a, &b));
	ck_assert(!stamp_equal(&b, &a));
}
END_TEST

/* Reading and linking do not change a file. */
START_TEST(nothing_else_does)
{
	struct stat st = file;

	st.st_nlink = 8;
	st.st_atim.tv_sec = 8;
	const struct stamp a = stamp_of(&file), b = stamp_of(&st);
	ck_assert(stamp_equal(&a, &b));
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("base/stamp");
	TCase *tc = tcase_create("stamp");

	tcase_add_loop_test(tc, every_field_counts, 0, (int)ARRAY_LEN(others));
	tcase_add_test(tc, nothing_else_does);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
