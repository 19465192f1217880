/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tmpfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/io.h"
#include "main.h"
#include "tests/support/scratch.h"

/* The linker's names: fsync and renameat of the program come here, and may fail. */
int __real_fsync(int fd);
int __real_renameat(int old_dir, const char *old_name, int new_dir, const char *new_name);
int __wrap_fsync(int fd);
int __wrap_renameat(int old_dir, const char *old_name, int new_dir, const char *new_name);

/* What was called, in order: "f" and "d" for fsync of a file and a directory, "r" for renameat. */
static char calls[32];
static int fsync_fails_at, fsyncs;
static bool rename_fails;

static void note(char what)
{
	const size_t len = strlen(calls);

	if (len + 1 < sizeof(calls))
		calls[len] = what;
}

int __wrap_fsync(int fd)
{
	struct stat st;

	note(fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) ? 'd' : 'f');
	if (++fsyncs == fsync_fails_at) {
		errno = EIO;
		return -1;
	}
	return __real_fsync(fd);
}

int __wrap_renameat(int old_dir, const char *old_name, int new_dir, const char *new_name)
{
	note('r');
	ck_assert(tmpfile_is_litter(old_name));
	if (rename_fails) {
		errno = ENOSPC;
		return -1;
	}
	return __real_renameat(old_dir, old_name, new_dir, new_name);
}

/* A temporary file with this content. */
static int tmpfile_with(const char *text)
{
	struct err e = ERR_INIT;
	const int fd = tmpfile_open_at(scratch_fd(), &e);

	ck_assert_no_err(&e);
	ck_assert_int_eq(io_write_all(fd, text, strlen(text)), 0);
	return fd;
}

static void check_file(const char *name, const char *text, mode_t mode)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str got = STR_INIT;
	struct stat st;

	ck_assert_int_eq(io_slurp_path(scratch_file(name), 1000, &got, &e), 0);
	ck_assert_str_eq(got.data, text);
	ck_assert_int_eq(stat(scratch_file(name), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, mode);
	ck_assert_uint_eq(st.st_nlink, 1);
}

