/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>

#include "base/io.h"
#include "main.h"
#include "tests/support/scratch.h"

/* The longest line: PIPE_BUF of Linux. */
static const size_t line_max = 4096;

/* Sends standard error to a file of the scratch folder. */
static void capture(void)
{
	scratch_make();
	SCOPE_FD int fd = open(scratch_file("log"), O_CREAT | O_WRONLY | O_APPEND, 0600);
	ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
}

static void check_log(const char *want)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str got = STR_INIT;

	ck_assert_int_eq(io_slurp_path(scratch_file("log"), 100000, &got, &e), 0);
	ck_assert_str_eq(str_text(&got), want);
}

static const struct {
	enum log_level level;
	const char *want;
} levels[] = {
	{LOG_LEVEL_ERROR, "shale: e 1\n"},
	{LOG_LEVEL_WARNING, "shale: e 1\nshale: warning: w 2\n"},
	{LOG_LEVEL_INFO, "shale: e 1\nshale: warning: w 2\nshale: i 3\n"},
	{LOG_LEVEL_DEBUG, "shale: e 1\nshale: warning: w 2\nshale: i 3\nshale: debug: d 4\n"},
};

START_TEST(levels_choose_the_lines)
{
	log_set_level(levels[_i].level);
	log_error("e %d", 1);
	log_warning("w %d", 2);
	log_info("i %d", 3);
	log_debug("d %d", 4);
	check_log(levels[_i].want);
}
END_TEST

START_TEST(an_error_is_printed_and_stays)
{
	struct err e = ERR_INIT;

	err_set(&e, ERR_FORMAT, "bad 100%% '%s'", "x");
	errno = EXDEV;
	log_err(&e);
	ck_assert_int_eq(errno, EXDEV);
	ck_assert_int_eq(e.code, ERR_FORMAT);
	check_log("shale: bad 100% 'x'\n");
	err_clear(&e);
}
END_TEST

static void before(void *ctx)
{
	ck_assert_int_eq(io_write_all(STDERR_FILENO, ctx, strlen(ctx)), 0);
}

START_TEST(what_is_on_the_terminal_is_cleared_before_a_line)
{
	char text[] = "<clear>";

	log_set_before(before, text);
	log_debug("not printed");
	log_warning("one");
	log_set_before(NULL, NULL);
	log_warning("two");
	check_log("<clear>shale: warning: one\nshale: warning: two\n");
}
END_TEST

START_TEST(a_long_line_is_cut)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str got = STR_INIT;

	log_error("%4088d", 7);
	log_error("%4089d", 7);
	log_error("%100000d", 7);
	ck_assert_int_eq(io_slurp_path(scratch_file("log"), 100000, &got, &e), 0);
	ck_assert_uint_eq(got.len, 3 * line_max);
	ck_assert_mem_eq(got.data + line_max - 2, "7\n", 2);
	ck_assert_mem_eq(got.data + 2 * line_max - 5, " ...\n", 5);
	ck_assert_mem_eq(got.data + 3 * line_max - 5, " ...\n", 5);
}
END_TEST

START_TEST(a_closed_stderr_is_no_problem)
{
	close(STDERR_FILENO);
	errno = EXDEV;
	log_error("nobody reads this");
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

START_TEST(a_daemon_is_silent)
{
	log_to_syslog();
	log_error("to the system's log, from a unit test");
	check_log("");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("base/log");
	TCase *tc = tcase_create("lines");

	tcase_add_checked_fixture(tc, capture, scratch_remove);
	tcase_add_loop_test(tc, levels_choose_the_lines, 0, ARRAY_LEN(levels));
	tcase_add_test(tc, an_error_is_printed_and_stays);
	tcase_add_test(tc, a_long_line_is_cut);
	tcase_add_test(tc, what_is_on_the_terminal_is_cleared_before_a_line);
	tcase_add_test(tc, a_closed_stderr_is_no_problem);
	tcase_add_test(tc, a_daemon_is_silent);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
