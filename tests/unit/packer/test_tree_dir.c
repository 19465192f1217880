/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "base/limits.h"
#include "main.h"
#include "packer/layer_text.h"
#include "packer/tree_layer.h"
#include "tests/support/scratch.h"

/* The tree below the scratch folder's "root" as a layer in `fd`: 0 or -1. */
static int pack(int fd, struct layer_result *out, struct err *e)
{
	const struct layer_options opt = {COMPRESSION_DEFAULT, 0};
	SCOPE(layer_writer) struct layer_writer *w = layer_writer_new(fd, &opt, e);
	SCOPE_FD int root = openat(scratch_fd(), "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_ge(root, 0);
	if (tree_layer_from_dir(w, root, "tree", NULL, e) < 0)
		return -1;
	return layer_writer_finish(w, out, e);
}

static void setup(void)
{
	scratch_make();
	ck_assert_int_eq(mkdirat(scratch_fd(), "root", 0755), 0);
}

static void dir(const char *name)
{
	ck_assert_int_eq(mkdirat(scratch_fd(), name, 0755), 0);
}

static void check_tree(const char *want)
{
	struct layer_result r;
	struct err e = ERR_INIT;
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(str) struct str expected = STR_INIT;
	SCOPE_FD int fd = layer_file();

	pack(fd, &r, &e);
	ck_assert_no_err(&e);
	SCOPE(layer_index) struct layer_index *ix = layer_file_index(fd, &r);
	layer_text(ix, &text);
	/* "U" stands for who runs the test. */
	for (const char *p = want; *p; p++) {
		if (*p == 'U')
			str_appendf(&expected, &e, "%u:%u", geteuid(), getegid());
		else
			str_append_c(&expected, *p, &e);
	}
	ck_assert_str_eq(str_text(&text), str_text(&expected));
}

START_TEST(an_empty_directory_is_its_root)
{
	check_tree("d / 755 U 0\n");
}
END_TEST

START_TEST(names_are_in_the_order_of_a_layer)
{
	dir("root/a");
	scratch_write("root/a-b", "1");
	scratch_write("root/a.b", "22");
	scratch_write("root/a/z", "333");
	dir("root/a/b");
	scratch_write("root/a/b/c", "");
	scratch_write("root/Z", "");
	scratch_write("root/\xff", "");
	check_tree("d / 755 U 0\n"
		   "f /Z 644 U 0\n"
		   "d /a 755 U 0\n"
		   "d /a/b 755 U 0\n"
		   "f /a/b/c 644 U 0\n"
		   "f /a/z 644 U 3\n"
		   "f /a-b 644 U 1\n"
		   "f /a.b 644 U 2\n"
		   "f /\xff 644 U 0\n");
}
END_TEST

START_TEST(hardlinks_lead_to_the_first_name)
{
	scratch_write("root/z", "text");
	dir("root/b");
	ck_assert_int_eq(linkat(scratch_fd(), "root/z", scratch_fd(), "root/b/y", 0), 0);
	ck_assert_int_eq(linkat(scratch_fd(), "root/z", scratch_fd(), "root/c", 0), 0);
	ck_assert_int_eq(symlinkat("z", scratch_fd(), "root/l"), 0);
	ck_assert_int_eq(linkat(scratch_fd(), "root/l", scratch_fd(), "root/m", 0), 0);
	/* One of its names lies outside of the tree. */
	scratch_write("outside", "o");
	ck_assert_int_eq(linkat(scratch_fd(), "outside", scratch_fd(), "root/o", 0), 0);
	check_tree("d / 755 U 0\n"
		   "d /b 755 U 0\n"
		   "f /b/y 644 U 4\n"
		   "h /c 644 U 0 -> b/y\n"
		   "l /l 777 U 0 -> z\n"
		   "h /m 777 U 0 -> l\n"
		   "f /o 644 U 1\n"
		   "h /z 644 U 0 -> b/y\n");
}
END_TEST

START_TEST(modes_and_kinds_are_kept)
{
	scratch_write("root/suid", "");
	ck_assert_int_eq(fchmodat(scratch_fd(), "root/suid", 04711, 0), 0);
	ck_assert_int_eq(mkfifoat(scratch_fd(), "root/fifo", 0600), 0);
	dir("root/tmp");
	ck_assert_int_eq(fchmodat(scratch_fd(), "root/tmp", 01777, 0), 0);
	check_tree("d / 755 U 0\n"
		   "p /fifo 600 U 0\n"
		   "f /suid 4711 U 0\n"
		   "d /tmp 1777 U 0\n");
}
END_TEST

START_TEST(xattrs_are_kept)
{
	scratch_write("root/f", "");
	if (setxattr(scratch_file("root/f"), "user.b", "2", 1, 0) < 0 ||
	    setxattr(scratch_file("root/f"), "user.a", "1", 1, 0) < 0)
		SKIP_TEST("no extended attributes here");
	check_tree("d / 755 U 0\n"
		   "f /f 644 U 0 user.a=1 user.b=2\n");
}
END_TEST

START_TEST(sockets_are_left_out)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	SCOPE_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", scratch_file("root/s"));
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	scratch_write("root/t", "");
	check_tree("d / 755 U 0\n"
		   "f /t 644 U 0\n");
}
END_TEST

