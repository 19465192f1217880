/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/secret.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "main.h"

static void ck_assert_guarded(int guarded)
{
	struct rlimit core;

	ck_assert_int_eq(prctl(PR_GET_DUMPABLE), guarded ? 0 : 1);
	ck_assert_int_eq(getrlimit(RLIMIT_CORE, &core), 0);
	ck_assert_uint_eq(core.rlim_cur, guarded ? 0 : 4096);
}

static void allow_cores(void)
{
	struct rlimit core;

	getrlimit(RLIMIT_CORE, &core);
	core.rlim_cur = 4096;
	ck_assert_int_eq(setrlimit(RLIMIT_CORE, &core), 0);
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1), 0);
}

START_TEST(no_core_while_any_is_held)
{
	struct secret a = SECRET_INIT, b = SECRET_INIT;
	struct err e = ERR_INIT;

	allow_cores();
	ck_assert_int_eq(secret_init(&a, 32, &e), 0);
	ck_assert_guarded(1);
	ck_assert_int_eq(secret_init(&b, 0, &e), 0);
	ck_assert_ptr_nonnull(b.data);
	secret_fini(&a);
	ck_assert_guarded(1);
	secret_fini(&b);
	ck_assert_guarded(0);
	secret_fini(&b);
	ck_assert_guarded(0);
	secret_fini(NULL);
}
END_TEST

START_TEST(take_moves_it)
{
	struct secret a = SECRET_INIT;
	struct err e = ERR_INIT;

	allow_cores();
	ck_assert_int_eq(secret_init(&a, 3, &e), 0);
	ck_assert_mem_eq(a.data, "\0\0\0", 3);
	struct secret b = secret_take(&a);
	ck_assert_ptr_null(a.data);
	secret_fini(&a);
	ck_assert_guarded(1);
	secret_fini(&b);
	ck_assert_guarded(0);
}
END_TEST

/* The pages are gone afterwards, not only forgotten. */
START_TEST(cannot_be_read_when_freed)
{
	struct secret a = SECRET_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(secret_init(&a, 32, &e), 0);
	volatile uint8_t *was = a.data;
	secret_fini(&a);
	signal(SIGSEGV, SIG_DFL);
	const uint8_t b = was[0];
	exit(b != 0);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("signer/secret");
	TCase *tc = tcase_create("secret");

	tcase_add_test(tc, no_core_while_any_is_held);
	tcase_add_test(tc, take_moves_it);
	tcase_add_test_raise_signal(tc, cannot_be_read_when_freed, SIGSEGV);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
