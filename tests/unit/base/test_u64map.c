/* SPDX-License-Identifier: Apache-2.0 */
#include "base/u64map.h"

#include "main.h"
#include "tests/support/failalloc.h"

enum { MANY = 5000 };

START_TEST(finds_what_was_put)
{
	SCOPE(u64map) struct u64map m = U64MAP_INIT;
	struct err e = ERR_INIT;

	ck_assert_ptr_null(u64map_get(&m, 1));
	for (uint64_t i = 1; i <= MANY; i++)
		ck_assert_int_eq(u64map_put(&m, i * 64, i, &e), 0);
	ck_assert_uint_eq(m.count, MANY);
	for (uint64_t i = 1; i <= MANY; i++) {
		ck_assert_uint_eq(*u64map_get(&m, i * 64), i);
		ck_assert_ptr_null(u64map_get(&m, i * 64 + 1));
	}
	ck_assert_int_eq(u64map_put(&m, 64, 7, &e), 0);
	ck_assert_uint_eq(*u64map_get(&m, 64), 7);
	ck_assert_uint_eq(m.count, MANY);
}
END_TEST

/* Against an array: whatever order things come and go in. */
START_TEST(forgets_what_was_removed)
{
	enum { IDS = 300, ROUNDS = 100000 };
	static uint64_t want[IDS + 1];
	SCOPE(u64map) struct u64map m = U64MAP_INIT;
	struct err e = ERR_INIT;
	uint32_t random = 12345;

	for (int i = 0; i < ROUNDS; i++) {
		random = random * 1103515245 + 12345;
		const uint64_t id = 1 + (random >> 16) % IDS;
		if (random & 0x8000) {
			ck_assert_int_eq(u64map_put(&m, id, (uint64_t)i + 1, &e), 0);
			want[id] = (uint64_t)i + 1;
		} else {
			ck_assert_int_eq(u64map_remove(&m, id), want[id] != 0);
			want[id] = 0;
		}
	}
	size_t left = 0;
	for (uint64_t id = 1; id <= IDS; id++) {
		const uint64_t *value = u64map_get(&m, id);
		ck_assert_uint_eq(value ? *value : 0, want[id]);
		left += want[id] != 0;
	}
	ck_assert_uint_eq(m.count, left);
	size_t at = 0, seen = 0;
	for (const struct u64map_entry *x; (x = u64map_next(&m, &at)); seen++)
		ck_assert_uint_eq(x->value, want[x->key]);
	ck_assert_uint_eq(seen, left);
}
END_TEST

/* Room for many is given back when few are left, not when some come and go. */
START_TEST(shrinks_when_it_is_nearly_empty)
{
	SCOPE(u64map) struct u64map m = U64MAP_INIT;
	struct err e = ERR_INIT;

	for (uint64_t i = 1; i <= MANY; i++)
		ck_assert_int_eq(u64map_put(&m, i, i, &e), 0);
	const size_t largest = m.size;
	for (uint64_t i = MANY; i > MANY / 2; i--)
		u64map_remove(&m, i);
	ck_assert_uint_eq(m.size, largest);
	for (uint64_t i = MANY / 2; i > 4; i--)
		u64map_remove(&m, i);
	ck_assert_uint_le(m.size, 64);
	for (uint64_t i = 1; i <= 4; i++)
		ck_assert_uint_eq(*u64map_get(&m, i), i);
	ck_assert_uint_eq(m.count, 4);
}
END_TEST

START_TEST(keeps_all_without_memory)
{
	SCOPE(u64map) struct u64map m = U64MAP_INIT;
	struct err e = ERR_INIT;
	uint64_t id = 0;

	do {
		id++;
		ck_assert_int_eq(u64map_put(&m, id, id, &e), 0);
	} while (m.count * 3 < m.size * 2);
	failalloc_start(1);
	ck_assert_int_eq(u64map_put(&m, id + 1, 1, &e), -1);
	ck_assert(failalloc_stop());
	ck_assert_int_eq(e.code, ERR_NOMEM);
	err_clear(&e);
	for (uint64_t i = 1; i <= id; i++)
		ck_assert_uint_eq(*u64map_get(&m, i), i);
	/* Nor is memory needed to remove. */
	for (; id < MANY; id++)
		ck_assert_int_eq(u64map_put(&m, id + 1, 1, &e), 0);
	uint64_t removed = 0;
	failalloc_start(1);
	for (uint64_t i = id; i > 1; i--)
		removed += u64map_remove(&m, i);
	ck_assert(failalloc_stop());
	ck_assert_uint_eq(removed, id - 1);
	ck_assert_uint_eq(*u64map_get(&m, 1), 1);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("base/u64map");
	TCase *tc = tcase_create("u64map");

	tcase_add_test(tc, finds_what_was_put);
	tcase_add_test(tc, forgets_what_was_removed);
	tcase_add_test(tc, shrinks_when_it_is_nearly_empty);
	tcase_add_test(tc, keeps_all_without_memory);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
