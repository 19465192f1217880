/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/copy_in.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/io.h"
#include "main.h"
#include "tests/support/failalloc.h"
#include "tests/support/scratch.h"

enum { SPARSE_SIZE = 8 * 1024 * 1024, SPARSE_DATA = 4 * 1024 * 1024 };

static const struct copy_options plain = {.is_archive = false};
static const struct copy_options archive = {.is_archive = true};
static int root; /* of the image */

static void make_dir(const char *name)
{
	ck_assert_int_eq(mkdirat(scratch_fd(), name, 0755), 0);
}

static void make_link(const char *target, const char *name)
{
	ck_assert_int_eq(symlinkat(target, scratch_fd(), name), 0);
}

static void make_tree(void)
{
	const struct timespec times[2] = {{.tv_sec = 5}, {.tv_sec = 1234567890, .tv_nsec = 987}};

	make_dir("tree");
	make_dir("tree/sub");
	scratch_write("tree/file", "content");
	ck_assert_int_eq(fchmodat(scratch_fd(), "tree/file", 04751, 0), 0);
	ck_assert_int_eq(linkat(scratch_fd(), "tree/file", scratch_fd(), "tree/sub/same", 0), 0);
	ck_assert_int_eq(utimensat(scratch_fd(), "tree/file", times, 0), 0);
	make_link("/nowhere", "tree/link");
	make_link("tree", "to-tree");
	ck_assert_int_eq(mkfifoat(scratch_fd(), "tree/fifo", 0600), 0);
	ck_assert_int_eq(fchmodat(scratch_fd(), "tree/fifo", 0622, 0), 0);
	ck_assert_int_eq(fchmodat(scratch_fd(), "tree/sub", 0700, 0), 0);
	ck_assert_int_eq(utimensat(scratch_fd(), "tree/sub", times, 0), 0);
}

