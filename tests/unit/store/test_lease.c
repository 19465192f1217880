/* SPDX-License-Identifier: Apache-2.0 */
#include "store/lease.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hasher.h"
#include "base/io.h"
#include "store/lease_lock.h"
#include "store/locks.h"
#include "tests/unit/store/fixture.h"

enum { DIGESTS_MAX = 8 };

struct seen {
	struct digest digests[DIGESTS_MAX];
	int count;
};

static int note(void *ctx, const struct digest *d, struct err *e)
{
	struct seen *seen = ctx;

	(void)e;
	ck_assert_int_lt(seen->count, DIGESTS_MAX);
	seen->digests[seen->count++] = *d;
	return 0;
}

static struct seen visit(void)
{
	struct err e = ERR_INIT;
	struct seen seen = {.count = 0};

	ck_assert_int_eq(lease_visit(fixture_store(), note, &seen, &e), 0);
	ck_assert_no_err(&e);
	return seen;
}

/* How many lease files there are, and the path of the last one. */
static int list_files(char path[static 512])
{
	DIR *dir = opendir(fixture_file("shale/leases"));
	int count = 0;

	ck_assert_ptr_nonnull(dir);
	for (const struct dirent *d = readdir(dir); d; d = readdir(dir)) {
		char name[300];
		if (d->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "shale/leases/%s", d->d_name);
		snprintf(path, 512, "%s", fixture_file(name));
		count++;
	}
	closedir(dir);
	return count;
}

static struct lease *open_lease(const char *what)
{
	struct err e = ERR_INIT;
	struct lease *l = NULL;

	ck_assert_int_eq(lease_open(fixture_store(), what, &l, &e), 0);
	return l;
}

static void append(const char *path, const char *text)
{
	SCOPE_FD int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(io_write_all(fd, text, strlen(text)), 0);
}

START_TEST(a_lease_lives_as_long_as_it_is_open)
{
	struct err e = ERR_INIT;
	const struct digest a = hasher_sha256("a", 1);
	const struct digest b = {DIGEST_SHA512, {1, 2, 3}};
	char path[512];
	struct lease *l = open_lease("build localhost/app:1");

	ck_assert_int_eq(lease_add(l, &a, &e), 0);
	ck_assert_int_eq(lease_add(l, &b, &e), 0);
	const struct seen seen = visit();
	ck_assert_int_eq(seen.count, 2);
	ck_assert(digest_equal(&seen.digests[0], &a));
	ck_assert(digest_equal(&seen.digests[1], &b));
	ck_assert_int_eq(list_files(path), 1);

	SCOPE(str) struct str text = STR_INIT;
	ck_assert_int_eq(io_slurp_path(path, 10000, &text, &e), 0);
	ck_assert(str_has_prefix(text.data, "# build localhost/app:1\nsha256:"));

	lease_close(l);
	ck_assert_int_eq(list_files(path), 0);
	ck_assert_int_eq(visit().count, 0);
	lease_close(NULL);
}
END_TEST

START_TEST(what_is_leased_for_cannot_forge_a_line)
{
	char path[512];
	struct lease *l = open_lease("x\nsha256:"
				     "0000000000000000000000000000000000000000000000000000000000"
				     "000000");

	ck_assert_int_eq(list_files(path), 1);
	ck_assert_int_eq(visit().count, 0);
	lease_close(l);
}
END_TEST

START_TEST(the_lease_of_a_dead_process_is_removed)
{
	char path[512];
	int status;
	const pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct err e = ERR_INIT;
		struct lease *l = NULL;
		const struct digest a = hasher_sha256("a", 1);
		const bool is_good =
			lease_open(fixture_store(), "x", &l, &e) == 0 && lease_add(l, &a, &e) == 0;
		_exit(is_good ? 0 : 1); /* as a crash: nothing is closed */
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(list_files(path), 1);
	ck_assert_int_eq(visit().count, 0);
	ck_assert_int_eq(list_files(path), 0);
}
END_TEST

