/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/host_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "main.h"
#include "packer/layer_text.h"
#include "tests/support/scratch.h"

static struct stat look(const char *name)
{
	struct stat st;

	ck_assert_int_eq(fstatat(scratch_fd(), name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st;
}

static struct entry entry_of(const char *name)
{
	const struct stat st = look(name);
	struct err e = ERR_INIT;
	struct entry en;

	ck_assert_int_eq(host_file_entry(&st, &en, &e), 0);
	return en;
}

START_TEST(an_entry_has_the_metadata)
{
	const struct timespec times[2] = {{.tv_sec = 5}, {.tv_sec = -7, .tv_nsec = 123456789}};

	scratch_write("file", "hello");
	ck_assert_int_eq(fchmodat(scratch_fd(), "file", 06751, 0), 0);
	ck_assert_int_eq(utimensat(scratch_fd(), "file", times, 0), 0);
	const struct entry en = entry_of("file");
	ck_assert_int_eq(en.kind, ENTRY_REG);
	ck_assert_uint_eq(en.mode, 06751);
	ck_assert_uint_eq(en.size, 5);
	ck_assert_int_eq(en.mtime, -7);
	ck_assert_uint_eq(en.mtime_nsec, 123456789);
	ck_assert_uint_eq(en.uid, geteuid());
}
END_TEST

START_TEST(entries_of_other_kinds_have_no_size)
{
	ck_assert_int_eq(mkdirat(scratch_fd(), "dir", 0711), 0);
	ck_assert_int_eq(symlinkat("some/where", scratch_fd(), "link"), 0);
	ck_assert_int_eq(mkfifoat(scratch_fd(), "fifo", 0600), 0);
	struct entry en = entry_of("dir");
	ck_assert_int_eq(en.kind, ENTRY_DIR);
	ck_assert_uint_eq(en.size, 0);
	ck_assert_uint_eq(en.mode, 0711);
	en = entry_of("link");
	ck_assert_int_eq(en.kind, ENTRY_SYMLINK);
	ck_assert_uint_eq(en.mode, 0777);
	ck_assert_uint_eq(en.size, 0);
	ck_assert_int_eq(entry_of("fifo").kind, ENTRY_FIFO);
}
END_TEST

START_TEST(devices_have_their_numbers)
{
	if (geteuid() != 0)
		SKIP_TEST("needs root");
	if (mknodat(scratch_fd(), "b", S_IFBLK | 0600, makedev(259, 70000)) < 0)
		SKIP_TEST("no device can be made here");
	const struct entry en = entry_of("b");
	ck_assert_int_eq(en.kind, ENTRY_BLOCK);
	ck_assert_uint_eq(en.rdev_major, 259);
	ck_assert_uint_eq(en.rdev_minor, 70000);
}
END_TEST

START_TEST(a_socket_is_refused)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct err e = ERR_INIT;
	struct entry en;
	SCOPE_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", scratch_file("s"));
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	const struct stat st = look("s");
	ck_assert_int_eq(host_file_entry(&st, &en, &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "socket");
}
END_TEST

START_TEST(a_changed_file_is_not_opened)
{
	struct err e = ERR_INIT;

	scratch_write("file", "12345");
	const struct stat st = look("file");
	SCOPE_FD int fd = host_file_open(scratch_fd(), "file", &st, &e);
	ck_assert_int_ge(fd, 0);
	scratch_write("file", "123456");
	ck_assert_int_eq(host_file_open(scratch_fd(), "file", &st, &e), -1);
	ck_assert_err(&e, ERR_SYS, "changed");

	ck_assert_int_eq(unlinkat(scratch_fd(), "file", 0), 0);
	ck_assert_int_eq(symlinkat("other", scratch_fd(), "file"), 0);
	ck_assert_int_eq(host_file_open(scratch_fd(), "file", &st, &e), -1);
	ck_assert_err(&e, ERR_SYS, "cannot open");
	ck_assert_int_eq(unlinkat(scratch_fd(), "file", 0), 0);
	/* Would wait for ever. */
	ck_assert_int_eq(mkfifoat(scratch_fd(), "file", 0600), 0);
	ck_assert_int_eq(host_file_open(scratch_fd(), "file", &st, &e), -1);
	ck_assert_err(&e, ERR_SYS, "changed");
}
END_TEST

/* Adds "file", which is said to have `size` bytes. */
static int add(uint64_t size, struct err *e)
{
	const struct layer_options opt = {COMPRESSION_DEFAULT, 0};
	SCOPE_FD int out = layer_file();
	SCOPE(layer_writer) struct layer_writer *w = layer_writer_new(out, &opt, e);
	SCOPE_FD int fd = openat(scratch_fd(), "file", O_RDONLY | O_CLOEXEC);
	const struct entry en = {.path = "file", .path_len = 4, .kind = ENTRY_REG, .size = size};

	return host_file_add(w, &en, fd, e);
}

START_TEST(a_file_must_keep_its_size)
{
	struct err e = ERR_INIT;

	scratch_write("file", "12345");
	ck_assert_int_eq(add(5, &e), 0);
	ck_assert_int_eq(add(6, &e), -1);
	ck_assert_err(&e, ERR_SYS, "shrank");
	ck_assert_int_eq(add(4, &e), -1);
	ck_assert_err(&e, ERR_SYS, "grew");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/host_file");
	TCase *tc = tcase_create("files");

	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	tcase_add_test(tc, an_entry_has_the_metadata);
	tcase_add_test(tc, entries_of_other_kinds_have_no_size);
	tcase_add_test(tc, devices_have_their_numbers);
	tcase_add_test(tc, a_socket_is_refused);
	tcase_add_test(tc, a_changed_file_is_not_opened);
	tcase_add_test(tc, a_file_must_keep_its_size);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
