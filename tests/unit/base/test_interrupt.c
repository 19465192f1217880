/* SPDX-License-Identifier: Apache-2.0 */
#include "base/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "main.h"

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

START_TEST(a_signal_waits)
{
	struct err e = ERR_INIT;

	interrupt_hold();
	ck_assert_int_eq(interrupt_check(&e), 0);
	raise(numbers[_i]);
	ck_assert_int_eq(interrupt_check(&e), -1);
	ck_assert_int_eq(e.sys, EINTR);
	ck_assert_err(&e, ERR_SYS, "stopped");
	interrupt_release();
	_exit(0); /* not reached: the test must die of the signal */
}
END_TEST

START_TEST(the_second_one_ends_the_process)
{
	interrupt_hold();
	raise(SIGINT);
	raise(SIGINT);
	_exit(0);
}
END_TEST

START_TEST(nothing_is_noted_for_the_next)
{
	struct err e = ERR_INIT;

	interrupt_hold();
	interrupt_hold();
	interrupt_release();
	ck_assert_int_eq(interrupt_check(&e), 0);
	interrupt_release();
	raise(SIGTERM);
	_exit(0);
}
END_TEST

START_TEST(an_inner_release_keeps_holding)
{
	struct err e = ERR_INIT;

	interrupt_hold();
	interrupt_hold();
	raise(SIGTERM);
	interrupt_release();
	ck_assert_int_eq(interrupt_check(&e), -1);
	err_clear(&e);
	interrupt_release();
	_exit(0);
}
END_TEST

START_TEST(what_is_ignored_stays_ignored)
{
	struct err e = ERR_INIT;

	signal(SIGHUP, SIG_IGN);
	interrupt_hold();
	raise(SIGHUP);
	ck_assert_int_eq(interrupt_check(&e), 0);
	interrupt_release();
	raise(SIGHUP);
}
END_TEST

/* Check has handlers of its own for some of them. */
static void setup(void)
{
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		signal(numbers[i], SIG_DFL);
}

static Suite *suite_new(void)
{
	Suite *s = suite_create("base/interrupt");
	TCase *tc = tcase_create("interrupt");

	tcase_add_checked_fixture(tc, setup, NULL);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		tcase_add_loop_test_raise_signal(tc, a_signal_waits, numbers[i], (int)i,
						 (int)i + 1);
	tcase_add_test_raise_signal(tc, the_second_one_ends_the_process, SIGINT);
	tcase_add_test_raise_signal(tc, nothing_is_noted_for_the_next, SIGTERM);
	tcase_add_test_raise_signal(tc, an_inner_release_keeps_holding, SIGTERM);
	tcase_add_test(tc, what_is_ignored_stays_ignored);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
