/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads on one session, as those of a mount: what each did alone is there, what they did together
 * is something that they can have done, and the rows fit together.  TSan looks on (tests/run.sh).
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/array.h"
#include "fs/sample_session.h"
#include "fs/session_check.h"
#include "main.h"

enum {
	THREADS = 8,
	ROUNDS = 120,
	OWN = 24 * 1024,    /* bytes of the file that a thread alone writes */
	STRIPE = 33 * 1000, /* not whole blocks */
	BIG = STRIPE * THREADS,
};

static const struct sample_file files[] = {
	{.path = "", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "big", .kind = ENTRY_REG, .mode = 0644, .size = BIG},
	{.path = "dir", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "dir/f", .kind = ENTRY_REG, .mode = 0644, .text = "f\n"},
	{.path = "moves", .kind = ENTRY_DIR, .mode = 0755},
};

static void setup(void)
{
	sample_session_make(files, ARRAY_LEN(files));
}

/* Of one thread.  Check's asserts are for the main thread: a thread counts what was wrong. */
struct worker {
	unsigned number;
	uint64_t random;
	unsigned wrong;
	uint64_t own; /* its file */
	uint8_t bytes[OWN];
};

static struct worker workers[THREADS];

/* Errors that others may have caused are none. */
static void expect(struct worker *w, int64_t r, int allowed, struct err *e)
{
	if (r < 0 && (allowed == 0 || e->code != ERR_SYS ||
		      (e->sys != allowed && e->sys != ENOENT && e->sys != EEXIST))) {
		fprintf(stderr, "thread %u: %s\n", w->number, e->msg);
		w->wrong++;
	}
	err_clear(e);
}

static void write_own(struct worker *w, const struct session_caller *who)
{
	const uint32_t at = sample_random(&w->random, OWN - 6000);
	const uint32_t len = 1 + sample_random(&w->random, 6000);
	static _Thread_local uint8_t seen[OWN];
	struct err e = ERR_INIT;

	memset(w->bytes + at, 1 + (int)sample_random(&w->random, 255), len);
	expect(w, session_write(sample_session, who, w->own, at, w->bytes + at, len, 0, &e), 0, &e);
	const ssize_t n = session_read(sample_session, w->own, 0, seen, OWN, &e);
	expect(w, n, 0, &e);
	w->wrong += n < 0 || memcmp(seen, w->bytes, (size_t)n) != 0;
}

/* Its part of a file that all write: blocks at its ends are copied up beside others. */
static void write_stripe(struct worker *w, const struct session_caller *who)
{
	const uint64_t start = (uint64_t)w->number * STRIPE;
	const uint64_t at = start + sample_random(&w->random, STRIPE - 5000);
	static _Thread_local uint8_t buf[5000];
	struct err e = ERR_INIT;

	memset(buf, 'A' + (int)w->number, sizeof(buf));
	expect(w, session_write(sample_session, who, 2, at, buf, sizeof(buf) - 200, 0, &e), 0, &e);
	const ssize_t n = session_read(sample_session, 2, at, buf, sizeof(buf) - 200, &e);
	expect(w, n, 0, &e);
	for (ssize_t i = 0; i < n; i++)
		w->wrong += buf[i] != 'A' + (int)w->number;
}

