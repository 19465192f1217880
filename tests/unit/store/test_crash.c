/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes that are killed while they work on a store: at any moment of it, what is left is whole,
 * and the next one works as if nothing had happened.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image/mediatype.h"
#include "store/blobs.h"
#include "store/fsck.h"
#include "store/gc.h"
#include "store/lease.h"
#include "store/refs.h"
#include "tests/unit/store/fixture.h"

enum { KILLS = 20, STEP_US = 700, TIMEOUT_S = 120 };

static int put_and_name(const struct store *s, unsigned round, struct err *e)
{
	char key[64];
	struct digest digest;
	SCOPE(lease) struct lease *l = NULL;
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;

	snprintf(key, sizeof(key), "localhost/app:%u", round % 3);
	if (lease_open(s, "test", &l, e) < 0 || str_appendf(&text, e, "round %u", round) < 0 ||
	    blobs_put_bytes(s, l, text.data, text.len, &digest, e) < 0 ||
	    descriptor_set(&d, "text/plain", &digest, text.len, e) < 0)
		return -1;
	return refs_set(s, key, &d, e);
}

static int collect(const struct store *s, unsigned round, struct err *e)
{
	struct gc_report r;

	(void)round;
	return gc_run(s, false, NULL, &r, e);
}

static int create(const struct store *s, unsigned round, struct err *e)
{
	char path[600];
	SCOPE(store) struct store *other = NULL;

	snprintf(path, sizeof(path), "%s-%u", store_path(s), round);
	return store_open(path, STORE_CREATE, &other, e);
}

/* Works until it is killed. */
static void work(int (*step)(const struct store *, unsigned, struct err *), unsigned round)
{
	struct err e = ERR_INIT;
	struct store *s = NULL;

	if (store_open(store_path(fixture_store()), 0, &s, &e) < 0)
		_exit(1);
	for (;; round++) {
		if (step(s, round, &e) < 0)
			_exit(1);
	}
}

static void kill_after(int (*step)(const struct store *, unsigned, struct err *), unsigned round,
		       useconds_t us)
{
	int status;
	const pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		work(step, round);
	usleep(us);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "it ended with %x",
		      (unsigned)status);
}

static void check_left_whole(void)
{
	struct err e = ERR_INIT;

	fixture_check_whole();
	ck_assert_int_eq(put_and_name(fixture_store(), 0, &e), 0);
	ck_assert_no_err(&e);
}

START_TEST(a_killed_writer_leaves_the_store_whole)
{
	struct gc_report r;
	struct err e = ERR_INIT;

	for (unsigned i = 0; i < KILLS; i++) {
		kill_after(put_and_name, i * 1000, (i + 1) * STEP_US);
		check_left_whole();
	}
	ck_assert_int_eq(gc_run(fixture_store(), false, NULL, &r, &e), 0);
	ck_assert_uint_le(r.kept_blobs, 3);
	fixture_check_whole();
}
END_TEST

START_TEST(a_killed_gc_leaves_the_store_whole)
{
	struct err e = ERR_INIT;

	for (unsigned i = 0; i < KILLS; i++) {
		for (unsigned k = 0; k < 3; k++)
			ck_assert_int_eq(put_and_name(fixture_store(), i * 10 + k, &e), 0);
		kill_after(collect, 0, (i + 1) * STEP_US / 4);
		check_left_whole();
	}
}
END_TEST

START_TEST(a_killed_creation_is_completed)
{
	struct err e = ERR_INIT;

	for (unsigned i = 0; i < KILLS; i++) {
		char path[600];
		struct store *s = NULL;
		kill_after(create, i * 1000, (i + 1) * STEP_US / 4);
		/* The first ones that it was at, whichever of them it got to. */
		for (unsigned k = 0; k < 3; k++) {
			snprintf(path, sizeof(path), "%s-%u", store_path(fixture_store()),
				 i * 1000 + k);
			ck_assert_int_eq(store_open(path, STORE_CREATE, &s, &e), 0);
			ck_assert(store_is_writable(s));
			ck_assert_int_eq(put_and_name(s, 0, &e), 0);
			store_close(s);
		}
	}
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("store/crash");
	TCase *tc = tcase_create("crash");

	tcase_set_timeout(tc, TIMEOUT_S);
	tcase_add_checked_fixture(tc, fixture_make, fixture_remove);
	tcase_add_test(tc, a_killed_writer_leaves_the_store_whole);
	tcase_add_test(tc, a_killed_gc_leaves_the_store_whole);
	tcase_add_test(tc, a_killed_creation_is_completed);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
