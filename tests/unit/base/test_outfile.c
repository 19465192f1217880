/* SPDX-License-Identifier: Apache-2.0 */
#include "base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/io.h"
#include "base/str.h"
#include "main.h"
#include "tests/support/failalloc.h"
#include "tests/support/scratch.h"

enum { LONG = 1000000 };

/* The linker's name for openat with large files: a file system without unnamed files can be had. */
int __real_openat64(int dirfd, const char *path, int flags, mode_t mode);
int __wrap_openat64(int dirfd, const char *path, int flags, mode_t mode);
static bool has_no_unnamed;

int __wrap_openat64(int dirfd, const char *path, int flags, mode_t mode)
{
	if (has_no_unnamed && (flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return __real_openat64(dirfd, path, flags, mode);
}

static void setup(void)
{
	scratch_make();
	umask(022);
}

static void check_content(const char *name, const char *want)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str got = STR_INIT;

	ck_assert_int_eq(io_slurp_path(scratch_file(name), 2 * LONG, &got, &e), 0);
	ck_assert_str_eq(str_text(&got), want);
}

static void check_mode(const char *name, mode_t want)
{
	struct stat st;

	ck_assert_int_eq(lstat(scratch_file(name), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, want);
}

static int put(const char *name, const char *text, unsigned flags, struct err *e)
{
	SCOPE(outfile) struct outfile f = OUTFILE_INIT;

	if (outfile_open(&f, scratch_file(name), flags, e) < 0 ||
	    outfile_write(&f, text, strlen(text), e) < 0)
		return -1;
	return outfile_commit(&f, e);
}

START_TEST(a_new_file_is_there_at_the_end)
{
	SCOPE(outfile) struct outfile f = OUTFILE_INIT;
	struct err e = ERR_INIT;

	has_no_unnamed = _i;
	umask(027);
	ck_assert_int_eq(outfile_open(&f, scratch_file("new"), 0, &e), 0);
	ck_assert(!outfile_is_stream(&f));
	ck_assert_int_eq(outfile_write(&f, "content", 7, &e), 0);
	ck_assert_int_eq(scratch_count(), _i);
	ck_assert_int_eq(outfile_commit(&f, &e), 0);
	ck_assert_no_err(&e);
	check_content("new", "content");
	check_mode("new", 0640);
	ck_assert_int_eq(scratch_count(), 1);
	ck_assert_uint_eq(f.size, 7);
}
END_TEST

START_TEST(a_file_that_is_there_is_replaced_at_the_end)
{
	struct err e = ERR_INIT;
	struct stat before, after;

	has_no_unnamed = _i;
	scratch_write("file", "old");
	ck_assert_int_eq(chmod(scratch_file("file"), 0604), 0);
	ck_assert_int_eq(stat(scratch_file("file"), &before), 0);
	SCOPE(outfile) struct outfile f = OUTFILE_INIT;
	ck_assert_int_eq(outfile_open(&f, scratch_file("file"), 0, &e), 0);
	ck_assert_int_eq(outfile_write(&f, "new", 3, &e), 0);
	check_content("file", "old");
	ck_assert_int_eq(outfile_commit(&f, &e), 0);
	check_content("file", "new");
	check_mode("file", 0604);
	ck_assert_int_eq(stat(scratch_file("file"), &after), 0);
	ck_assert_uint_ne(before.st_ino, after.st_ino);
	ck_assert_int_eq(scratch_count(), 1);
}
END_TEST

START_TEST(without_commit_nothing_has_happened)
{
	struct err e = ERR_INIT;

	has_no_unnamed = _i;
	scratch_write("file", "old");
	for (int i = 0; i < 2; i++) {
		const char *name = i ? "file" : "new";
		SCOPE(outfile) struct outfile f = OUTFILE_INIT;
		ck_assert_int_eq(outfile_open(&f, scratch_file(name), 0, &e), 0);
		ck_assert_int_eq(outfile_write(&f, "new", 3, &e), 0);
	}
	ck_assert_int_eq(scratch_count(), 1);
	check_content("file", "old");
}
END_TEST

START_TEST(writes_pieces_in_order)
{
	SCOPE_FREE char *text = malloc(LONG + 1);
	SCOPE(outfile) struct outfile f = OUTFILE_INIT;
	struct err e = ERR_INIT;
	size_t at = 0, step = 1;

	for (size_t i = 0; i < LONG; i++)
		text[i] = (char)('a' + i % 23);
	text[LONG] = '\0';
	ck_assert_int_eq(outfile_open(&f, scratch_file("long"), 0, &e), 0);
	while (at < LONG) {
		const size_t n = step < LONG - at ? step : LONG - at;
		ck_assert_int_eq(outfile_write(&f, text + at, n, &e), 0);
		at += n;
		step = step * 3 % 400009 + 1;
	}
	ck_assert_int_eq(outfile_commit(&f, &e), 0);
	ck_assert_uint_eq(f.size, LONG);
	check_content("long", text);
}
END_TEST

START_TEST(links_are_refused_or_followed)
{
	struct err e = ERR_INIT;
	struct stat st;

	scratch_write("target", "old");
	ck_assert_int_eq(symlinkat("target", scratch_fd(), "link"), 0);
	ck_assert_int_eq(symlinkat("none", scratch_fd(), "dangling"), 0);
	ck_assert_int_eq(put("link", "new", 0, &e), -1);
	ck_assert_err(&e, ERR_EXISTS, "it is a link; name the file that it leads to");
	check_content("target", "old");
	ck_assert_int_eq(put("link", "new", OUTFILE_FOLLOW, &e), 0);
	check_content("target", "new");
	ck_assert_int_eq(lstat(scratch_file("link"), &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	for (unsigned flags = 0; flags <= OUTFILE_FOLLOW; flags++) {
		ck_assert_int_eq(put("dangling", "new", flags, &e), -1);
		ck_assert_err(&e, ERR_EXISTS, "it is a link that leads to nothing");
	}
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
	struct err e = ERR_INIT;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	SCOPE_FD int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_eq(mkdirat(scratch_fd(), "dir", 0755), 0);
	ck_assert_int_eq(put("dir", "x", 0, &e), -1);
	ck_assert_err(&e, ERR_USAGE, "is a directory");
	ck_assert_int_eq(put("none/x", "x", 0, &e), -1);
	ck_assert_err(&e, ERR_SYS, "No such file or directory");
	ck_assert_int_eq(put("dir/", "x", 0, &e), -1);
	ck_assert_err(&e, ERR_USAGE, "is a directory");
	ck_assert_int_eq(put("new/", "x", 0, &e), -1);
	ck_assert_err(&e, ERR_SYS, "No such file or directory");
	ck_assert_int_eq(chdir(scratch_path()), 0);
	memcpy(address.sun_path, "socket", sizeof("socket"));
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(put("socket", "x", OUTFILE_FOLLOW, &e), -1);
	ck_assert_err(&e, ERR_EXISTS, "a block device or a socket");
	ck_assert_int_eq(outfile_check("", 0, &e), -1);
	ck_assert_err(&e, ERR_SYS, "cannot write ''");
}
END_TEST

START_TEST(streams_are_written_into)
{
	struct err e = ERR_INIT;
	struct stat st;
	char got[8] = "";

	SCOPE(outfile) struct outfile null = OUTFILE_INIT;
	ck_assert_int_eq(outfile_open(&null, "/dev/null", 0, &e), 0);
	ck_assert(outfile_is_stream(&null));
	ck_assert_int_eq(outfile_commit(&null, &e), 0);
	ck_assert_int_eq(stat("/dev/null", &st), 0);
	ck_assert(S_ISCHR(st.st_mode));

	ck_assert_int_eq(mkfifoat(scratch_fd(), "fifo", 0600), 0);
	SCOPE_FD int fd = open(scratch_file("fifo"), O_RDONLY | O_NONBLOCK);
	ck_assert_int_eq(put("fifo", "text", 0, &e), 0);
	ck_assert_int_eq(io_read_full(fd, got, sizeof(got)), 4);
	ck_assert_str_eq(got, "text");

	/* A file that somebody has open. */
	scratch_write("open", "some");
	SCOPE_FD int file = open(scratch_file("open"), O_WRONLY);
	SCOPE_FREE char *path = str_dupf(&e, "/proc/self/fd/%d", file);
	SCOPE(outfile) struct outfile f = OUTFILE_INIT;
	ck_assert_int_eq(outfile_open(&f, path, 0, &e), 0);
	ck_assert_int_eq(outfile_write(&f, "thing", 5, &e), 0);
	ck_assert_int_eq(outfile_commit(&f, &e), 0);
	check_content("open", "something");
}
END_TEST

START_TEST(a_full_device_is_told)
{
	SCOPE(outfile) struct outfile f = OUTFILE_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(outfile_open(&f, "/dev/full", 0, &e), 0);
	ck_assert_int_eq(outfile_write(&f, "x", 1, &e), 0);
	ck_assert_int_eq(outfile_commit(&f, &e), -1);
	ck_assert_int_eq(e.sys, ENOSPC);
	ck_assert_err(&e, ERR_SYS, "cannot write '/dev/full'");
}
END_TEST

START_TEST(a_check_changes_nothing)
{
	struct err e = ERR_INIT;

	has_no_unnamed = _i;
	scratch_write("file", "old");
	ck_assert_int_eq(outfile_check(scratch_file("new"), 0, &e), 0);
	ck_assert_int_eq(outfile_check(scratch_file("file"), 0, &e), 0);
	ck_assert_int_eq(outfile_check("/dev/null", 0, &e), 0);
	ck_assert_int_eq(scratch_count(), 1);
	check_content("file", "old");
}
END_TEST

/* Dies of SIGINT, when all is well. */
static void be_interrupted(void)
{
	struct outfile f = OUTFILE_INIT;
	struct err e = ERR_INIT;

	/* Check has a handler of its own. */
	signal(SIGINT, SIG_DFL);
	if (outfile_open(&f, scratch_file("new"), 0, &e) < 0 || scratch_count() != 1)
		_exit(1);
	raise(SIGINT);
	if (outfile_commit(&f, &e) == 0 || e.sys != EINTR)
		_exit(2);
	outfile_fini(&f);
	_exit(3);
}

START_TEST(a_signal_takes_the_named_one_away)
{
	int status;

	has_no_unnamed = true;
	const pid_t child = fork();
	if (child == 0)
		be_interrupted();
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGINT);
	ck_assert_int_eq(scratch_count(), 0);
}
END_TEST

static int put_once(void *arg, struct err *e)
{
	(void)arg;
	return put("file", "text", OUTFILE_FOLLOW, e);
}

START_TEST(survives_without_memory)
{
	scratch_write("file", "old");
	failalloc_each(put_once, NULL);
	check_content("file", "text");
	ck_assert_int_eq(scratch_count(), 1);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("base/outfile");
	TCase *tc = tcase_create("outfile");

	tcase_add_checked_fixture(tc, setup, scratch_remove);
	tcase_add_loop_test(tc, a_new_file_is_there_at_the_end, 0, 2);
	tcase_add_loop_test(tc, a_file_that_is_there_is_replaced_at_the_end, 0, 2);
	tcase_add_loop_test(tc, without_commit_nothing_has_happened, 0, 2);
	tcase_add_test(tc, writes_pieces_in_order);
	tcase_add_test(tc, links_are_refused_or_followed);
	tcase_add_test(tc, what_is_no_file_is_refused);
	tcase_add_test(tc, streams_are_written_into);
	tcase_add_test(tc, a_full_device_is_told);
	tcase_add_loop_test(tc, a_check_changes_nothing, 0, 2);
	tcase_add_test(tc, a_signal_takes_the_named_one_away);
	tcase_add_test(tc, survives_without_memory);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
