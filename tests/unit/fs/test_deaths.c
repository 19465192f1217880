/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/deaths.h"

#include "main.h"

/* Some time after the machine began. */
#define BEGIN UINT64_C(5000)

START_TEST(workers_that_answer_may_die_often)
{
	struct deaths d = {0};

	for (unsigned i = 0; i < LIMIT_WORKER_DEATHS; i++) {
		ck_assert(deaths_add(&d, BEGIN + i, true));
		ck_assert_uint_eq(deaths_pause_ms(&d), 0);
	}
	ck_assert(!deaths_add(&d, BEGIN + DEATHS_WINDOW_MS - 1, true));
	ck_assert_uint_eq(d.total, LIMIT_WORKER_DEATHS + 1);
}
END_TEST

START_TEST(but_no_more_than_that_in_a_window)
{
	const uint64_t step = DEATHS_WINDOW_MS / LIMIT_WORKER_DEATHS;
	struct deaths d = {0};

	/* Just slowly enough, for ever. */
	for (unsigned i = 0; i < 5 * LIMIT_WORKER_DEATHS; i++)
		ck_assert(deaths_add(&d, BEGIN + i * step, true));
	/* Then one too early. */
	ck_assert(!deaths_add(&d, BEGIN + (5 * LIMIT_WORKER_DEATHS) * step - 1, true));
}
END_TEST

START_TEST(workers_without_an_answer_may_not)
{
	struct deaths d = {0};

	for (unsigned i = 1; i <= LIMIT_WORKER_DEATHS_IDLE; i++) {
		ck_assert(deaths_add(&d, BEGIN, false));
		ck_assert_uint_eq(deaths_pause_ms(&d), i * DEATHS_PAUSE_MS);
	}
	ck_assert(!deaths_add(&d, BEGIN, false));
}
END_TEST

START_TEST(an_answer_between_them_counts)
{
	struct deaths d = {0};

	for (unsigned i = 0; i < 3 * LIMIT_WORKER_DEATHS_IDLE; i++)
		ck_assert(deaths_add(&d, BEGIN, i % LIMIT_WORKER_DEATHS_IDLE == 0));
}
END_TEST

/* A mount that nobody uses, whose worker is killed each night. */
START_TEST(time_between_them_counts)
{
	struct deaths d = {0};

	for (unsigned i = 0; i < 3 * LIMIT_WORKER_DEATHS_IDLE; i++) {
		ck_assert(deaths_add(&d, BEGIN + i * (uint64_t)DEATHS_WINDOW_MS, false));
		ck_assert_uint_eq(d.idle, 1);
	}
}
END_TEST

/* A clock that began just now is no death. */
START_TEST(the_first_death_is_the_first)
{
	struct deaths d = {0};

	ck_assert(deaths_add(&d, 0, false));
	ck_assert_uint_eq(d.idle, 1);
	ck_assert_uint_eq(d.total, 1);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("fs/deaths");
	TCase *tc = tcase_create("deaths");

	tcase_add_test(tc, workers_that_answer_may_die_often);
	tcase_add_test(tc, but_no_more_than_that_in_a_window);
	tcase_add_test(tc, workers_without_an_answer_may_not);
	tcase_add_test(tc, an_answer_between_them_counts);
	tcase_add_test(tc, time_between_them_counts);
	tcase_add_test(tc, the_first_death_is_the_first);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