/* A daemon forks: the child serves, the parent ends. */
START_TEST(a_lease_outlives_the_process_that_forked)
{
	int ready[2], end[2];
	struct err e = ERR_INIT;
	char byte = 0, path[512];
	const struct digest a = hasher_sha256("a", 1);
	struct lease *l = open_lease("mount");

	ck_assert_int_eq(lease_add(l, &a, &e), 0);
	ck_assert_int_eq(pipe(ready), 0);
	ck_assert_int_eq(pipe(end), 0);
	const pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid != 0) {
		close(ready[1]);
		ck_assert_int_eq(io_read(ready[0], &byte, 1), 1);
		ck_assert_int_eq(visit().count, 1);
		ck_assert_int_eq(io_write_all(end[1], &byte, 1), 0);
		ck_assert_int_gt(wait(NULL), 0);
		ck_assert_int_eq(list_files(path), 1);
		lease_close(l);
		return;
	}
	(void)io_write_all(ready[1], &byte, 1);
	(void)io_read(end[0], &byte, 1);
	_exit(0);
}
END_TEST

START_TEST(a_line_without_its_end_is_not_read)
{
	struct err e = ERR_INIT;
	const struct digest a = hasher_sha256("a", 1);
	char path[512];
	struct lease *l = open_lease("x");

	ck_assert_int_eq(lease_add(l, &a, &e), 0);
	ck_assert_int_eq(list_files(path), 1);
	append(path, "sha256:00");
	ck_assert_int_eq(visit().count, 1);
	/* The next line takes the place of what a failed write left. */
	ck_assert_int_eq(lease_add(l, &a, &e), 0);
	ck_assert_int_eq(visit().count, 2);

	struct seen seen = {.count = 0};
	append(path, "sha256:zz\n");
	ck_assert_int_eq(lease_visit(fixture_store(), note, &seen, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "no digest");
	lease_close(l);
}
END_TEST

START_TEST(adding_waits_for_gc)
{
	struct err e = ERR_INIT;
	const struct digest a = hasher_sha256("a", 1);
	int done[2], status;
	char byte = 0;
	struct lease *l = open_lease("x");
	const int lock = locks_take(fixture_store(), LOCKS_GC, LOCKS_EXCLUSIVE, &e);

	ck_assert_int_ge(lock, 0);
	ck_assert_int_eq(pipe2(done, O_CLOEXEC | O_NONBLOCK), 0);
	const pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		close(lock);
		const int r = lease_add(l, &a, &e);
		(void)io_write_all(done[1], &byte, 1);
		_exit(r == 0 ? 0 : 1);
	}
	usleep(50 * 1000);
	ck_assert_int_eq(io_read(done[0], &byte, 1), -1);
	ck_assert_int_eq(visit().count, 0);
	close(lock);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(visit().count, 1);
	lease_close(l);
}
END_TEST

/* As on a full disk. */
START_TEST(a_lock_leases_what_is_in_the_store)
{
	struct err e = ERR_INIT;
	const struct digest a = fixture_put("a"), b = fixture_put("b");
	const struct digest later = hasher_sha256("later", 5);
	const int fd = lease_lock_open(fixture_store(), &e);
	int end[2];
	char byte = 0;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(visit().count, 0);
	ck_assert_int_eq(lease_lock_add(fd, &a, &e), 0);
	ck_assert_int_eq(lease_lock_add(fd, &later, &e), 0);
	const struct seen seen = visit();
	ck_assert_int_eq(seen.count, 1);
	ck_assert(digest_equal(&seen.digests[0], &a));
	(void)fixture_put("later");
	ck_assert_int_eq(visit().count, 2);

	/* A daemon forks, and the parent ends. */
	ck_assert_int_eq(pipe2(end, O_CLOEXEC), 0);
	const pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)lease_lock_add(fd, &b, &e);
		close(end[1]);
		(void)io_read(end[0], &byte, 1);
		_exit(0);
	}
	close(fd);
	for (int tries = 0; visit().count < 3 && tries < 1000; tries++)
		usleep(1000);
	ck_assert_int_eq(visit().count, 3);
	close(end[1]);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(visit().count, 0);
	close(end[0]);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("store/lease");
	TCase *tc = tcase_create("lease");

	tcase_add_checked_fixture(tc, fixture_make, fixture_remove);
	tcase_add_test(tc, a_lease_lives_as_long_as_it_is_open);
	tcase_add_test(tc, what_is_leased_for_cannot_forge_a_line);
	tcase_add_test(tc, the_lease_of_a_dead_process_is_removed);
	tcase_add_test(tc, a_lease_outlives_the_process_that_forked);
	tcase_add_test(tc, a_line_without_its_end_is_not_read);
	tcase_add_test(tc, adding_waits_for_gc);
	tcase_add_test(tc, a_lock_leases_what_is_in_the_store);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
