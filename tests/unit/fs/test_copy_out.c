/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/copy_out.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/io.h"
#include "fs/sample_image.h"
#include "main.h"
#include "tests/support/scratch.h"

enum { SPARSE_SIZE = 8 * 1024 * 1024, HOLE_START = 64 * 1024, HOLE_END = 8 * 1024 * 1024 - 100 };

static const struct sample_file files[] = {
	{.path = "", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "a", .kind = ENTRY_DIR, .mode = 0550, .uid = 7, .gid = 8, .mtime = 1000000000},
	{.path = "a/dev", .kind = ENTRY_CHAR, .mode = 0640, .rdev_minor = 3, .uid = 5},
	{.path = "a/fifo", .kind = ENTRY_FIFO, .mode = 0622},
	{.path = "a/file",
	 .kind = ENTRY_REG,
	 .mode = 04755,
	 .uid = 1234,
	 .gid = 4321,
	 .mtime = 1234567890,
	 .mtime_nsec = 987654321,
	 .text = "content of a/file",
	 .xattr = "value"},
	{.path = "a/link",
	 .kind = ENTRY_SYMLINK,
	 .mode = 0777,
	 .link = "/etc/passwd",
	 .uid = 9,
	 .mtime = 1111111111},
	{.path = "a/same", .kind = ENTRY_HARDLINK, .link = "a/file"},
	{.path = "a/sub", .kind = ENTRY_DIR, .mode = 0700, .mtime = -5},
	{.path = "a/sub/same", .kind = ENTRY_HARDLINK, .link = "a/file"},
	{.path = "ro", .kind = ENTRY_DIR, .mode = 0000},
	{.path = "ro/x", .kind = ENTRY_REG, .mode = 0400, .text = "x"},
	{.path = "sparse",
	 .kind = ENTRY_REG,
	 .mode = 0600,
	 .size = SPARSE_SIZE,
	 .zeros = HOLE_START,
	 .zeros_end = HOLE_END},
	{.path = "to-a", .kind = ENTRY_SYMLINK, .mode = 0777, .link = "a"},
	{.path = "zeros", .kind = ENTRY_REG, .mode = 0600, .size = 1 << 20, .zeros_end = 1 << 20},
};

enum { FILE_SPARSE = 11 };

static struct view *v;
static const struct copy_options plain = {.is_archive = false};
static const struct copy_options archive = {.is_archive = true};

static void setup(void)
{
	sample_image_make(files, ARRAY_LEN(files));
	v = sample_view(VIEW_CACHE_MIN);
	ck_assert_int_eq(mkdirat(scratch_fd(), "out", 0755), 0);
}

static void teardown(void)
{
	view_close(v);
	sample_image_remove();
}

static void copy(const char *path, const char *dest, const struct copy_options *opt)
{
	struct err e = ERR_INIT;

	copy_out(v, path, scratch_file(dest), opt, &e);
	ck_assert_no_err(&e);
}

static struct stat look(const char *name)
{
	struct stat st;

	ck_assert_msg(fstatat(scratch_fd(), name, &st, AT_SYMLINK_NOFOLLOW) == 0, "no %s", name);
	return st;
}

