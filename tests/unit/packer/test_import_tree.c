/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "main.h"
#include "packer/import.h"
#include "packer/layouts.h"
#include "store/image.h"
#include "tests/support/scratch.h"

static const struct platform arm64 = {"linux", "arm64", "v8"};

static int import(enum import_kind kind, const char *name, struct import_result *out, struct err *e)
{
	const struct import_options opt = {
		.tag = "app", .platform = &arm64, .compression = COMPRESSION_DEFAULT};
	SCOPE_FREE char *path = str_dup(scratch_file(name), e);
	const struct import_source src = {.kind = kind, .path = path};

	return import_run(layouts_store, &src, &opt, out, e);
}

static struct digest take(enum import_kind kind, const char *name)
{
	struct import_result r = {.layers = 0};
	struct err e = ERR_INIT;

	import(kind, name, &r, &e);
	ck_assert_no_err(&e);
	ck_assert_str_eq(r.names.items[0], "localhost/app:latest");
	ck_assert_uint_eq(r.layers, 1);
	ck_assert_uint_eq(r.reframed, 0);
	const struct digest d = r.top.digest;
	import_result_fini(&r);
	return d;
}

static void refuse(enum import_kind kind, const char *name, enum err_code code, const char *word)
{
	struct import_result r = {.layers = 0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(import(kind, name, &r, &e), -1);
	ck_assert_err(&e, code, word);
	ck_assert_uint_eq(layouts_refs(), 0);
}

static void set_time(const char *name, time_t seconds, long nanoseconds)
{
	const struct timespec t = {.tv_sec = seconds, .tv_nsec = nanoseconds};
	const struct timespec times[2] = {t, t};

	ck_assert_int_eq(utimensat(scratch_fd(), name, times, AT_SYMLINK_NOFOLLOW), 0);
}

/* A root file system with a bit of everything. */
static void make_tree(void)
{
	char big[100000];
	char name[300];

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 2654435761U >> 11);
	mkdirat(scratch_fd(), "root", 0755);
	mkdirat(scratch_fd(), "root/b", 0711);
	layout_write("root/b/big", big, sizeof(big));
	scratch_write("root/b/a", "a");
	ck_assert_int_eq(linkat(scratch_fd(), "root/b/big", scratch_fd(), "root/again", 0), 0);
	ck_assert_int_eq(symlinkat("b/big", scratch_fd(), "root/link"), 0);
	ck_assert_int_eq(mkfifoat(scratch_fd(), "root/fifo", 0622), 0);
	ck_assert_int_eq(fchmodat(scratch_fd(), "root/b/a", 06755, 0), 0);
	snprintf(name, sizeof(name), "root/%0200d", 7);
	scratch_write(name, "long");
	/* A hole, so that tar -S has something to do. */
	SCOPE_FD int fd = openat(scratch_fd(), "root/sparse", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_eq(pwrite(fd, "end", 3, 1 << 20), 3);
	(void)setxattr(scratch_file("root/b/a"), "user.name", "va\nlue", 6, 0);
	if (geteuid() == 0) {
		(void)mknodat(scratch_fd(), "root/null", S_IFCHR | 0666, makedev(1, 3));
		ck_assert_int_eq(fchownat(scratch_fd(), "root/b/big", 1000, 70000, 0), 0);
	}
	set_time("root/b/big", 1234567890, 123456789);
	set_time("root/link", 1234567, 0);
	set_time("root/b/a", -3, 0);
	set_time("root/b", 2000000000, 1);
	set_time("root", 5, 0);
}

static const struct {
	const char *option, *file;
} tars[] = {
	{"--format=posix", "x.tar"}, {"-S", "sparse.tar"}, {"-z", "x.tar.gz"},
	{"--zstd", "x.tar.zst"},     {"-J", "x.tar.xz"},   {"-j", "x.tar.bz2"},
};

START_TEST(a_tar_and_its_directory_are_one_image)
{
	const char *const argv[] = {"tar",
				    "--xattrs",
				    "--xattrs-include=*",
				    "--format=posix",
				    tars[_i].option,
				    "-C",
				    "root",
				    "-cf",
				    tars[_i].file,
				    ".",
				    NULL};

	make_tree();
	layouts_run(argv);
	const struct digest a = take(IMPORT_DIR, "root");
	const struct digest b = take(IMPORT_ROOTFS, tars[_i].file);
	ck_assert(digest_equal(&a, &b));
}
END_TEST

START_TEST(bsdtar_gives_the_same)
{
	const char *const argv[] = {"bsdtar", "--format=pax", "--xattrs", "-C", "root",
				    "-cf",    "x.tar",        ".",        NULL};

	make_tree();
	layouts_run(argv);
	const struct digest a = take(IMPORT_DIR, "root");
	const struct digest b = take(IMPORT_ROOTFS, "x.tar");
	ck_assert(digest_equal(&a, &b));
}
END_TEST

START_TEST(the_config_says_what_is_known)
{
	SCOPE(image) struct image im = IMAGE_INIT;
	struct err e = ERR_INIT;

	make_tree();
	const struct digest a = take(IMPORT_DIR, "root");
	setenv("SOURCE_DATE_EPOCH", "1700000000", 1);
	const struct digest b = take(IMPORT_DIR, "root");
	ck_assert(!digest_equal(&a, &b));
	ck_assert_int_eq(image_load(layouts_store, "app", &arm64, &im, &e), 0);
	ck_assert_str_eq(im.config.created, "2023-11-14T22:13:20Z");
	ck_assert_str_eq(im.config.platform.architecture, "arm64");
	ck_assert_uint_eq(im.config.history_count, 1);
	ck_assert_str_eq(im.config.history[0].created, im.config.created);
	ck_assert_uint_eq(im.manifest.annotations.count, 0);
	unsetenv("SOURCE_DATE_EPOCH");
	const struct digest c = take(IMPORT_DIR, "root");
	ck_assert(digest_equal(&a, &c));
}
END_TEST

START_TEST(a_bad_epoch_is_refused)
{
	make_tree();
	setenv("SOURCE_DATE_EPOCH", "now", 1);
	refuse(IMPORT_DIR, "root", ERR_USAGE, "SOURCE_DATE_EPOCH");
	unsetenv("SOURCE_DATE_EPOCH");
}
END_TEST

START_TEST(names_of_whiteouts_are_refused)
{
	const char *const argv[] = {"tar", "-C", "root", "-cf", "x.tar", ".", NULL};
	const char *const inside[] = {"tar", "-C", "root", "-cf", "x.tar", "sub/.wh.dir/f", NULL};

	ck_assert_int_eq(mkdirat(scratch_fd(), "root", 0755), 0);
	ck_assert_int_eq(mkdirat(scratch_fd(), "root/sub", 0755), 0);
	scratch_write("root/sub/.wh.gone", "");
	layouts_run(argv);
	refuse(IMPORT_DIR, "root", ERR_FORMAT, "'sub/.wh.gone'");
	refuse(IMPORT_ROOTFS, "x.tar", ERR_FORMAT, "'sub/.wh.gone'");
	ck_assert_int_eq(unlinkat(scratch_fd(), "root/sub/.wh.gone", 0), 0);
	ck_assert_int_eq(mkdirat(scratch_fd(), "root/sub/.wh.dir", 0755), 0);
	scratch_write("root/sub/.wh.dir/f", "");
	layouts_run(inside);
	refuse(IMPORT_ROOTFS, "x.tar", ERR_FORMAT, "'sub/.wh.dir/f'");
}
END_TEST

START_TEST(what_is_no_root_file_system_is_refused)
{
	const char *const argv[] = {"tar", "-C", "root", "-cJf", "x.tar.xz", ".", NULL};
	const char *const cut[] = {"truncate", "-s", "-40", "x.tar.xz", NULL};
	const char *const cpio[] = {"bsdtar", "--format=cpio", "-C", "root",
				    "-cf",    "x.cpio",        ".",  NULL};
	const char *const xz[] = {"xz", "-k", "x.cpio", NULL};

	make_tree();
	scratch_write("text", "text");
	scratch_write("empty", "");
	layouts_run(argv);
	layouts_run(cut);
	layouts_run(cpio);
	layouts_run(xz);
	refuse(IMPORT_ROOTFS, "text", ERR_FORMAT, "text");
	refuse(IMPORT_ROOTFS, "empty", ERR_FORMAT, "empty");
	refuse(IMPORT_ROOTFS, "x.tar.xz", ERR_FORMAT, "x.tar.xz");
	refuse(IMPORT_ROOTFS, "x.cpio", ERR_FORMAT, "x.cpio");
	refuse(IMPORT_ROOTFS, "x.cpio.xz", ERR_FORMAT, "x.cpio.xz");
	refuse(IMPORT_ROOTFS, "root", ERR_USAGE, "dir:");
	refuse(IMPORT_ROOTFS, "none", ERR_NOT_FOUND, "no such file");
	refuse(IMPORT_DIR, "text", ERR_USAGE, "rootfs:");
	refuse(IMPORT_DIR, "none", ERR_NOT_FOUND, "no such directory");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/import_tree");
	TCase *tc = tcase_create("trees");

	tcase_add_checked_fixture(tc, layouts_setup, layouts_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, a_tar_and_its_directory_are_one_image, 0, ARRAY_LEN(tars));
	tcase_add_test(tc, bsdtar_gives_the_same);
	tcase_add_test(tc, the_config_says_what_is_known);
	tcase_add_test(tc, a_bad_epoch_is_refused);
	tcase_add_test(tc, names_of_whiteouts_are_refused);
	tcase_add_test(tc, what_is_no_root_file_system_is_refused);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