START_TEST(content_is_kept_and_holes_are_found)
{
	enum { SIZE = 2 * 1024 * 1024 };
	struct layer_result r;
	struct err e = ERR_INIT;
	SCOPE(str) struct str content = STR_INIT;
	SCOPE_FD int file = openat(scratch_fd(), "root/f", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	SCOPE_FD int fd = layer_file();

	ck_assert_int_eq(pwrite(file, "start", 5, 0), 5);
	ck_assert_int_eq(pwrite(file, "end", 3, SIZE - 3), 3);
	pack(fd, &r, &e);
	ck_assert_no_err(&e);
	SCOPE(layer_index) struct layer_index *ix = layer_file_index(fd, &r);
	layer_content(fd, ix, "f", &content);
	ck_assert_uint_eq(content.len, SIZE);
	ck_assert_mem_eq(content.data, "start\0", 6);
	ck_assert_mem_eq(content.data + SIZE - 4, "\0end", 4);
	ck_assert_uint_lt(r.blob_size, 4096);
}
END_TEST

/* Makes `depth` directories of this name in one another below root. */
static void dig(const char *name, int depth)
{
	int fd = openat(scratch_fd(), "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; i < depth; i++) {
		ck_assert_int_eq(mkdirat(fd, name, 0755), 0);
		const int next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ck_assert_int_ge(next, 0);
		close(fd);
		fd = next;
	}
	close(fd);
}

/* nftw(3) cannot remove what is deeper than PATH_MAX. */
static void fill_in(const char *name, int depth)
{
	int fd = openat(scratch_fd(), "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; i + 1 < depth; i++) {
		const int next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = next;
	}
	for (int i = 0; i < depth; i++) {
		const int up = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ck_assert_int_eq(unlinkat(fd, name, AT_REMOVEDIR), 0);
		close(fd);
		fd = up;
	}
	close(fd);
}

START_TEST(depth_costs_no_descriptors)
{
	struct layer_result r;
	struct err e = ERR_INIT;
	SCOPE_FD int fd = layer_file();

	dig("d", 1200);
	pack(fd, &r, &e);
	ck_assert_no_err(&e);
	ck_assert_uint_eq(r.entry_count, 1201);
	fill_in("d", 1200);
}
END_TEST

START_TEST(a_path_has_a_limit)
{
	char name[NAME_MAX + 1] = "";
	const int depth = _i ? LIMIT_PATH / NAME_MAX + 1 : LIMIT_DEPTH + 50;
	struct layer_result r;
	struct err e = ERR_INIT;
	SCOPE_FD int fd = layer_file();

	memset(name, 'n', NAME_MAX);
	dig(_i ? name : "d", depth);
	ck_assert_int_eq(pack(fd, &r, &e), -1);
	ck_assert_int_eq(strncmp(e.msg, "tree: ", strlen("tree: ")), 0);
	ck_assert_err(&e, ERR_LIMIT,
		      _i ? "path is longer than 4095 bytes" : "directories nest deeper than 2048");
	fill_in(_i ? name : "d", depth);
}
END_TEST

START_TEST(the_order_of_creation_does_not_matter)
{
	struct layer_result a, b;
	struct err e = ERR_INIT;
	const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
	SCOPE_FD int first = layer_file();
	SCOPE_FD int second = layer_file();
	char name[32];

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "root/%d", i);
		scratch_write(name, name);
		utimensat(scratch_fd(), name, times, 0);
	}
	utimensat(scratch_fd(), "root", times, 0);
	pack(first, &a, &e);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "root/%d", i);
		unlinkat(scratch_fd(), name, 0);
	}
	for (int i = 299; i >= 0; i--) {
		snprintf(name, sizeof(name), "root/%d", i);
		scratch_write(name, name);
		utimensat(scratch_fd(), name, times, 0);
	}
	utimensat(scratch_fd(), "root", times, 0);
	pack(second, &b, &e);
	ck_assert_no_err(&e);
	ck_assert(digest_equal(&a.blob, &b.blob));
}
END_TEST

START_TEST(names_of_whiteouts_are_refused)
{
	static const char *const names[] = {"root/.wh.x", "root/.wh..wh..opq", "root/.wh."};
	struct layer_result r;
	struct err e = ERR_INIT;
	SCOPE_FD int fd = layer_file();

	if (_i == 0)
		dir(names[_i]);
	else
		scratch_write(names[_i], "");
	ck_assert_int_eq(pack(fd, &r, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, names[_i] + strlen("root/"));
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/tree_dir");
	TCase *tc = tcase_create("trees");

	tcase_add_checked_fixture(tc, setup, scratch_remove);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, an_empty_directory_is_its_root);
	tcase_add_test(tc, names_are_in_the_order_of_a_layer);
	tcase_add_test(tc, hardlinks_lead_to_the_first_name);
	tcase_add_test(tc, modes_and_kinds_are_kept);
	tcase_add_test(tc, xattrs_are_kept);
	tcase_add_test(tc, sockets_are_left_out);
	tcase_add_test(tc, content_is_kept_and_holes_are_found);
	tcase_add_test(tc, depth_costs_no_descriptors);
	tcase_add_loop_test(tc, a_path_has_a_limit, 0, 2);
	tcase_add_test(tc, the_order_of_creation_does_not_matter);
	tcase_add_loop_test(tc, names_of_whiteouts_are_refused, 0, 3);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
