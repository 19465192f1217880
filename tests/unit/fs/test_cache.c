/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "main.h"

/* A frame takes whole pages. */
enum { FRAME = 64 * 1024, THREADS = 8, ROUNDS = 2000, WAIT_US = 20000 };

/* What the cache under test loads from. */
struct frames {
	atomic_uint loads;
	atomic_uint failures; /* so many loads are yet to fail */
	unsigned delay_us;
};

static uint8_t content(uint32_t layer, uint32_t number)
{
	return (uint8_t)(layer * 31 + number);
}

static int load(void *ctx, uint32_t layer, uint32_t number, void *out, size_t length, struct err *e)
{
	struct frames *f = ctx;

	atomic_fetch_add(&f->loads, 1);
	if (f->delay_us)
		usleep(f->delay_us);
	unsigned left = atomic_load(&f->failures);
	while (left > 0) {
		if (atomic_compare_exchange_weak(&f->failures, &left, left - 1))
			return err_set(e, ERR_DIGEST, "frame %u is damaged", number);
	}
	memset(out, content(layer, number), length);
	return 0;
}

static void read_frame(struct cache *c, uint32_t layer, uint32_t number)
{
	struct err e = ERR_INIT;
	struct cache_frame *f = cache_get(c, layer, number, FRAME, &e);

	ck_assert_no_err(&e);
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(cache_frame_bytes(f)[0], content(layer, number));
	ck_assert_uint_eq(cache_frame_bytes(f)[FRAME - 1], content(layer, number));
	cache_put(c, f);
}

static struct cache *new_cache(uint64_t budget, struct frames *f)
{
	struct err e = ERR_INIT;
	struct cache *c = cache_new(budget, load, f, &e);

	ck_assert_ptr_nonnull(c);
	return c;
}

START_TEST(loads_a_frame_once)
{
	struct frames f = {0};
	SCOPE(cache) struct cache *c = new_cache(10 * FRAME, &f);

	read_frame(c, 0, 1);
	read_frame(c, 0, 1);
	read_frame(c, 1, 1);
	ck_assert_uint_eq(f.loads, 2);
	ck_assert_uint_eq(cache_stats(c).hits, 1);
	ck_assert_uint_eq(cache_stats(c).misses, 2);
	ck_assert_uint_eq(cache_stats(c).bytes, 2 * FRAME);
}
END_TEST

START_TEST(another_length_is_another_frame)
{
	struct frames f = {0};
	struct err e = ERR_INIT;
	SCOPE(cache) struct cache *c = new_cache(10 * FRAME, &f);

	read_frame(c, 0, 1);
	struct cache_frame *longer = cache_get(c, 0, 1, (size_t)2 * FRAME, &e);
	ck_assert_ptr_nonnull(longer);
	ck_assert_uint_eq(f.loads, 2);
	ck_assert_uint_eq(cache_frame_bytes(longer)[2 * FRAME - 1], content(0, 1));
	cache_put(c, longer);
	read_frame(c, 0, 1);
	ck_assert_uint_eq(f.loads, 2);
}
END_TEST

START_TEST(keeps_to_its_budget)
{
	struct frames f = {0};
	SCOPE(cache) struct cache *c = new_cache(3 * FRAME, &f);

	for (uint32_t i = 0; i < 100; i++) {
		read_frame(c, 0, i);
		ck_assert_uint_le(cache_stats(c).bytes, 3 * FRAME);
	}
	ck_assert_uint_eq(cache_stats(c).evictions, 97);
}
END_TEST

START_TEST(evicts_what_was_not_used_for_longest)
{
	struct frames f = {0};
	SCOPE(cache) struct cache *c = new_cache(3 * FRAME, &f);

	for (uint32_t i = 0; i < 3; i++)
		read_frame(c, 0, i);
	read_frame(c, 0, 0);
	read_frame(c, 0, 3);
	f.loads = 0;
	read_frame(c, 0, 0);
	read_frame(c, 0, 2);
	read_frame(c, 0, 3);
	ck_assert_uint_eq(f.loads, 0);
	read_frame(c, 0, 1);
	ck_assert_uint_eq(f.loads, 1);
}
END_TEST

START_TEST(never_evicts_what_is_in_use)
{
	struct frames f = {0};
	struct err e = ERR_INIT;
	SCOPE(cache) struct cache *c = new_cache(FRAME, &f);
	struct cache_frame *pinned[4];

	for (uint32_t i = 0; i < 4; i++)
		pinned[i] = cache_get(c, 0, i, FRAME, &e);
	for (uint32_t i = 10; i < 20; i++)
		read_frame(c, 0, i);
	for (uint32_t i = 0; i < 4; i++) {
		ck_assert_uint_eq(cache_frame_bytes(pinned[i])[FRAME / 2], content(0, i));
		cache_put(c, pinned[i]);
	}
	ck_assert_uint_le(cache_stats(c).bytes, FRAME);
}
END_TEST