START_TEST(a_new_file_has_no_name)
{
	struct stat st;
	SCOPE_FD int fd = tmpfile_with("x");

	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_eq(st.st_nlink, 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	ck_assert_int_eq(scratch_count(), 0);
}
END_TEST

START_TEST(open_refuses)
{
	struct err e = ERR_INIT;

	ck_assert_int_eq(tmpfile_open_at(-1, &e), -1);
	ck_assert_err(&e, ERR_SYS, "temporary file");
	/* procfs has no O_TMPFILE, which only root is told. */
	if (geteuid() != 0)
		SKIP_TEST("needs root");
	SCOPE_FD int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(tmpfile_open_at(proc, &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "O_TMPFILE");
}
END_TEST

START_TEST(publish_gives_a_name_once)
{
	struct err e = ERR_INIT;
	SCOPE_FD int fd = tmpfile_with("first");
	SCOPE_FD int other = tmpfile_with("second");

	ck_assert_int_eq(tmpfile_publish_at(fd, scratch_fd(), "name", 0444, &e), 1);
	ck_assert_str_eq(calls, "fd");
	check_file("name", "first", 0444);
	ck_assert_int_eq(tmpfile_publish_at(other, scratch_fd(), "name", 0644, &e), 0);
	ck_assert_str_eq(calls, "fdfd");
	ck_assert_no_err(&e);
	check_file("name", "first", 0444);
	ck_assert_int_eq(scratch_count(), 1);
}
END_TEST

START_TEST(publish_does_not_follow_a_link)
{
	struct err e = ERR_INIT;
	SCOPE_FD int fd = tmpfile_with("first");

	ck_assert_int_eq(symlink("target", scratch_file("name")), 0);
	ck_assert_int_eq(tmpfile_publish_at(fd, scratch_fd(), "name", 0444, &e), 0);
	ck_assert_int_eq(scratch_count(), 1);
}
END_TEST

START_TEST(replace_takes_the_place)
{
	struct err e = ERR_INIT;
	SCOPE_FD int fd = tmpfile_with("first");
	SCOPE_FD int other = tmpfile_with("second");

	ck_assert_int_eq(tmpfile_replace_at(fd, scratch_fd(), "name", 0600, &e), 0);
	ck_assert_str_eq(calls, "frd");
	check_file("name", "first", 0600);
	ck_assert_int_eq(tmpfile_replace_at(other, scratch_fd(), "name", 0644, &e), 0);
	check_file("name", "second", 0644);
	ck_assert_int_eq(scratch_count(), 1);
}
END_TEST

START_TEST(replace_takes_the_place_of_a_link)
{
	struct err e = ERR_INIT;
	SCOPE_FD int fd = tmpfile_with("first");

	scratch_write("target", "target");
	ck_assert_int_eq(symlink("target", scratch_file("name")), 0);
	ck_assert_int_eq(tmpfile_replace_at(fd, scratch_fd(), "name", 0600, &e), 0);
	check_file("name", "first", 0600);
	ck_assert_int_eq(scratch_count(), 2);
}
END_TEST

START_TEST(replace_that_fails_leaves_nothing)
{
	struct err e = ERR_INIT;
	SCOPE_FD int fd = tmpfile_with("first");

	scratch_write("name", "old");
	ck_assert_int_eq(mkdir(scratch_file("dir"), 0700), 0);
	ck_assert_int_eq(tmpfile_replace_at(fd, scratch_fd(), "dir", 0600, &e), -1);
	ck_assert_int_eq(e.sys, EISDIR);
	ck_assert_err(&e, ERR_SYS, "cannot replace 'dir'");
	ck_assert_int_eq(scratch_count(), 2);

	SCOPE_FD int other = tmpfile_with("second");
	rename_fails = true;
	ck_assert_int_eq(tmpfile_replace_at(other, scratch_fd(), "name", 0600, &e), -1);
	ck_assert_int_eq(e.sys, ENOSPC);
	ck_assert_err(&e, ERR_SYS, "cannot replace");
	check_file("name", "old", 0644);
	ck_assert_int_eq(scratch_count(), 2);
}
END_TEST

START_TEST(a_file_that_is_not_synced_gets_no_name)
{
	struct err e = ERR_INIT;
	SCOPE_FD int fd = tmpfile_with("first");
	SCOPE_FD int other = tmpfile_with("second");

	fsync_fails_at = 1;
	ck_assert_int_eq(tmpfile_publish_at(fd, scratch_fd(), "name", 0444, &e), -1);
	ck_assert_int_eq(e.sys, EIO);
	ck_assert_err(&e, ERR_SYS, "cannot sync 'name'");
	fsync_fails_at = 2;
	ck_assert_int_eq(tmpfile_replace_at(other, scratch_fd(), "name", 0444, &e), -1);
	ck_assert_err(&e, ERR_SYS, "cannot sync 'name'");
	ck_assert_str_eq(calls, "ff");
	ck_assert_int_eq(scratch_count(), 0);
}
END_TEST

START_TEST(a_directory_that_is_not_synced_is_an_error)
{
	struct err e = ERR_INIT;
	SCOPE_FD int fd = tmpfile_with("first");
	SCOPE_FD int other = tmpfile_with("second");
	SCOPE_FD int third = tmpfile_with("third");

	fsync_fails_at = 2;
	ck_assert_int_eq(tmpfile_publish_at(fd, scratch_fd(), "name", 0444, &e), -1);
	ck_assert_err(&e, ERR_SYS, "cannot sync the directory");
	fsync_fails_at = 4;
	ck_assert_int_eq(tmpfile_publish_at(other, scratch_fd(), "name", 0444, &e), -1);
	ck_assert_err(&e, ERR_SYS, "cannot sync the directory");
	fsync_fails_at = 6;
	ck_assert_int_eq(tmpfile_replace_at(third, scratch_fd(), "name", 0444, &e), -1);
	ck_assert_err(&e, ERR_SYS, "cannot sync the directory");
}
END_TEST

START_TEST(write_does_it_all)
{
	struct err e = ERR_INIT;

	ck_assert_int_eq(tmpfile_write_at(scratch_fd(), "name", 0640, "some", 4, &e), 0);
	check_file("name", "some", 0640);
	ck_assert_int_eq(tmpfile_write_at(scratch_fd(), "name", 0600, NULL, 0, &e), 0);
	check_file("name", "", 0600);
	ck_assert_int_eq(tmpfile_write_at(scratch_fd(), "no/name", 0600, "x", 1, &e), -1);
	ck_assert_int_eq(e.sys, ENOENT);
	ck_assert_err(&e, ERR_SYS, "no/name");
	ck_assert_int_eq(scratch_count(), 1);
}
END_TEST

static const struct {
	const char *name;
	bool is_litter;
} names[] = {
	{".shale-0123456789abcdef.tmp", true},
	{".shale-0123456789abcde.tmp", false},
	{".shale-0123456789abcdef0.tmp", false},
	{".shale-0123456789ABCDEF.tmp", false},
	{".shale-0123456789abcdeg.tmp", false},
	{"xshale-0123456789abcdef.tmp", false},
	{".shale-0123456789abcdef.tmq", false},
	{".shale-.tmp", false},
	{"", false},
	{"index.json", false},
};

START_TEST(litter_is_known_by_its_name)
{
	ck_assert_int_eq(tmpfile_is_litter(names[_i].name), names[_i].is_litter);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("base/tmpfile");
	TCase *tc = tcase_create("files");

	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	tcase_add_test(tc, a_new_file_has_no_name);
	tcase_add_test(tc, open_refuses);
	tcase_add_test(tc, publish_gives_a_name_once);
	tcase_add_test(tc, publish_does_not_follow_a_link);
	tcase_add_test(tc, replace_takes_the_place);
	tcase_add_test(tc, replace_takes_the_place_of_a_link);
	tcase_add_test(tc, replace_that_fails_leaves_nothing);
	tcase_add_test(tc, a_file_that_is_not_synced_gets_no_name);
	tcase_add_test(tc, a_directory_that_is_not_synced_is_an_error);
	tcase_add_test(tc, write_does_it_all);
	tcase_add_loop_test(tc, litter_is_known_by_its_name, 0, ARRAY_LEN(names));
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
