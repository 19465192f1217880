/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

#include "main.h"
#include "tests/support/failalloc.h"
#include "tests/support/scratch.h"

enum { PIPE_BYTES = 300000 /* more than a pipe holds */, TICK_US = 500 };

static int open_scratch(const char *name)
{
	const int fd = open(scratch_file(name), O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	return fd;
}

START_TEST(positions_do_not_move_the_offset)
{
	char buf[8] = {0};
	SCOPE_FD int fd = open_scratch("f");

	ck_assert_int_eq(io_pwrite_all(fd, "abcdef", 6, 2), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 0);
	ck_assert_int_eq(io_pread_full(fd, buf, 3, 3), 3);
	ck_assert_mem_eq(buf, "bcd", 3);
	ck_assert_int_eq(io_pread_full(fd, buf, 8, 6), 2);
	ck_assert_int_eq(io_pread_full(fd, buf, 8, 100), 0);
	ck_assert_int_eq(io_read_full(fd, buf, 8), 8);
	ck_assert_mem_eq(buf, "\0\0abcdef", 8);
	ck_assert_int_eq(io_read_full(fd, buf, 8), 0);
}
END_TEST

/* The linker's name: sync_file_range of the program comes here. */
int __wrap_sync_file_range(int fd, off_t offset, off_t len, unsigned flags);

static struct {
	int fd;
	off_t offset, len;
	unsigned flags;
} asked;
static unsigned syncs;
static bool sync_fails;

int __wrap_sync_file_range(int fd, off_t offset, off_t len, unsigned flags)
{
	syncs++;
	asked.fd = fd;
	asked.offset = offset;
	asked.len = len;
	asked.flags = flags;
	errno = sync_fails ? EIO : 0;
	return sync_fails ? -1 : 0;
}

/* The last one was the `count`th, for the pages that nobody asked for before, and without waiting
 * for them. */
static void assert_sync(unsigned count, uint64_t from, uint64_t to)
{
	ck_assert_uint_eq(syncs, count);
	ck_assert_int_eq(asked.fd, 7);
	ck_assert_int_eq(asked.offset, (off_t)from);
	ck_assert_int_eq(asked.len, (off_t)(to - from));
	ck_assert_uint_eq(asked.flags, SYNC_FILE_RANGE_WRITE);
}

/* The disk begins with large pieces only, and an error is none of a hint's. */
START_TEST(a_sync_starts_by_large_pieces)
{
	const uint64_t step = 8 << 20;
	uint64_t started = 0;

	io_start_sync(7, step - 1, &started);
	ck_assert_uint_eq(syncs, 0);
	ck_assert_uint_eq(started, 0);
	io_start_sync(7, step, &started);
	assert_sync(1, 0, step);
	ck_assert_uint_eq(started, step);
	io_start_sync(7, 2 * step - 1, &started);
	ck_assert_uint_eq(syncs, 1);
	ck_assert_uint_eq(started, step);
	io_start_sync(7, 2 * step + 1, &started);
	assert_sync(2, step, 2 * step + 1);
	sync_fails = true;
	io_start_sync(7, 4 * step, &started);
	assert_sync(3, 2 * step + 1, 4 * step);
	ck_assert_uint_eq(started, 4 * step);
}
END_TEST

START_TEST(offsets_beyond_int64_are_refused)
{
	char c = 0;
	SCOPE_FD int fd = open_scratch("f");

	errno = 0;
	ck_assert_int_eq(io_pread_full(fd, &c, 1, UINT64_MAX), -1);
	ck_assert_int_eq(errno, EOVERFLOW);
	errno = 0;
	ck_assert_int_eq(io_pwrite_all(fd, &c, 1, (uint64_t)INT64_MAX + 1), -1);
	ck_assert_int_eq(errno, EOVERFLOW);
	errno = 0;
	ck_assert_int_eq(io_pread_full(fd, &c, 1, INT64_MAX), -1);
	ck_assert_int_eq(errno, EOVERFLOW);
}
END_TEST

START_TEST(errors_are_errno)
{
	char c = 0;

	errno = 0;
	ck_assert_int_eq(io_read(-1, &c, 1), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_int_eq(io_read_full(-1, &c, 1), -1);
	ck_assert_int_eq(io_pread_full(-1, &c, 1, 0), -1);
	ck_assert_int_eq(io_write_all(-1, &c, 1), -1);
	ck_assert_int_eq(io_pwrite_all(-1, &c, 1, 0), -1);
	SCOPE_FD int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(io_write_all(full, &c, 1), -1);
	ck_assert_int_eq(errno, ENOSPC);
}
END_TEST

static void on_tick(int signal_number)
{
	(void)signal_number;
}

/* Writes in small pieces with pauses, so that the reader sees short counts. */
static void *feed(void *arg)
{
	static char block[PIPE_BYTES];
	const int fd = *(const int *)arg;
	const struct timespec pause = {0, 1000000};
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	memset(block, 'p', sizeof(block));
	for (size_t done = 0; done < PIPE_BYTES; done += PIPE_BYTES / 20) {
		nanosleep(&pause, NULL);
		if (io_write_all(fd, block + done, PIPE_BYTES / 20) < 0)
			abort();
	}
	close(fd);
	return NULL;
}

START_TEST(interrupted_and_short_reads_go_on)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str out = STR_INIT;
	const struct sigaction action = {.sa_handler = on_tick}; /* no SA_RESTART */
	const struct itimerval tick = {{0, TICK_US}, {0, TICK_US}}, off = {{0, 0}, {0, 0}};
	pthread_t thread;
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, feed, &fds[1]), 0);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &tick, NULL), 0);
	const int rc = io_slurp(fds[0], PIPE_BYTES, "pipe", &out, &e);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &off, NULL), 0);
	ck_assert_no_err(&e);
	ck_assert_int_eq(rc, 0);
	ck_assert_uint_eq(out.len, PIPE_BYTES);
	pthread_join(thread, NULL);
	close(fds[0]);
}
END_TEST

