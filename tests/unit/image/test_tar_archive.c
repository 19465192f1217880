/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tar_archive.h"

#include <errno.h>

#include "image/tar_write.h"
#include "main.h"
#include "tests/support/failalloc.h"

static int put(void *to, const void *bytes, size_t len, struct err *e)
{
	return str_append(to, bytes, len, e);
}

static int refuse(void *to, const void *bytes, size_t len, struct err *e)
{
	uint64_t *room = to;

	(void)bytes;
	if (len > *room)
		return err_sys(e, ENOSPC, "cannot write");
	*room -= len;
	return 0;
}

START_TEST(members_are_padded_and_ended)
{
	SCOPE(str) struct str out = STR_INIT;
	SCOPE(tar_archive) struct tar_archive a = TAR_ARCHIVE_INIT(put, &out);
	struct err e = ERR_INIT;

	ck_assert_int_eq(tar_archive_plain(&a, "one", 5, &e), 0);
	ck_assert_uint_eq(out.len, TAR_BLOCK);
	ck_assert_int_eq(tar_archive_put(&a, "he", 2, &e), 0);
	ck_assert_int_eq(tar_archive_put(&a, "llo", 3, &e), 0);
	ck_assert_uint_eq(out.len, 2 * TAR_BLOCK);
	ck_assert_str_eq(out.data + TAR_BLOCK, "hello");
	ck_assert_int_eq(tar_archive_plain(&a, "empty", 0, &e), 0);
	ck_assert_int_eq(tar_archive_put(&a, "", 0, &e), 0);
	ck_assert_uint_eq(out.len, 3 * TAR_BLOCK);
	/* A whole block needs no padding, and zeros may come in any number. */
	ck_assert_int_eq(tar_archive_plain(&a, "zeros", 300 * TAR_BLOCK, &e), 0);
	ck_assert_int_eq(tar_archive_put(&a, "x", 1, &e), 0);
	ck_assert_int_eq(tar_archive_put_zeros(&a, 300 * TAR_BLOCK - 1, &e), 0);
	ck_assert_uint_eq(out.len, 304 * TAR_BLOCK);
	ck_assert_int_eq(tar_archive_finish(&a, &e), 0);
	ck_assert_uint_eq(out.len, 304 * TAR_BLOCK + TAR_END_SIZE);
	size_t wrong = 0;
	for (size_t i = 4 * TAR_BLOCK + 1; i < out.len; i++)
		wrong += out.data[i] != 0;
	ck_assert_uint_eq(wrong, 0);
}
END_TEST

START_TEST(plain_members_say_nothing_of_their_maker)
{
	SCOPE(str) struct str out = STR_INIT;
	SCOPE(str) struct str want = STR_INIT;
	SCOPE(tar_archive) struct tar_archive a = TAR_ARCHIVE_INIT(put, &out);
	const struct entry dir = {.path = "a/b", .path_len = 3, .kind = ENTRY_DIR, .mode = 0755};
	const struct entry file = {
		.path = "a/b/c", .path_len = 5, .kind = ENTRY_REG, .mode = 0644, .size = 1};
	struct err e = ERR_INIT;

	ck_assert_int_eq(tar_archive_plain(&a, "a/b/", 0, &e), 0);
	ck_assert_int_eq(tar_archive_plain(&a, "a/b/c", 1, &e), 0);
	ck_assert_int_eq(tar_header_append(&want, &dir, &e), 0);
	ck_assert_int_eq(tar_header_append(&want, &file, &e), 0);
	ck_assert_uint_eq(out.len, want.len);
	ck_assert_mem_eq(out.data, want.data, out.len);
}
END_TEST

START_TEST(failures_are_passed_on)
{
	struct err e = ERR_INIT;

	for (uint64_t size = 0; size < 4 * TAR_BLOCK; size += TAR_BLOCK / 2) {
		uint64_t room = size;
		SCOPE(tar_archive) struct tar_archive a = TAR_ARCHIVE_INIT(refuse, &room);
		ck_assert(tar_archive_plain(&a, "file", 100, &e) < 0 ||
			  tar_archive_put_zeros(&a, 100, &e) < 0 || tar_archive_finish(&a, &e) < 0);
		ck_assert_err(&e, ERR_SYS, "cannot write");
	}
	SCOPE(str) struct str out = STR_INIT;
	SCOPE(tar_archive) struct tar_archive a = TAR_ARCHIVE_INIT(put, &out);
	const struct entry bad = {.path = "../x", .path_len = 4, .kind = ENTRY_REG};
	ck_assert_int_eq(tar_archive_member(&a, &bad, &e), -1);
	ck_assert_int_eq(e.code, ERR_FORMAT);
	err_clear(&e);
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

static int write_once(void *arg, struct err *e)
{
	SCOPE(str) struct str out = STR_INIT;
	SCOPE(tar_archive) struct tar_archive a = TAR_ARCHIVE_INIT(put, &out);

	(void)arg;
	if (tar_archive_plain(&a, "file", 3, e) < 0 || tar_archive_put(&a, "abc", 3, e) < 0)
		return -1;
	return tar_archive_finish(&a, e);
}

START_TEST(survives_without_memory)
{
	failalloc_each(write_once, NULL);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/tar_archive");
	TCase *tc = tcase_create("tar_archive");

	tcase_add_test(tc, members_are_padded_and_ended);
	tcase_add_test(tc, plain_members_say_nothing_of_their_maker);
	tcase_add_test(tc, failures_are_passed_on);
	tcase_add_test(tc, survives_without_memory);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
