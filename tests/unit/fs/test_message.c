/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/message.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "main.h"

static int ends[2];

static void setup(void)
{
	struct err e = ERR_INIT;

	ck_assert_int_eq(message_pair(ends, &e), 0);
}

static void teardown(void)
{
	scope_close(&ends[0]);
	scope_close(&ends[1]);
}

START_TEST(both_ends_close_on_exec)
{
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(fcntl(ends[i], F_GETFD), FD_CLOEXEC);
}
END_TEST

START_TEST(what_was_told_is_heard)
{
	struct err none = ERR_INIT, sent = ERR_INIT, got = ERR_INIT;

	err_sys(&sent, EROFS, "cannot write '%s'", "it");
	ck_assert_int_eq(message_send(ends[0], &none), 0);
	ck_assert_int_eq(message_send(ends[0], &sent), 0);
	/* Also what the sender said before it ended. */
	close(steal_fd(&ends[0]));
	ck_assert_int_eq(message_receive(ends[1], true, &got), 1);
	ck_assert_no_err(&got);
	ck_assert_int_eq(message_receive(ends[1], true, &got), 1);
	ck_assert_int_eq(got.sys, EROFS);
	ck_assert_str_eq(got.msg, sent.msg);
	ck_assert_err(&got, ERR_SYS, "it");
	ck_assert_int_eq(message_receive(ends[1], true, &got), 0);
	ck_assert_no_err(&got);
	err_clear(&sent);
}
END_TEST

START_TEST(a_long_text_is_cut)
{
	static char text[20000];
	struct err sent = ERR_INIT, got = ERR_INIT;

	memset(text, 't', sizeof(text) - 1);
	err_set(&sent, ERR_FORMAT, "%s", text);
	ck_assert_int_eq(message_send(ends[0], &sent), 0);
	ck_assert_int_eq(message_receive(ends[1], true, &got), 1);
	ck_assert_uint_eq(strlen(got.msg), 8192);
	ck_assert_err(&got, ERR_FORMAT, "ttt");
	err_clear(&sent);
}
END_TEST

START_TEST(nobody_waits_who_does_not_want_to)
{
	struct err none = ERR_INIT, got = ERR_INIT;

	ck_assert_int_eq(message_receive(ends[1], false, &got), -1);
	ck_assert_int_eq(errno, EAGAIN);
	/* Nor dies of a receiver that is gone. */
	close(steal_fd(&ends[1]));
	ck_assert_int_eq(message_send(ends[0], &none), -1);
	ck_assert_int_eq(errno, EPIPE);
	ck_assert_int_eq(message_send_fd(ends[0], STDIN_FILENO, "x", 1), -1);
	ck_assert_int_eq(errno, EPIPE);
}
END_TEST

START_TEST(what_is_no_message_is_refused)
{
	struct err got = ERR_INIT;

	ck_assert_int_eq(send(ends[0], "xyz", 3, 0), 3);
	ck_assert_int_eq(message_receive(ends[1], true, &got), -1);
	ck_assert_int_eq(errno, EPROTO);
	ck_assert_no_err(&got);
}
END_TEST

START_TEST(a_descriptor_comes_with_its_bytes)
{
	struct stat was, is;
	char bytes[6];
	SCOPE_FD int fd = open("/", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(message_send_fd(ends[0], fd, "bytes", sizeof(bytes)), 0);
	SCOPE_FD int got = message_receive_fd(ends[1], bytes, sizeof(bytes));
	ck_assert_int_ge(got, 0);
	ck_assert_int_ne(got, fd);
	ck_assert_str_eq(bytes, "bytes");
	ck_assert_int_eq(fcntl(got, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fstat(fd, &was), 0);
	ck_assert_int_eq(fstat(got, &is), 0);
	ck_assert_uint_eq(was.st_ino, is.st_ino);
}
END_TEST

static unsigned descriptors(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* Without one, with other bytes, from nobody: no descriptor, and none is left over. */
START_TEST(no_descriptor_is_told)
{
	char bytes[6];
	const unsigned before = descriptors();

	ck_assert_int_eq(send(ends[0], "bytes", 6, 0), 6);
	ck_assert_int_eq(message_receive_fd(ends[1], bytes, sizeof(bytes)), -1);
	ck_assert_int_eq(errno, EPROTO);
	ck_assert_int_eq(message_send_fd(ends[0], STDIN_FILENO, "by", 2), 0);
	ck_assert_int_eq(message_receive_fd(ends[1], bytes, sizeof(bytes)), -1);
	ck_assert_int_eq(errno, EPROTO);
	ck_assert_uint_eq(descriptors(), before);
	close(steal_fd(&ends[0]));
	ck_assert_int_eq(message_receive_fd(ends[1], bytes, sizeof(bytes)), -1);
	ck_assert_int_eq(errno, EPROTO);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("fs/message");
	TCase *tc = tcase_create("messages");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, both_ends_close_on_exec);
	tcase_add_test(tc, what_was_told_is_heard);
	tcase_add_test(tc, a_long_text_is_cut);
	tcase_add_test(tc, nobody_waits_who_does_not_want_to);
	tcase_add_test(tc, what_is_no_message_is_refused);
	tcase_add_test(tc, a_descriptor_comes_with_its_bytes);
	tcase_add_test(tc, no_descriptor_is_told);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