static bool is_there(const char *name)
{
	struct stat st;

	return fstatat(scratch_fd(), name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void check_text(const char *name, const char *want)
{
	char buf[256] = "";
	SCOPE_FD int fd = openat(scratch_fd(), name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_ge(io_read_full(fd, buf, sizeof(buf) - 1), 0);
	ck_assert_str_eq(buf, want);
}

/* How many names there are that a copy may have left half done. */
static int count_temporaries(const char *dir)
{
	char path[256];
	int count = 0;

	snprintf(path, sizeof(path), "ls -A '%s' | grep -c '^.shale-'", scratch_file(dir));
	FILE *p = popen(path, "re");
	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(fscanf(p, "%d", &count), 1);
	pclose(p);
	return count;
}

START_TEST(a_file_goes_into_a_directory_by_its_name)
{
	copy("/a/file", "out", &plain);
	check_text("out/file", "content of a/file");
	const struct stat st = look("out/file");
	/* No setuid bit, and no owner, but those that who copies has anyway. */
	ck_assert_uint_eq(st.st_mode, S_IFREG | 0755);
	ck_assert_uint_eq(st.st_uid, geteuid());
	ck_assert_uint_eq(st.st_nlink, 1);
	ck_assert_int_eq(st.st_mtim.tv_sec, 1234567890);
	ck_assert_int_eq(st.st_mtim.tv_nsec, 987654321);
}
END_TEST

START_TEST(a_file_takes_a_name_or_the_place_of_a_file)
{
	copy("/a/file", "new", &plain);
	check_text("new", "content of a/file");
	scratch_write("old", "old");
	ck_assert_int_eq(linkat(scratch_fd(), "old", scratch_fd(), "keep", 0), 0);
	copy("/a/file", "old", &plain);
	check_text("old", "content of a/file");
	/* Replaced, not written through. */
	check_text("keep", "old");
	ck_assert_int_eq(count_temporaries("."), 0);
}
END_TEST

START_TEST(a_link_that_is_the_destination_is_followed)
{
	struct err e = ERR_INIT;

	scratch_write("old", "old");
	ck_assert_int_eq(linkat(scratch_fd(), "old", scratch_fd(), "keep", 0), 0);
	ck_assert_int_eq(symlinkat("old", scratch_fd(), "there"), 0);
	copy("/a/file", "there", &plain);
	ck_assert_uint_eq(look("there").st_mode & S_IFMT, S_IFLNK);
	check_text("old", "content of a/file");
	check_text("keep", "old");
	ck_assert_int_eq(symlinkat("none", scratch_fd(), "dangling"), 0);
	ck_assert_int_eq(copy_out(v, "/a/file", scratch_file("dangling"), &plain, &e), -1);
	ck_assert_err(&e, ERR_EXISTS, "leads to nothing");
	ck_assert(!is_there("none"));
}
END_TEST

START_TEST(a_device_is_written_into)
{
	if (geteuid() != 0 || mknodat(scratch_fd(), "null", S_IFCHR | 0600, makedev(1, 3)) < 0)
		return;
	copy("/a/file", "null", &plain);
	copy("/a/file", "null", &archive);
	ck_assert_uint_eq(look("null").st_mode, S_IFCHR | 0600);
}
END_TEST

START_TEST(links_below_the_destination_are_not_followed)
{
	scratch_write("victim", "victim");
	ck_assert_int_eq(symlinkat("../victim", scratch_fd(), "out/file"), 0);
	copy("/a/file", "out", &plain);
	check_text("victim", "victim");
	check_text("out/file", "content of a/file");

	ck_assert_int_eq(mkdirat(scratch_fd(), "elsewhere", 0755), 0);
	ck_assert_int_eq(symlinkat("../elsewhere", scratch_fd(), "out/a"), 0);
	struct err e = ERR_INIT;
	ck_assert_int_eq(copy_out(v, "/a", scratch_file("out"), &plain, &e), -1);
	ck_assert_err(&e, ERR_EXISTS, "'a'");
	ck_assert(!is_there("elsewhere/file"));
}
END_TEST

START_TEST(a_directory_becomes_or_goes_into_one)
{
	copy("/a", "new", &plain);
	check_text("new/file", "content of a/file");
	check_text("new/sub/same", "content of a/file");
	ck_assert_uint_eq(look("new").st_mode, S_IFDIR | 0550);
	ck_assert_int_eq(look("new").st_mtim.tv_sec, 1000000000);
	ck_assert_int_eq(look("new/sub").st_mtim.tv_sec, -5);
	ck_assert_uint_eq(look("new/sub").st_mode, S_IFDIR | 0700);
	copy("/a/", "out", &plain);
	check_text("out/a/file", "content of a/file");
	copy("/a/sub/..", "out/a/sub", &plain);
	check_text("out/a/sub/a/file", "content of a/file");
}
END_TEST

START_TEST(the_content_goes_into_a_directory_that_keeps_its_mode)
{
	copy("/a/.", "out", &plain);
	check_text("out/file", "content of a/file");
	ck_assert_uint_eq(look("out").st_mode, S_IFDIR | 0755);
	copy("/a/.", "new/", &plain);
	ck_assert_uint_eq(look("new").st_mode, S_IFDIR | 0550);
	if (geteuid() != 0)
		SKIP_TEST("a device needs root");
	copy("/", "out", &archive);
	check_text("out/a/file", "content of a/file");
}
END_TEST

START_TEST(a_second_copy_merges_into_the_first)
{
	if (geteuid() != 0)
		SKIP_TEST("a device needs root");
	copy("/a", "out", &archive);
	scratch_write("out/a/mine", "mine");
	copy("/a", "out", &archive);
	check_text("out/a/mine", "mine");
	check_text("out/a/sub/same", "content of a/file");
	ck_assert_uint_eq(look("out/a/file").st_nlink, 3);
	ck_assert_int_eq(count_temporaries("out/a"), 0);
}
END_TEST

START_TEST(links_are_copied_as_links)
{
	char target[64] = "";

	copy("/a/link", "out", &plain);
	ck_assert_int_eq(readlinkat(scratch_fd(), "out/link", target, sizeof(target) - 1), 11);
	ck_assert_str_eq(target, "/etc/passwd");
	ck_assert_int_eq(look("out/link").st_mtim.tv_sec, 1111111111);
	copy("/to-a", "out", &plain);
	ck_assert_uint_eq(look("out/to-a").st_mode & S_IFMT, S_IFLNK);
	/* Unless their path says that it means what they lead to. */
	copy("/to-a/", "dir", &plain);
	check_text("dir/file", "content of a/file");
	copy("/to-a/.", "out", &plain);
	check_text("out/file", "content of a/file");
	/* A link takes the place of a link. */
	copy("/a/link", "out/to-a", &plain);
	ck_assert_int_eq(readlinkat(scratch_fd(), "out/to-a", target, sizeof(target) - 1), 11);
}
END_TEST

START_TEST(devices_are_left_out)
{
	copy("/a", "out", &plain);
	ck_assert(!is_there("out/a/dev"));
	ck_assert(!is_there("out/a/fifo"));
	ck_assert(is_there("out/a/link"));
}
END_TEST

START_TEST(a_directory_that_nobody_may_enter_gets_its_content)
{
	copy("/ro", "out", &plain);
	ck_assert_uint_eq(look("out/ro").st_mode, S_IFDIR);
	ck_assert_int_eq(fchmodat(scratch_fd(), "out/ro", 0700, 0), 0);
	check_text("out/ro/x", "x");
}
END_TEST

START_TEST(holes_stay_holes)
{
	static uint8_t buf[SPARSE_SIZE];

	copy("/sparse", "out", &plain);
	const struct stat st = look("out/sparse");
	ck_assert_int_eq(st.st_size, SPARSE_SIZE);
	ck_assert_int_le(st.st_blocks * 512, SPARSE_SIZE / 4);
	SCOPE_FD int fd = openat(scratch_fd(), "out/sparse", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(io_read_full(fd, buf, sizeof(buf)), SPARSE_SIZE);
	uint64_t same = 0;
	while (same < SPARSE_SIZE && buf[same] == sample_byte(&files[FILE_SPARSE], same))
		same++;
	ck_assert_uint_eq(same, SPARSE_SIZE);
	copy("/zeros", "out", &plain);
	ck_assert_int_eq(look("out/zeros").st_size, 1 << 20);
	ck_assert_int_eq(look("out/zeros").st_blocks, 0);
}
END_TEST

START_TEST(an_archive_is_the_image)
{
	char value[16] = "";

	if (geteuid() != 0)
		SKIP_TEST("needs root");
	copy("/a", "out", &archive);
	struct stat st = look("out/a/file");
	ck_assert_uint_eq(st.st_mode, S_IFREG | 04755);
	ck_assert_uint_eq(st.st_uid, 1234);
	ck_assert_uint_eq(st.st_gid, 4321);
	ck_assert_uint_eq(st.st_nlink, 3);
	ck_assert_uint_eq(look("out/a/sub/same").st_ino, st.st_ino);
	ck_assert_int_eq(st.st_mtim.tv_nsec, 987654321);
	const ssize_t n =
		getxattr(scratch_file("out/a/file"), "user.sample", value, sizeof(value) - 1);
	ck_assert(n == 5 || (n < 0 && errno == ENOTSUP));
	st = look("out/a");
	ck_assert_uint_eq(st.st_mode, S_IFDIR | 0550);
	ck_assert_uint_eq(st.st_uid, 7);
	ck_assert_int_eq(st.st_mtim.tv_sec, 1000000000);
	st = look("out/a/dev");
	ck_assert_uint_eq(st.st_mode, S_IFCHR | 0640);
	ck_assert_uint_eq(st.st_rdev, makedev(1, 3));
	ck_assert_uint_eq(st.st_uid, 5);
	ck_assert_uint_eq(look("out/a/fifo").st_mode, S_IFIFO | 0622);
	ck_assert_uint_eq(look("out/a/link").st_uid, 9);
	ck_assert_int_eq(look("out/a/link").st_mtim.tv_sec, 1111111111);
}
END_TEST

static const struct {
	const char *path, *dest;
	enum err_code code;
	const char *text;
} refused[] = {
	{"/none", "out", ERR_NOT_FOUND, "'/none'"},
	{"/a/file/.", "out", ERR_NOT_FOUND, "'/a/file/.'"},
	{"/a/file", "none/x", ERR_NOT_FOUND, "directory"},
	{"/a/file", "none/", ERR_NOT_FOUND, "directory"},
	{"/a", "none/x", ERR_NOT_FOUND, "directory"},
	{"/a/file", "none/..", ERR_NOT_FOUND, "directory"},
	{"/a", "plain", ERR_EXISTS, "plain"},
	{"/a/file", "plain/x", ERR_SYS, "plain"},
	{"/a/file", "full", ERR_EXISTS, "directory"},
	{"/a", "full2", ERR_EXISTS, "directory"},
};

START_TEST(refuses)
{
	struct err e = ERR_INIT;

	scratch_write("plain", "plain");
	ck_assert_int_eq(mkdirat(scratch_fd(), "full", 0755), 0);
	ck_assert_int_eq(mkdirat(scratch_fd(), "full/file", 0755), 0);
	ck_assert_int_eq(mkdirat(scratch_fd(), "full2", 0755), 0);
	scratch_write("full2/a", "a file");
	ck_assert_int_eq(copy_out(v, refused[_i].path, scratch_file(refused[_i].dest), &plain, &e),
			 -1);
	ck_assert_err(&e, refused[_i].code, refused[_i].text);
	check_text("plain", "plain");
	check_text("full2/a", "a file");
	ck_assert_int_eq(count_temporaries("full"), 0);
	ck_assert(!is_there("none"));
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("fs/copy_out");
	TCase *tc = tcase_create("copies");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_file_goes_into_a_directory_by_its_name);
	tcase_add_test(tc, a_file_takes_a_name_or_the_place_of_a_file);
	tcase_add_test(tc, a_link_that_is_the_destination_is_followed);
	tcase_add_test(tc, a_device_is_written_into);
	tcase_add_test(tc, links_below_the_destination_are_not_followed);
	tcase_add_test(tc, a_directory_becomes_or_goes_into_one);
	tcase_add_test(tc, the_content_goes_into_a_directory_that_keeps_its_mode);
	tcase_add_test(tc, a_second_copy_merges_into_the_first);
	tcase_add_test(tc, links_are_copied_as_links);
	tcase_add_test(tc, devices_are_left_out);
	tcase_add_test(tc, a_directory_that_nobody_may_enter_gets_its_content);
	tcase_add_test(tc, holes_stay_holes);
	tcase_add_test(tc, an_archive_is_the_image);
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(refused));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