static const struct {
	uint64_t limit;
	int rc;
} limits[] = {{0, -1}, {4, -1}, {5, 0}, {6, 0}, {UINT64_MAX, 0}};

START_TEST(slurp_holds_its_limit)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str out = STR_INIT;

	scratch_write("five", "12345");
	SCOPE_FD int fd = open_scratch("five");
	ck_assert_int_eq(str_append_z(&out, "was", &e), 0);
	ck_assert_int_eq(io_slurp(fd, limits[_i].limit, "file 'five'", &out, &e), limits[_i].rc);
	if (limits[_i].rc == 0) {
		ck_assert_str_eq(out.data, "was12345");
	} else {
		ck_assert_err(&e, ERR_LIMIT, "file 'five': more than");
		ck_assert_str_eq(out.data, "was");
	}
}
END_TEST

START_TEST(slurp_of_endless_input_ends)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str out = STR_INIT;
	SCOPE_FD int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(io_slurp(fd, 1000000, "zero", &out, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "1000000");
	ck_assert_uint_lt(out.cap, 2000000);
}
END_TEST

START_TEST(slurp_path_reads_regular_files_only)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str out = STR_INIT;

	scratch_write("f", "text");
	ck_assert_int_eq(symlink("f", scratch_file("link")), 0);
	ck_assert_int_eq(io_slurp_path(scratch_file("link"), 4, &out, &e), 0);
	ck_assert_str_eq(out.data, "text");
	ck_assert_int_eq(io_slurp_path(scratch_file("link"), 3, &out, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "link'");
	ck_assert_int_eq(io_slurp_path(scratch_file("none"), 4, &out, &e), -1);
	ck_assert_int_eq(e.sys, ENOENT);
	ck_assert_err(&e, ERR_SYS, "cannot open");
	ck_assert_int_eq(mkfifo(scratch_file("fifo"), 0600), 0);
	ck_assert_int_eq(io_slurp_path(scratch_file("fifo"), 4, &out, &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "regular");
	ck_assert_int_eq(io_slurp_path("/dev/zero", 4, &out, &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "regular");
	ck_assert_int_eq(io_slurp_path(scratch_path(), 4, &out, &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "regular");
	ck_assert_str_eq(out.data, "text");
}
END_TEST

static int slurp_all(void *arg, struct err *e)
{
	SCOPE(str) struct str out = STR_INIT;

	return io_slurp_path(arg, PIPE_BYTES, &out, e);
}

START_TEST(without_memory)
{
	static char path[4096];

	scratch_write("f", "text");
	ck_assert_uint_lt(strlen(scratch_file("f")), sizeof(path));
	memcpy(path, scratch_file("f"), strlen(scratch_file("f")) + 1);
	failalloc_each(slurp_all, path);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("base/io");
	TCase *tc = tcase_create("whole reads and writes");

	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	tcase_add_test(tc, positions_do_not_move_the_offset);
	tcase_add_test(tc, a_sync_starts_by_large_pieces);
	tcase_add_test(tc, offsets_beyond_int64_are_refused);
	tcase_add_test(tc, errors_are_errno);
	tcase_add_test(tc, interrupted_and_short_reads_go_on);
	suite_add_tcase(suite, tc);
	tc = tcase_create("slurp");
	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	tcase_add_loop_test(tc, slurp_holds_its_limit, 0, ARRAY_LEN(limits));
	tcase_add_test(tc, slurp_of_endless_input_ends);
	tcase_add_test(tc, slurp_path_reads_regular_files_only);
	tcase_add_test(tc, without_memory);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
