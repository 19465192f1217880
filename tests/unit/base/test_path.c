/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "main.h"
#include "tests/support/failalloc.h"
#include "tests/support/scratch.h"

/* Go's path.Clean("/" + in), less its leading "/". */
static const struct {
	const char *in, *out;
} cleaned[] = {
	{"", ""},
	{"/", ""},
	{"//", ""},
	{".", ""},
	{"./", ""},
	{"..", ""},
	{"../..", ""},
	{"/..", ""},
	{"a", "a"},
	{"/a", "a"},
	{"a/", "a"},
	{"//a//b//", "a/b"},
	{"a/./b", "a/b"},
	{"./a/.", "a"},
	{"a/../b", "b"},
	{"a/b/..", "a"},
	{"a/b/../..", ""},
	{"a/b/../../..", ""},
	{"a/b/../../../c", "c"},
	{"../a/../../b/c", "b/c"},
	{"...", "..."},
	{"a/...", "a/..."},
	{"..a/b..", "..a/b.."},
	{".a/.b", ".a/.b"},
	{"a\n/ b", "a\n/ b"},
	{"abc/def/ghi/../jkl/./../../mno", "abc/mno"},
};

START_TEST(clean_as_the_table_says)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str s = STR_INIT;

	ck_assert_int_eq(path_clean(cleaned[_i].in, &s, &e), 0);
	ck_assert_str_eq(s.data, cleaned[_i].out);
	/* What was there before is no part of the path. */
	str_truncate(&s, 0);
	ck_assert_int_eq(str_append_z(&s, "x/y", &e), 0);
	ck_assert_int_eq(path_clean(cleaned[_i].in, &s, &e), 0);
	ck_assert_int_eq(strncmp(s.data, "x/y", 3), 0);
	ck_assert_str_eq(s.data + 3, cleaned[_i].out);
}
END_TEST

static int clean_long(void *arg, struct err *e)
{
	SCOPE(str) struct str s = STR_INIT;

	(void)arg;
	return path_clean("some/longer/../path/for/several/pieces", &s, e);
}

static const struct {
	const char *path;
	bool has;
} named[] = {
	{"", false},      {".wh", false},      {".wh.", true},     {".wh.a", true},
	{"/.wh.a", true}, {"a/.wh.b/c", true}, {"a.wh.b", false},  {"a/b.wh.", false},
	{"a/.wh", false}, {"a/.wh/.", false},  {"a//.wh..", true}, {"a/.WH.b", false},
};

START_TEST(names_are_looked_at_by_their_start)
{
	const char *path = named[_i].path;

	ck_assert_int_eq(path_has_name_with(path, strlen(path), ".wh."), named[_i].has);
}
END_TEST

START_TEST(clean_without_memory)
{
	failalloc_each(clean_long, NULL);
}
END_TEST

/* sub/ with a file, a FIFO, and links that stay and links that leave. */
static void make_tree(void)
{
	scratch_make();
	ck_assert_int_eq(mkdir(scratch_file("sub"), 0700), 0);
	ck_assert_int_eq(mkdir(scratch_file("sub/dir"), 0700), 0);
	scratch_write("outside", "out");
	scratch_write("sub/dir/file", "in");
	ck_assert_int_eq(mkfifo(scratch_file("sub/fifo"), 0600), 0);
	ck_assert_int_eq(symlink("dir/file", scratch_file("sub/stays")), 0);
	ck_assert_int_eq(symlink("dir", scratch_file("sub/dirlink")), 0);
	ck_assert_int_eq(symlink("../outside", scratch_file("sub/leaves")), 0);
	ck_assert_int_eq(symlink("/etc/passwd", scratch_file("sub/absolute")), 0);
	ck_assert_int_eq(symlink("loop", scratch_file("sub/loop")), 0);
	ck_assert_int_eq(symlink("/dir/file", scratch_file("sub/from-root")), 0);
	ck_assert_int_eq(symlink("../../../dir/file", scratch_file("sub/climbs")), 0);
}

static const struct {
	const char *path;
	unsigned how;
	int sys;
} opened[] = {
	{"dir/file", 0, 0},
	{"dir/../dir/file", 0, 0},
	{"stays", 0, 0},
	{"dirlink/file", 0, 0},
	{"dir/file", PATH_NO_SYMLINKS, 0},
	{"stays", PATH_NO_SYMLINKS, ELOOP},
	{"dirlink/file", PATH_NO_SYMLINKS, ELOOP},
	{"leaves", PATH_NO_SYMLINKS, ELOOP},
	{"leaves", 0, EXDEV},
	{"absolute", 0, EXDEV},
	{"../outside", 0, EXDEV},
	{"..", 0, EXDEV},
	{"dir/../../outside", 0, EXDEV},
	{"/etc/passwd", 0, EXDEV},
	{"loop", 0, ELOOP},
	{"none", 0, ENOENT},
	{"dir/file/x", 0, ENOTDIR},
	{"", 0, ENOENT},
	{"/dir/file", PATH_IN_ROOT, 0},
	{"../../dir/file", PATH_IN_ROOT, 0},
	{"from-root", PATH_IN_ROOT, 0},
	{"climbs", PATH_IN_ROOT, 0},
	{"climbs", PATH_IN_ROOT | PATH_NO_SYMLINKS, ELOOP},
	{"absolute", PATH_IN_ROOT, ENOENT},
	{"leaves", PATH_IN_ROOT, ENOENT},
};

