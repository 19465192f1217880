/* SPDX-License-Identifier: Apache-2.0 */
#include "base/workers.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#include "main.h"
#include "tests/support/failalloc.h"

enum { JOBS = 500, DEPTH = 7 };

struct job {
	long result;
	int number;
	bool masked;
	bool synchronous_masked;
};

/* Later jobs are often done before earlier ones. */
static void run_square(void *arg)
{
	struct job *job = arg;
	const struct timespec pause = {0, (job->number * 7919 % 13) * 10000L};

	nanosleep(&pause, NULL);
	job->result = (long)job->number * job->number;
}

static const unsigned pool_sizes[] = {0, 1, 2, 4};

START_TEST(results_come_in_the_order_of_submission)
{
	struct err e = ERR_INIT;
	static struct job jobs[JOBS];
	SCOPE(workers) struct workers *w = workers_new(pool_sizes[_i], DEPTH, run_square, &e);
	int taken = 0;

	ck_assert_no_err(&e);
	ck_assert_ptr_nonnull(w);
	ck_assert_ptr_null(workers_take(w));
	for (int i = 0; i < JOBS; i++) {
		jobs[i].number = i;
		while (workers_is_full(w)) {
			const struct job *done = workers_take(w);
			ck_assert_int_eq(done->number, taken);
			ck_assert_int_eq(done->result, (long)taken * taken);
			taken++;
		}
		workers_submit(w, &jobs[i]);
	}
	for (const struct job *done = workers_take(w); done; done = workers_take(w)) {
		ck_assert_int_eq(done->number, taken);
		ck_assert_int_eq(done->result, (long)taken * taken);
		taken++;
	}
	ck_assert_int_eq(taken, JOBS);
	ck_assert(!workers_is_full(w));
	ck_assert_ptr_null(workers_take(w));
}
END_TEST

START_TEST(full_at_the_depth)
{
	struct err e = ERR_INIT;
	struct job jobs[2] = {{.number = 1}, {.number = 2}};
	SCOPE(workers) struct workers *w = workers_new(pool_sizes[_i], 2, run_square, &e);

	ck_assert(!workers_is_full(w));
	workers_submit(w, &jobs[0]);
	ck_assert(!workers_is_full(w));
	workers_submit(w, &jobs[1]);
	ck_assert(workers_is_full(w));
	ck_assert_ptr_eq(workers_take(w), &jobs[0]);
	ck_assert(!workers_is_full(w));
}
END_TEST

static void run_mask(void *arg)
{
	struct job *job = arg;
	sigset_t now;

	pthread_sigmask(SIG_SETMASK, NULL, &now);
	job->masked = sigismember(&now, SIGINT) && sigismember(&now, SIGTERM) &&
		      sigismember(&now, SIGHUP) && sigismember(&now, SIGUSR1);
	job->synchronous_masked = sigismember(&now, SIGBUS) || sigismember(&now, SIGSEGV);
}

START_TEST(threads_leave_signals_to_the_main_thread)
{
	struct err e = ERR_INIT;
	struct job job = {.number = 0};
	sigset_t before, after;

	pthread_sigmask(SIG_SETMASK, NULL, &before);
	SCOPE(workers) struct workers *w = workers_new(1, 1, run_mask, &e);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	for (int i = 1; i < SIGRTMIN; i++)
		ck_assert_int_eq(sigismember(&before, i), sigismember(&after, i));
	workers_submit(w, &job);
	ck_assert_ptr_eq(workers_take(w), &job);
	ck_assert(job.masked);
	ck_assert(!job.synchronous_masked);
}
END_TEST

static atomic_int running, most, started;

static void run_slow(void *arg)
{
	const struct timespec pause = {0, 20000000};
	const int now = atomic_fetch_add(&running, 1) + 1;
	int seen = atomic_load(&most);

	(void)arg;
	atomic_fetch_add(&started, 1);
	while (now > seen && !atomic_compare_exchange_weak(&most, &seen, now))
		continue;
	nanosleep(&pause, NULL);
	atomic_fetch_sub(&running, 1);
}

START_TEST(jobs_run_side_by_side)
{
	struct err e = ERR_INIT;
	SCOPE(workers) struct workers *w = workers_new(4, 8, run_slow, &e);
	struct job jobs[8];

	for (int i = 0; i < 8; i++)
		workers_submit(w, &jobs[i]);
	while (workers_take(w))
		continue;
	ck_assert_int_ge(atomic_load(&most), 2);
	ck_assert_int_le(atomic_load(&most), 4);
}
END_TEST

START_TEST(free_waits_for_jobs_that_run)
{
	struct err e = ERR_INIT;
	struct workers *w = workers_new(2, 100, run_slow, &e);
	struct job jobs[100];

	for (int i = 0; i < 100; i++)
		workers_submit(w, &jobs[i]);
	workers_free(w);
	ck_assert_int_eq(atomic_load(&running), 0);
	/* Those that had not begun never will. */
	ck_assert_int_lt(atomic_load(&started), 100);
	workers_free(NULL);
}
END_TEST

static int make_pool(void *arg, struct err *e)
{
	SCOPE(workers) struct workers *w = workers_new(2, 4, run_square, e);

	(void)arg;
	return w ? 0 : -1;
}

START_TEST(without_memory)
{
	failalloc_each(make_pool, NULL);
}
END_TEST

START_TEST(default_count_is_positive)
{
	ck_assert_uint_ge(workers_default_count(), 1);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("base/workers");
	TCase *tc = tcase_create("pool");

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, results_come_in_the_order_of_submission, 0, ARRAY_LEN(pool_sizes));
	tcase_add_loop_test(tc, full_at_the_depth, 0, ARRAY_LEN(pool_sizes));
	tcase_add_test(tc, threads_leave_signals_to_the_main_thread);
	tcase_add_test(tc, jobs_run_side_by_side);
	tcase_add_test(tc, free_waits_for_jobs_that_run);
	tcase_add_test(tc, without_memory);
	tcase_add_test(tc, default_count_is_positive);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
