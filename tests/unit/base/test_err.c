/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <signal.h>

#include "main.h"
#include "tests/support/failalloc.h"

START_TEST(set_formats_and_returns_minus_one)
{
	struct err e = ERR_INIT;

	ck_assert_int_eq(err_set(&e, ERR_FORMAT, "bad '%s' at %d", "x", 7), -1);
	ck_assert_int_eq(e.sys, 0);
	ck_assert_str_eq(e.msg, "bad 'x' at 7");
	ck_assert_err(&e, ERR_FORMAT, "bad");
	ck_assert_int_eq(e.code, ERR_NONE);
	ck_assert_ptr_null(e.msg);
}
END_TEST

START_TEST(sys_appends_the_text_of_errno)
{
	struct err e = ERR_INIT;

	ck_assert_int_eq(err_sys(&e, ENOENT, "cannot open '%s'", "f"), -1);
	ck_assert_int_eq(e.sys, ENOENT);
	ck_assert_str_eq(e.msg, "cannot open 'f': No such file or directory");
	ck_assert_err(&e, ERR_SYS, "cannot open");
}
END_TEST

START_TEST(sys_of_enomem_is_nomem)
{
	struct err e = ERR_INIT;

	ck_assert_int_eq(err_sys(&e, ENOMEM, "cannot map"), -1);
	ck_assert_int_eq(e.sys, 0);
	ck_assert_err(&e, ERR_NOMEM, "out of memory");
}
END_TEST

START_TEST(wrap_goes_in_front)
{
	struct err e = ERR_INIT;

	err_sys(&e, EIO, "cannot read");
	ck_assert_int_eq(err_wrap(&e, "layer '%s'", "l"), -1);
	ck_assert_int_eq(err_wrap(&e, "image '%s'", "i"), -1);
	ck_assert_str_eq(e.msg, "image 'i': layer 'l': cannot read: Input/output error");
	ck_assert_int_eq(e.sys, EIO);
	ck_assert_err(&e, ERR_SYS, "image");
}
END_TEST

START_TEST(wrap_of_static_text_frees_well)
{
	struct err e = ERR_INIT;

	err_nomem(&e);
	err_wrap(&e, "layer");
	ck_assert_str_eq(e.msg, "layer: out of memory");
	ck_assert_err(&e, ERR_NOMEM, "layer");
}
END_TEST

START_TEST(move_leaves_the_source_clean)
{
	struct err from = ERR_INIT, to = ERR_INIT;

	err_sys(&from, EBUSY, "lock");
	ck_assert_int_eq(err_move(&to, &from), -1);
	ck_assert_int_eq(from.code, ERR_NONE);
	ck_assert_int_eq(from.sys, 0);
	ck_assert_ptr_null(from.msg);
	ck_assert_int_eq(to.sys, EBUSY);
	ck_assert_err(&to, ERR_SYS, "lock");
}
END_TEST

START_TEST(clear_of_a_clean_error_is_fine)
{
	struct err e = ERR_INIT;

	err_clear(&e);
	err_nomem(&e);
	err_clear(&e);
	err_clear(&e);
	ck_assert_no_err(&e);
}
END_TEST

START_TEST(without_memory_the_code_stays)
{
	struct err e = ERR_INIT;

	failalloc_start(1);
	err_set(&e, ERR_DIGEST, "blob '%s'", "b");
	failalloc_stop();
	ck_assert_err(&e, ERR_DIGEST, "out of memory");
	for (unsigned n = 1; n <= 2; n++) {
		failalloc_start(n);
		err_sys(&e, EIO, "blob '%s'", "b");
		ck_assert(failalloc_stop());
		ck_assert_int_eq(e.sys, EIO);
		ck_assert_err(&e, ERR_SYS, "out of memory");
	}
	for (unsigned n = 1; n <= 2; n++) {
		err_set(&e, ERR_LIMIT, "too long");
		failalloc_start(n);
		err_wrap(&e, "name");
		ck_assert(failalloc_stop());
		ck_assert_str_eq(e.msg, "too long");
		ck_assert_err(&e, ERR_LIMIT, "too long");
	}
}
END_TEST