/* Names that all fight for. */
static void change_names(struct worker *w, const struct session_caller *who)
{
	static const char *const names[] = {"n0", "n1", "n2", "n3"};
	const char *a = names[sample_random(&w->random, 4)],
		   *b = names[sample_random(&w->random, 4)];
	const struct session_new file = {.name = a, .mode = S_IFREG | 0644};
	const struct session_new dir = {.name = a, .mode = S_IFDIR | 0755};
	const uint64_t dirs[] = {SESSION_ROOT, 3, 4};
	const struct session_move m = {dirs[sample_random(&w->random, 3)], a,
				       dirs[sample_random(&w->random, 3)], b,
				       sample_random(&w->random, 3) ? 0 : RENAME_EXCHANGE};
	struct session *s = sample_session;
	struct err e = ERR_INIT;
	uint64_t ino = 0;
	int r;

	switch (sample_random(&w->random, 6)) {
	case 0:
		expect(w, session_create(s, who, m.from_dir, &file, &ino, &e), EEXIST, &e);
		break;
	case 1:
		expect(w, session_create(s, who, m.from_dir, &dir, &ino, &e), EEXIST, &e);
		break;
	case 2:
		expect(w, session_unlink(s, who, m.from_dir, a, &e), EISDIR, &e);
		break;
	case 3:
		r = session_rmdir(s, who, m.from_dir, a, &e);
		expect(w, r, e.sys == ENOTEMPTY ? ENOTEMPTY : ENOTDIR, &e);
		break;
	case 4:
		r = session_rename(s, who, &m, &e);
		expect(w, r,
		       e.sys == EISDIR || e.sys == ENOTEMPTY || e.sys == EINVAL ? e.sys : ENOTDIR,
		       &e);
		break;
	default:
		/* As a lookup of the kernel does: what it learns of, it forgets. */
		if (session_lookup(s, m.from_dir, a, &ino, &e) == 1) {
			expect(w, session_remember(s, ino, &e), 0, &e);
			session_forget(s, ino, 1);
		}
		expect(w, e.code ? -1 : 0, 0, &e);
	}
}

static void list_root(struct worker *w)
{
	struct session_dirent de;
	struct err e = ERR_INIT;
	unsigned stay = 0;
	uint64_t at = 0;
	int found;

	while ((found = session_readdir(sample_session, SESSION_ROOT, at, &de, &e)) > 0) {
		at = de.next;
		stay += strcmp(de.name, "big") == 0 || strncmp(de.name, "own", 3) == 0;
	}
	expect(w, found, 0, &e);
	w->wrong += stay != 1 + THREADS;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	const struct session_caller who = {.uid = 1000, .gid = 1000, .slot = w->number};
	struct session_caller asking = who;
	struct err e = ERR_INIT;

	for (unsigned i = 0; i < ROUNDS; i++) {
		const struct stat st = {.st_mode = 0600 + w->number};
		asking.unique = (uint64_t)w->number * 100000 + i + 1;
		write_own(w, &asking);
		write_stripe(w, &who);
		change_names(w, &who);
		list_root(w);
		expect(w, session_setattr(sample_session, &who, w->own, &st, SESSION_SET_MODE, &e),
		       0, &e);
		if (i % 40 == w->number)
			expect(w, session_sync(sample_session, &e), 0, &e);
		if (i % 30 == w->number)
			expect(w, session_settle(sample_session, &e), 0, &e);
	}
	return NULL;
}

static void check_big(void)
{
	static uint8_t seen[BIG];
	struct err e = ERR_INIT;

	ck_assert_int_eq(session_read(sample_session, 2, 0, seen, BIG, &e), BIG);
	for (uint32_t i = 0; i < BIG; i++)
		if (seen[i] != sample_byte(&files[1], i) && seen[i] != 'A' + (int)(i / STRIPE))
			ck_abort_msg("byte %u is %02x", i, seen[i]);
}

START_TEST(threads_do_not_meet)
{
	pthread_t threads[THREADS];
	struct err e = ERR_INIT;
	char name[16];

	for (unsigned i = 0; i < THREADS; i++) {
		snprintf(name, sizeof(name), "own%u", i);
		workers[i] = (struct worker){.number = i, .random = 17 + i};
		workers[i].own = sample_add(name, S_IFREG | 0644);
		sample_truncate(workers[i].own, OWN);
	}
	for (unsigned i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	for (unsigned i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	for (unsigned again = 0; again < 2; again++) {
		for (unsigned i = 0; i < THREADS; i++) {
			ck_assert_uint_eq(workers[i].wrong, 0);
			ck_assert_uint_eq(sample_stat(workers[i].own).st_mode,
					  S_IFREG | (0600 + i));
			sample_check(workers[i].own, workers[i].bytes, OWN);
		}
		check_big();
		session_check(sample_session, NULL, &e);
		ck_assert_no_err(&e);
		sample_session_reopen(0);
	}
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("fs/session_threads");
	TCase *tc = tcase_create("threads");

	tcase_add_checked_fixture(tc, setup, sample_session_remove);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, threads_do_not_meet);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