static void setup(void)
{
	scratch_make();
	make_tree();
	make_dir("root");
	make_dir("root/etc");
	scratch_write("root/etc/conf", "old");
	root = openat(scratch_fd(), "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(root, 0);
}

static void teardown(void)
{
	close(root);
	scratch_remove();
}

static int try(const char *source, const char *path, const struct copy_options *opt, struct err *e)
{
	return copy_in(scratch_file(source), root, path, opt, e);
}

static void copy(const char *source, const char *path, const struct copy_options *opt)
{
	struct err e = ERR_INIT;

	try(source, path, opt, &e);
	ck_assert_no_err(&e);
}

static bool is_there(const char *name)
{
	struct stat st;

	return fstatat(scratch_fd(), name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static struct stat look(const char *name)
{
	struct stat st;

	ck_assert_msg(fstatat(scratch_fd(), name, &st, AT_SYMLINK_NOFOLLOW) == 0, "no %s", name);
	return st;
}

static void check_text(const char *name, const char *want)
{
	char buf[256] = "";
	SCOPE_FD int fd = openat(scratch_fd(), name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	ck_assert_msg(fd >= 0, "no %s", name);
	ck_assert_int_ge(io_read_full(fd, buf, sizeof(buf) - 1), 0);
	ck_assert_str_eq(buf, want);
}

START_TEST(a_file_gets_a_place_as_docker_gives_it)
{
	copy("tree/file", "/etc", &plain);
	check_text("root/etc/file", "content");
	copy("tree/file", "/etc/", &plain);
	copy("tree/file", "/new", &plain);
	check_text("root/new", "content");
	ck_assert_int_eq(linkat(root, "etc/conf", root, "keep", 0), 0);
	copy("tree/file", "/etc/conf", &plain);
	check_text("root/etc/conf", "content");
	/* Replaced, not written through. */
	check_text("root/keep", "old");
}
END_TEST

START_TEST(a_directory_gets_a_place_as_docker_gives_it)
{
	copy("tree", "/etc", &plain);
	check_text("root/etc/tree/sub/same", "content");
	copy("tree", "/new/", &plain);
	check_text("root/new/file", "content");
	copy("tree/.", "/etc", &plain);
	check_text("root/etc/file", "content");
	copy("tree/./", "/made", &plain);
	check_text("root/made/file", "content");
	ck_assert(!is_there("root/made/tree"));
	copy("tree/sub/..", "/made", &plain);
	check_text("root/made/tree/file", "content");
	/* What was there is still there. */
	check_text("root/etc/conf", "old");
}
END_TEST

START_TEST(a_link_is_a_link_unless_its_path_says_more)
{
	copy("to-tree", "/etc", &plain);
	ck_assert_uint_eq(look("root/etc/to-tree").st_mode & S_IFMT, S_IFLNK);
	copy("to-tree/", "/", &plain);
	check_text("root/to-tree/file", "content");
	ck_assert_uint_eq(look("root/to-tree").st_mode & S_IFMT, S_IFDIR);
}
END_TEST

START_TEST(a_plain_copy_belongs_to_root)
{
	if (geteuid() != 0)
		SKIP_TEST("needs root");
	ck_assert_int_eq(fchownat(scratch_fd(), "tree/file", 12, 34, 0), 0);
	/* Whose group new files would get. */
	ck_assert_int_eq(fchownat(root, "etc", 0, 56, 0), 0);
	ck_assert_int_eq(fchmodat(root, "etc", 02755, 0), 0);
	copy("tree", "/etc", &plain);
	const struct stat st = look("root/etc/tree/file");
	ck_assert_uint_eq(st.st_uid, 0);
	ck_assert_uint_eq(st.st_gid, 0);
	ck_assert_uint_eq(st.st_mode, S_IFREG | 0751);
	ck_assert_uint_eq(st.st_nlink, 1);
	ck_assert_int_eq(st.st_mtim.tv_sec, 1234567890);
	ck_assert_int_eq(st.st_mtim.tv_nsec, 987);
	const struct stat sub = look("root/etc/tree/sub");
	ck_assert_uint_eq(sub.st_gid, 0);
	ck_assert_uint_eq(sub.st_mode, S_IFDIR | 0700);
	ck_assert_int_eq(sub.st_mtim.tv_sec, 1234567890);
	ck_assert(!is_there("root/etc/tree/fifo"));
	/* A directory of the image stays what it is. */
	ck_assert_uint_eq(look("root/etc").st_gid, 56);
}
END_TEST

START_TEST(an_archive_is_the_tree)
{
	char value[16] = "";

	if (geteuid() != 0)
		SKIP_TEST("needs root");
	const bool has_xattrs = setxattr(scratch_file("tree/sub"), "user.x", "value", 5, 0) == 0;
	ck_assert_int_eq(fchownat(scratch_fd(), "tree/link", 12, 34, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert_int_eq(fchownat(scratch_fd(), "tree/sub", 56, 78, 0), 0);
	copy("tree", "/etc", &archive);
	const struct stat st = look("root/etc/tree/file");
	ck_assert_uint_eq(st.st_mode, S_IFREG | 04751);
	ck_assert_uint_eq(st.st_nlink, 2);
	ck_assert_uint_eq(look("root/etc/tree/sub/same").st_ino, st.st_ino);
	ck_assert_uint_eq(look("root/etc/tree/link").st_uid, 12);
	ck_assert_uint_eq(look("root/etc/tree/sub").st_gid, 78);
	ck_assert_uint_eq(look("root/etc/tree/fifo").st_mode, S_IFIFO | 0622);
	if (has_xattrs) {
		ck_assert_int_eq(getxattr(scratch_file("root/etc/tree/sub"), "user.x", value, 15),
				 5);
		ck_assert_str_eq(value, "value");
	}
}
END_TEST

START_TEST(sockets_are_left_out)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	SCOPE_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", scratch_file("tree/a-socket"));
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	copy("tree", "/etc", geteuid() == 0 ? &archive : &plain);
	ck_assert(!is_there("root/etc/tree/a-socket"));
	check_text("root/etc/tree/file", "content");
}
END_TEST

START_TEST(holes_stay_holes)
{
	char buf[8] = "";
	SCOPE_FD int fd = openat(scratch_fd(), "sparse", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_eq(pwrite(fd, "start", 5, 0), 5);
	ck_assert_int_eq(pwrite(fd, "middle", 6, SPARSE_DATA), 6);
	ck_assert_int_eq(ftruncate(fd, SPARSE_SIZE), 0);
	copy("sparse", "/", &plain);
	const struct stat st = look("root/sparse");
	ck_assert_int_eq(st.st_size, SPARSE_SIZE);
	ck_assert_int_le(st.st_blocks * 512, SPARSE_SIZE / 4);
	SCOPE_FD int copied = openat(root, "sparse", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(pread(copied, buf, 6, SPARSE_DATA), 6);
	ck_assert_str_eq(buf, "middle");
	ck_assert_int_eq(pread(copied, buf, 6, 0), 6);
	ck_assert_str_eq(buf, "start");
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert_int_eq(ftruncate(fd, SPARSE_SIZE), 0);
	copy("sparse", "/hole", &plain);
	ck_assert_int_eq(look("root/hole").st_size, SPARSE_SIZE);
	ck_assert_int_eq(look("root/hole").st_blocks, 0);
}
END_TEST

START_TEST(a_file_that_does_not_say_its_size_is_read_to_its_end)
{
	struct err e = ERR_INIT;

	copy_in("/proc/self/status", root, "/", &plain, &e);
	ck_assert_no_err(&e);
	ck_assert_int_gt(look("root/status").st_size, 100);
}
END_TEST

START_TEST(links_of_the_image_lead_where_they_lead_in_it)
{
	make_dir("outside");
	make_link("/etc", "root/absolute");
	make_link("../../../../../etc", "root/climbs");
	make_link("/etc/conf", "root/etc/to-conf");
	make_link("../climbs/conf", "root/etc/to-conf-2");
	make_link(scratch_file("outside"), "root/out");
	copy("tree/file", "/absolute/1", &plain);
	copy("tree/file", "/climbs/2", &plain);
	copy("tree/file", "/../../climbs/../etc/3", &plain);
	check_text("root/etc/1", "content");
	check_text("root/etc/2", "content");
	check_text("root/etc/3", "content");
	copy("tree/file", "/etc/to-conf", &plain);
	ck_assert_uint_eq(look("root/etc/to-conf").st_mode & S_IFMT, S_IFLNK);
	check_text("root/etc/conf", "content");
	scratch_write("root/etc/conf", "old");
	copy("tree/file", "/etc/to-conf-2", &plain);
	check_text("root/etc/conf", "content");
	/* A link takes the place of a link. */
	copy("tree/link", "/etc/to-conf", &plain);
	char target[32] = "";
	ck_assert_int_eq(readlinkat(root, "etc/to-conf", target, sizeof(target) - 1), 8);
	ck_assert_str_eq(target, "/nowhere");
	ck_assert(!is_there("outside/file"));
}
END_TEST

START_TEST(links_below_the_destination_are_not_followed)
{
	struct err e = ERR_INIT;

	make_dir("root/other");
	make_dir("root/etc/tree");
	make_link("../../other", "root/etc/tree/sub");
	ck_assert_int_eq(try("tree", "/etc", &plain, &e), -1);
	ck_assert_err(&e, ERR_EXISTS, "'tree/sub'");
	ck_assert(!is_there("root/other/same"));
	/* A link to a file is replaced. */
	scratch_write("root/victim", "victim");
	make_link("../victim", "root/other/file");
	copy("tree/file", "/other", &plain);
	check_text("root/victim", "victim");
	check_text("root/other/file", "content");
}
END_TEST

static const struct {
	const char *source, *path;
	enum err_code code;
	const char *text;
} refused[] = {
	{"none", "/x", ERR_NOT_FOUND, "there is no"},
	{"none/none", "/x", ERR_NOT_FOUND, "none/none'"},
	{"none/", "/x", ERR_NOT_FOUND, "there is no"},
	{"tree/file/.", "/x", ERR_SYS, "Not a directory"},
	{"tree/file", "/none/x", ERR_NOT_FOUND, "no directory '/none' in the image"},
	{"tree/file", "/none/", ERR_NOT_FOUND, "'/none/' is no directory"},
	{"tree/file", "/etc/conf/x", ERR_SYS, "'/etc/conf' in the image: Not a directory"},
	{"tree", "/none/x", ERR_NOT_FOUND, "'/none'"},
	{"tree", "/etc/conf", ERR_EXISTS, "'/etc/conf' is a file"},
	{"tree/file", "/full", ERR_EXISTS, "'file': a directory is in the way"},
	{"tree/file", "/dangling", ERR_EXISTS, "leads to '/none'"},
	{"tree", "/dangling", ERR_EXISTS, "leads to '/none'"},
	{"tree/file", "/loop", ERR_SYS, "'/loop'"},
	{"tree/file", "/pipe", ERR_EXISTS, "FIFO"},
	{"tree/file", "/.wh.x", ERR_FORMAT, "'.wh.x': no image can hold a name"},
	{".wh.y", "/", ERR_FORMAT, "'.wh.y': no image can hold a name"},
	{"bad/.", "/", ERR_FORMAT, "'.wh.z': no image can hold a name"},
};

START_TEST(refuses)
{
	struct err e = ERR_INIT;

	make_dir("root/full");
	make_dir("root/full/file");
	make_link("/none", "root/dangling");
	make_link("loop", "root/loop");
	ck_assert_int_eq(mkfifoat(root, "pipe", 0600), 0);
	scratch_write(".wh.y", "");
	make_dir("bad");
	scratch_write("bad/.wh.z", "");
	ck_assert_int_eq(try(refused[_i].source, refused[_i].path, &plain, &e), -1);
	ck_assert_err(&e, refused[_i].code, refused[_i].text);
	check_text("root/etc/conf", "old");
	ck_assert(!is_there("root/none"));
	ck_assert(!is_there("root/x"));
	ck_assert_uint_eq(look("root/pipe").st_mode & S_IFMT, S_IFIFO);
	ck_assert_uint_eq(look("root").st_nlink, 4);
}
END_TEST

static int copy_without_memory(void *ctx, struct err *e)
{
	(void)ctx;
	return try("tree", "/etc", geteuid() == 0 ? &archive : &plain, e);
}

START_TEST(runs_out_of_memory_cleanly)
{
	failalloc_each(copy_without_memory, NULL);
	check_text("root/etc/tree/sub/same", "content");
	ck_assert_int_eq(fchdir(root), 0);
	FILE *left = popen("find . -name '.shale-*'", "re");
	ck_assert_ptr_nonnull(left);
	ck_assert_int_eq(fgetc(left), EOF);
	ck_assert_int_eq(pclose(left), 0);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("fs/copy_in");
	TCase *tc = tcase_create("copies");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_file_gets_a_place_as_docker_gives_it);
	tcase_add_test(tc, a_directory_gets_a_place_as_docker_gives_it);
	tcase_add_test(tc, a_link_is_a_link_unless_its_path_says_more);
	tcase_add_test(tc, a_plain_copy_belongs_to_root);
	tcase_add_test(tc, an_archive_is_the_tree);
	tcase_add_test(tc, sockets_are_left_out);
	tcase_add_test(tc, holes_stay_holes);
	tcase_add_test(tc, a_file_that_does_not_say_its_size_is_read_to_its_end);
	tcase_add_test(tc, links_of_the_image_lead_where_they_lead_in_it);
	tcase_add_test(tc, links_below_the_destination_are_not_followed);
	tcase_add_test(tc, runs_out_of_memory_cleanly);
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(refused));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