START_TEST(a_frame_may_be_pinned_twice)
{
	struct frames f = {0};
	struct err e = ERR_INIT;
	SCOPE(cache) struct cache *c = new_cache(3 * FRAME, &f);

	read_frame(c, 0, 1);
	read_frame(c, 0, 2);
	struct cache_frame *once = cache_get(c, 0, 3, FRAME, &e);
	struct cache_frame *twice = cache_get(c, 0, 3, FRAME, &e);
	ck_assert_ptr_eq(once, twice);
	cache_put(c, once);
	for (uint32_t i = 10; i < 20; i++)
		read_frame(c, 0, i);
	ck_assert_uint_eq(cache_frame_bytes(twice)[0], content(0, 3));
	cache_put(c, twice);
	ck_assert_uint_eq(cache_stats(c).bytes, 3 * FRAME);
	ck_assert_uint_eq(cache_stats(c).evictions, 10);
	/* The frames that were idle meanwhile were the first to go. */
	f.loads = 0;
	read_frame(c, 0, 1);
	read_frame(c, 0, 2);
	ck_assert_uint_eq(f.loads, 2);
}
END_TEST

START_TEST(a_failure_is_not_kept)
{
	struct frames f = {.failures = 1};
	struct err e = ERR_INIT;
	SCOPE(cache) struct cache *c = new_cache(10 * FRAME, &f);

	ck_assert_ptr_null(cache_get(c, 0, 7, FRAME, &e));
	ck_assert_err(&e, ERR_DIGEST, "frame 7");
	ck_assert_uint_eq(cache_stats(c).bytes, 0);
	read_frame(c, 0, 7);
	ck_assert_uint_eq(f.loads, 2);
}
END_TEST

struct reader {
	struct cache *c;
	bool is_random;
	unsigned failed;
};

static void *read_frames(void *arg)
{
	struct reader *r = arg;
	uint32_t random = (uint32_t)(uintptr_t)arg | 1;

	for (int i = 0; i < (r->is_random ? ROUNDS : 1); i++) {
		struct err e = ERR_INIT;
		random = random * 1664525 + 1013904223;
		const uint32_t number = r->is_random ? (random >> 16) % 16 : 5;
		struct cache_frame *f = cache_get(r->c, 0, number, FRAME, &e);
		if (!f) {
			r->failed++;
			err_clear(&e);
			continue;
		}
		if (cache_frame_bytes(f)[FRAME - 1] != content(0, number))
			r->failed += ROUNDS;
		cache_put(r->c, f);
	}
	return NULL;
}

/* How many reads failed. */
static unsigned run_threads(struct cache *c, bool is_random)
{
	pthread_t threads[THREADS];
	struct reader readers[THREADS];
	unsigned failed = 0;

	for (size_t i = 0; i < THREADS; i++) {
		readers[i] = (struct reader){c, is_random, 0};
		ck_assert_int_eq(pthread_create(&threads[i], NULL, read_frames, &readers[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		failed += readers[i].failed;
	}
	return failed;
}

START_TEST(threads_that_want_one_frame_load_it_once)
{
	struct frames f = {.delay_us = WAIT_US};
	SCOPE(cache) struct cache *c = new_cache(10 * FRAME, &f);

	ck_assert_uint_eq(run_threads(c, false), 0);
	ck_assert_uint_eq(f.loads, 1);
	ck_assert_uint_eq(cache_stats(c).hits, THREADS - 1);
}
END_TEST

START_TEST(a_failure_is_that_of_one_thread)
{
	struct frames f = {.failures = 1, .delay_us = WAIT_US};
	SCOPE(cache) struct cache *c = new_cache(10 * FRAME, &f);

	ck_assert_uint_eq(run_threads(c, false), 1);
	ck_assert_uint_eq(f.loads, 2);
}
END_TEST

START_TEST(threads_share_a_small_cache)
{
	struct frames f = {0};
	SCOPE(cache) struct cache *c = new_cache(4 * FRAME, &f);

	ck_assert_uint_eq(run_threads(c, true), 0);
	const struct cache_stats stats = cache_stats(c);
	ck_assert_uint_eq(stats.hits + stats.misses, THREADS * ROUNDS);
	ck_assert_uint_le(stats.bytes, 4 * FRAME);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("fs/cache");
	TCase *tc = tcase_create("frames");

	tcase_add_test(tc, loads_a_frame_once);
	tcase_add_test(tc, another_length_is_another_frame);
	tcase_add_test(tc, keeps_to_its_budget);
	tcase_add_test(tc, evicts_what_was_not_used_for_longest);
	tcase_add_test(tc, never_evicts_what_is_in_use);
	tcase_add_test(tc, a_frame_may_be_pinned_twice);
	tcase_add_test(tc, a_failure_is_not_kept);
	suite_add_tcase(s, tc);
	tc = tcase_create("threads");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, threads_that_want_one_frame_load_it_once);
	tcase_add_test(tc, a_failure_is_that_of_one_thread);
	tcase_add_test(tc, threads_share_a_small_cache);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
