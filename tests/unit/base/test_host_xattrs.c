/* SPDX-License-Identifier: Apache-2.0 */
#include "base/host_xattrs.h"

#include <errno.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "main.h"
#include "tests/support/scratch.h"

START_TEST(xattrs_are_sorted_and_whole)
{
	static char big[40000];
	SCOPE(host_xattrs) struct host_xattrs x = {.items = NULL};
	struct err e = ERR_INIT;

	scratch_write("file", "");
	memset(big, 'b', sizeof(big));
	if (setxattr(scratch_file("file"), "user.zz", "last", 4, 0) < 0 && errno == ENOTSUP)
		SKIP_TEST("no extended attributes here");
	ck_assert_int_eq(setxattr(scratch_file("file"), "user.a", "", 0, 0), 0);
	/* Too big for some file systems. */
	const bool has_big = setxattr(scratch_file("file"), "user.b", big, 3000, 0) == 0;
	for (int again = 0; again < 2; again++) {
		ck_assert_int_eq(host_xattrs_read(&x, scratch_fd(), "file", &e), 0);
		ck_assert_uint_eq(x.count, has_big ? 3 : 2);
		ck_assert_str_eq(x.items[0].name, "user.a");
		ck_assert_uint_eq(x.items[0].value_len, 0);
		if (has_big) {
			ck_assert_str_eq(x.items[1].name, "user.b");
			ck_assert_uint_eq(x.items[1].value_len, 3000);
			ck_assert_mem_eq(x.items[1].value, big, 3000);
		}
		ck_assert_str_eq(x.items[x.count - 1].name, "user.zz");
		ck_assert_mem_eq(x.items[x.count - 1].value, "last", 4);
	}
}
END_TEST

START_TEST(xattrs_of_a_link_are_not_those_of_its_target)
{
	SCOPE(host_xattrs) struct host_xattrs x = {.items = NULL};
	struct err e = ERR_INIT;

	scratch_write("file", "");
	if (setxattr(scratch_file("file"), "user.a", "v", 1, 0) < 0)
		SKIP_TEST("no extended attributes here");
	ck_assert_int_eq(symlinkat("file", scratch_fd(), "link"), 0);
	ck_assert_int_eq(host_xattrs_read(&x, scratch_fd(), "link", &e), 0);
	for (size_t i = 0; i < x.count; i++)
		ck_assert_str_ne(x.items[i].name, "user.a");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("base/host_xattrs");
	TCase *tc = tcase_create("xattrs");

	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	tcase_add_test(tc, xattrs_are_sorted_and_whole);
	tcase_add_test(tc, xattrs_of_a_link_are_not_those_of_its_target);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