START_TEST(open_stays_beneath)
{
	SCOPE_FD int dirfd = open(scratch_file("sub"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	errno = 0;
	SCOPE_FD int fd = path_open_beneath(dirfd, opened[_i].path, O_RDONLY, opened[_i].how);
	if (opened[_i].sys) {
		ck_assert_int_eq(fd, -1);
		ck_assert_int_eq(errno, opened[_i].sys);
		return;
	}
	char buf[2];
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(read(fd, buf, 2), 2);
	ck_assert_mem_eq(buf, "in", 2);
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}
END_TEST

START_TEST(open_of_a_fifo_does_not_hang)
{
	SCOPE_FD int dirfd = open(scratch_file("sub"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	SCOPE_FD int fd = path_open_beneath(dirfd, "fifo", O_RDONLY, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
}
END_TEST

START_TEST(open_knows_other_flags)
{
	struct stat st;
	SCOPE_FD int dirfd = open(scratch_file("sub"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	SCOPE_FD int link = path_open_beneath(dirfd, "leaves", O_PATH | O_NOFOLLOW, 0);
	SCOPE_FD int dir = path_open_beneath(dirfd, ".", O_RDONLY | O_DIRECTORY, 0);
	SCOPE_FD int new = path_open_beneath(dirfd, "new", O_RDWR | O_CREAT | O_EXCL, 0);

	ck_assert_int_ge(link, 0);
	ck_assert_int_ge(dir, 0);
	ck_assert_int_ge(new, 0);
	ck_assert_int_eq(fstat(link, &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	ck_assert_int_eq(fstat(new, &st), 0);
	ck_assert_uint_eq(st.st_mode & 077, 0);
}
END_TEST

START_TEST(open_refuses_magic_links)
{
	SCOPE_FD int proc = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_ge(proc, 0);
	ck_assert_int_eq(path_open_beneath(proc, "exe", O_RDONLY, 0), -1);
	ck_assert(errno == ELOOP || errno == EXDEV);
}
END_TEST

START_TEST(make_dirs_makes_what_is_missing)
{
	struct err e = ERR_INIT;
	struct stat st;

	umask(022);
	ck_assert_int_eq(path_make_dirs(scratch_file("sub/a/b//c/"), 0700, &e), 0);
	ck_assert_int_eq(stat(scratch_file("sub/a/b/c"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(stat(scratch_file("sub/a"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(path_make_dirs(scratch_file("sub/a/b/c"), 0755, &e), 0);
	ck_assert_int_eq(path_make_dirs(scratch_file("sub/dirlink/x"), 0755, &e), 0);
	ck_assert_int_eq(path_make_dirs("/", 0755, &e), 0);
	ck_assert_int_eq(chdir(scratch_path()), 0);
	ck_assert_int_eq(path_make_dirs("rel/./ative", 0755, &e), 0);
	ck_assert_int_eq(stat("rel/ative", &st), 0);
	ck_assert_no_err(&e);
}
END_TEST

static const struct {
	const char *path;
	int sys;
} no_dirs[] = {
	{"outside", ENOTDIR}, {"outside/x", ENOTDIR}, {"sub/leaves/x/y", ENOTDIR},
	{"sub/loop", ELOOP},  {"sub/loop/x", ELOOP},
};

START_TEST(make_dirs_refuses)
{
	struct err e = ERR_INIT;

	ck_assert_int_eq(path_make_dirs(scratch_file(no_dirs[_i].path), 0755, &e), -1);
	ck_assert_int_eq(e.sys, no_dirs[_i].sys);
	ck_assert_err(&e, ERR_SYS, "cannot create directory");
}
END_TEST

START_TEST(make_dirs_refuses_nothing)
{
	struct err e = ERR_INIT;

	ck_assert_int_eq(path_make_dirs("", 0755, &e), -1);
	ck_assert_int_eq(e.sys, ENOENT);
	ck_assert_err(&e, ERR_SYS, "''");
}
END_TEST

START_TEST(open_in_a_root_enters_no_other_mount)
{
	SCOPE_FD int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	SCOPE_FD int beneath = path_open_beneath(root, "proc/version", O_RDONLY, 0);

	ck_assert_int_ge(beneath, 0);
	ck_assert_int_eq(path_open_beneath(root, "/proc/version", O_RDONLY, PATH_IN_ROOT), -1);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("base/path");
	TCase *tc = tcase_create("clean");

	tcase_add_loop_test(tc, clean_as_the_table_says, 0, ARRAY_LEN(cleaned));
	tcase_add_test(tc, clean_without_memory);
	tcase_add_loop_test(tc, names_are_looked_at_by_their_start, 0, ARRAY_LEN(named));
	suite_add_tcase(suite, tc);
	tc = tcase_create("open beneath");
	tcase_add_checked_fixture(tc, make_tree, scratch_remove);
	tcase_add_loop_test(tc, open_stays_beneath, 0, ARRAY_LEN(opened));
	tcase_add_test(tc, open_of_a_fifo_does_not_hang);
	tcase_add_test(tc, open_knows_other_flags);
	tcase_add_test(tc, open_refuses_magic_links);
	tcase_add_test(tc, open_in_a_root_enters_no_other_mount);
	suite_add_tcase(suite, tc);
	tc = tcase_create("directories");
	tcase_add_checked_fixture(tc, make_tree, scratch_remove);
	tcase_add_test(tc, make_dirs_makes_what_is_missing);
	tcase_add_loop_test(tc, make_dirs_refuses, 0, ARRAY_LEN(no_dirs));
	tcase_add_test(tc, make_dirs_refuses_nothing);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
