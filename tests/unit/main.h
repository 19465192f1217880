/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every unit test program shares: a main that runs one suite, and the checks of an err.
 *
 * A program is one file, tests/unit/test_<room>_<module>.c:
 *
 *	static Suite *suite_new(void) { ... suite_create("base/str") ... }
 *	UNIT_MAIN(suite_new)
 */
#ifndef TESTS_UNIT_MAIN_H
#define TESTS_UNIT_MAIN_H

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/scope.h"

/* How many of the loops of a test that only counts steps up to a limit: ASan takes ten times as
 * long for each, and sees in the first what it would see in all. */
#ifdef __SANITIZE_ADDRESS__
#define UNIT_LOOPS(count) 1
#else
#define UNIT_LOOPS(count) (count)
#endif

#define UNIT_MAIN(suite_fn)                                       \
	int main(void)                                            \
	{                                                         \
		SRunner *runner = srunner_create(suite_fn());     \
		srunner_run_all(runner, CK_ENV);                  \
		const int failed = srunner_ntests_failed(runner); \
		srunner_free(runner);                             \
		return failed ? EXIT_FAILURE : EXIT_SUCCESS;      \
	}

/* The error has this code and its message holds this text; clears it. */
#define ck_assert_err(e, want_code, text)                                                        \
	do {                                                                                     \
		ck_assert_msg((e)->code == (want_code), "error code is %d, not %d: %s",          \
			      (int)(e)->code, (int)(want_code), (e)->msg ? (e)->msg : "(none)"); \
		ck_assert_msg(strstr((e)->msg, (text)) != NULL, "no '%s' in: %s", (text),        \
			      (e)->msg);                                                         \
		err_clear(e);                                                                    \
	} while (0)

#define ck_assert_no_err(e) \
	ck_assert_msg((e)->code == ERR_NONE, "unexpected error: %s", (e)->msg ? (e)->msg : "")

/* Ends a test that cannot do anything here; tools/count-tests.py counts it as skipped. */
#define SKIP_TEST(why)                                                  \
	do {                                                            \
		fprintf(stderr, "\nSKIPPED %s: %s\n", __func__, (why)); \
		return;                                                 \
	} while (0)

#endif