#ifndef NDEBUG
START_TEST(set_twice_aborts)
{
	struct err e = ERR_INIT;

	err_set(&e, ERR_FORMAT, "first");
	err_set(&e, ERR_FORMAT, "second");
}
END_TEST
#endif

static const struct {
	enum err_code code;
	int sys;
	int status;
} statuses[] = {
	{ERR_NONE, 0, 0},      {ERR_NOMEM, 0, 1},       {ERR_USAGE, 0, 2},     {ERR_SYNTAX, 0, 3},
	{ERR_FORMAT, 0, 3},    {ERR_UNSUPPORTED, 0, 3}, {ERR_LIMIT, 0, 4},     {ERR_DIGEST, 0, 5},
	{ERR_UNTRUSTED, 0, 6}, {ERR_NET, 0, 7},         {ERR_NOT_FOUND, 0, 8}, {ERR_EXISTS, 0, 9},
	{ERR_BUSY, 0, 9},      {ERR_SYS, ENOENT, 8},    {ERR_SYS, ENOTDIR, 8}, {ERR_SYS, EEXIST, 9},
	{ERR_SYS, EBUSY, 9},   {ERR_SYS, EIO, 7},       {ERR_SYS, EBADF, 7},   {ERR_SYS, ENOSPC, 7},
	{ERR_SYS, EDQUOT, 7},  {ERR_SYS, EFBIG, 7},     {ERR_SYS, EROFS, 7},   {ERR_SYS, EMFILE, 7},
	{ERR_SYS, ENFILE, 7},  {ERR_SYS, EACCES, 1},    {ERR_SYS, EPERM, 1},   {ERR_SYS, 0, 1},
};

START_TEST(exit_status_of_each_code)
{
	const struct err e = {statuses[_i].code, statuses[_i].sys, NULL};

	ck_assert_int_eq(err_exit_status(&e), statuses[_i].status);
}
END_TEST

START_TEST(a_text_of_the_command_line_is_usage)
{
	struct err e = ERR_INIT;

	err_set(&e, ERR_SYNTAX, "no name");
	ck_assert_int_eq(err_blame_usage(&e), -1);
	ck_assert_err(&e, ERR_USAGE, "no name");
	err_set(&e, ERR_LIMIT, "too long");
	ck_assert_int_eq(err_blame_usage(&e), -1);
	ck_assert_err(&e, ERR_LIMIT, "too long");
}
END_TEST

START_TEST(own_lacks_are_memory_and_descriptors)
{
	const struct err e = {statuses[_i].code, statuses[_i].sys, NULL};
	const bool want = e.code == ERR_NOMEM || e.sys == EMFILE || e.sys == ENFILE;

	ck_assert_int_eq(err_is_own_lack(&e), want);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("base/err");
	TCase *tc = tcase_create("messages");

	tcase_add_test(tc, set_formats_and_returns_minus_one);
	tcase_add_test(tc, sys_appends_the_text_of_errno);
	tcase_add_test(tc, sys_of_enomem_is_nomem);
	tcase_add_test(tc, wrap_goes_in_front);
	tcase_add_test(tc, wrap_of_static_text_frees_well);
	tcase_add_test(tc, move_leaves_the_source_clean);
	tcase_add_test(tc, clear_of_a_clean_error_is_fine);
	tcase_add_test(tc, without_memory_the_code_stays);
#ifndef NDEBUG
	tcase_add_test_raise_signal(tc, set_twice_aborts, SIGABRT);
#endif
	suite_add_tcase(suite, tc);
	tc = tcase_create("exit status");
	tcase_add_loop_test(tc, exit_status_of_each_code, 0, ARRAY_LEN(statuses));
	tcase_add_test(tc, a_text_of_the_command_line_is_usage);
	tcase_add_loop_test(tc, own_lacks_are_memory_and_descriptors, 0, ARRAY_LEN(statuses));
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
