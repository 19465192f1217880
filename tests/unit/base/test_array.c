/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"

#include "main.h"
#include "tests/support/failalloc.h"

START_TEST(reserve_keeps_what_was_there)
{
	struct err e = ERR_INIT;
	uint64_t *items = NULL;
	size_t cap = 0;

	for (size_t count = 0; count < 1000; count++) {
		ck_assert_int_eq(array_reserve(&items, &cap, count + 1, sizeof(*items), &e), 0);
		ck_assert_uint_gt(cap, count);
		items[count] = count * 3;
	}
	for (size_t i = 0; i < 1000; i++)
		ck_assert_uint_eq(items[i], i * 3);
	free(items);
}
END_TEST

START_TEST(reserve_grows_by_half)
{
	struct err e = ERR_INIT;
	char *items = NULL;
	size_t cap = 0;

	ck_assert_int_eq(array_reserve(&items, &cap, 100, 1, &e), 0);
	const size_t first = cap;
	ck_assert_int_eq(array_reserve(&items, &cap, first + 1, 1, &e), 0);
	ck_assert_uint_ge(cap, first + first / 2);
	free(items);
}
END_TEST

START_TEST(reserve_of_what_is_there_does_nothing)
{
	struct err e = ERR_INIT;
	char *items = NULL;
	size_t cap = 0;

	ck_assert_int_eq(array_reserve(&items, &cap, 0, 16, &e), 0);
	ck_assert_ptr_null(items);
	ck_assert_uint_eq(cap, 0);
}
END_TEST

static const struct {
	size_t want, size;
} too_much[] = {
	{SIZE_MAX, 1},           {SIZE_MAX, 2}, {SIZE_MAX / 2 + 1, 2}, {(size_t)PTRDIFF_MAX + 1, 1},
	{SIZE_MAX / 16 + 2, 16},
};

START_TEST(reserve_refuses_overflow)
{
	struct err e = ERR_INIT;
	char some;
	char *items = &some;
	size_t cap = 1;

	ck_assert_int_eq(array_reserve(&items, &cap, too_much[_i].want, too_much[_i].size, &e), -1);
	ck_assert_err(&e, ERR_NOMEM, "memory");
	ck_assert_ptr_eq(items, &some);
	ck_assert_uint_eq(cap, 1);
}
END_TEST

START_TEST(new_refuses_overflow)
{
	struct err e = ERR_INIT;

	ck_assert_ptr_null(array_new(too_much[_i].want, too_much[_i].size, &e));
	ck_assert_err(&e, ERR_NOMEM, "memory");
}
END_TEST

START_TEST(new_is_zeroed_and_unique)
{
	struct err e = ERR_INIT;
	unsigned char *items = array_new(33, 3, &e);

	ck_assert_ptr_nonnull(items);
	for (size_t i = 0; i < 99; i++)
		ck_assert_uint_eq(items[i], 0);
	void *empty = array_new(0, 8, &e);
	ck_assert_ptr_nonnull(empty);
	free(empty);
	free(items);
}
END_TEST

static int grow(void *arg, struct err *e)
{
	int *items = NULL;
	size_t cap = 0;
	int rc = 0;

	(void)arg;
	for (size_t want = 1; rc == 0 && want < 1000; want *= 3) {
		const size_t before = cap;
		rc = array_reserve(&items, &cap, want, sizeof(*items), e);
		if (rc < 0 && cap != before)
			abort();
	}
	free(items);
	return rc;
}

START_TEST(without_memory_nothing_changes)
{
	failalloc_each(grow, NULL);
}
END_TEST

START_TEST(arithmetic_says_when_it_overflows)
{
	uint64_t out;

	ck_assert(!add_overflows(UINT64_MAX - 1, 1, &out));
	ck_assert_uint_eq(out, UINT64_MAX);
	ck_assert(add_overflows(UINT64_MAX, 1, &out));
	ck_assert(!mul_overflows(UINT32_MAX, UINT32_MAX, &out));
	ck_assert(mul_overflows(UINT64_C(1) << 32, UINT64_C(1) << 32, &out));
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("base/array");
	TCase *tc = tcase_create("growth");

	tcase_add_test(tc, reserve_keeps_what_was_there);
	tcase_add_test(tc, reserve_grows_by_half);
	tcase_add_test(tc, reserve_of_what_is_there_does_nothing);
	tcase_add_loop_test(tc, reserve_refuses_overflow, 0, ARRAY_LEN(too_much));
	tcase_add_loop_test(tc, new_refuses_overflow, 0, ARRAY_LEN(too_much));
	tcase_add_test(tc, new_is_zeroed_and_unique);
	tcase_add_test(tc, without_memory_nothing_changes);
	tcase_add_test(tc, arithmetic_says_when_it_overflows);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
